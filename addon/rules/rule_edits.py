"""Edits of the `rules` section: adding, replacing, moving and removing rules."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

from addon.rules.definitions import FILE
from addon.rules.editing import Document, apply_change, insert
from addon.rules.nodes import Mapping, Sequence, parse, to_json
from addon.rules.rewriting import EditError
from addon.rules.rule_definitions import RULE

type Entry = dict[str, Any]
"""A rule as JSON knows it."""

type Rewrite = Callable[[str], str]
"""Makes the new text of a rules file of the old one."""

_ORDER = tuple(field.name for field in RULE.fields)


class NoSuchRule(EditError):
    """There is no rule at that place."""


def rules_in(text: str) -> list[Any]:
    """Return the entries under `rules` as JSON knows them; none of a text that has no such list.

    Raises:
        Mistake: The text is not YAML.
    """
    root = parse(text, lambda _: None)
    sections = root.entries if isinstance(root, Mapping) else []
    for key, section in sections:
        if key.text == "rules" and isinstance(section, Sequence):
            return [to_json(item) for item in section.items]
    return []


def add_rule(given: Entry, at: int | None = None) -> Rewrite:
    """Put in a rule, before the one at a place or at the end."""

    def change(rules: list[Any]) -> None:
        position = len(rules) if at is None else at
        if position > len(rules):
            raise NoSuchRule(f"there are {len(rules)} rules, so none can be put at {position}")
        rules.insert(position, _ordered(_without_defaults(given)))

    return _changing(change)


def remove_rule(index: int) -> Rewrite:
    """Take out a rule, and the comment above it."""

    def change(rules: list[Any]) -> None:
        _check_index(index, rules)
        del rules[index]

    return _changing(change)


def move_rule(index: int, to: int) -> Rewrite:
    """Move a rule to another place, with the comment above it."""

    def change(rules: list[Any]) -> None:
        _check_index(index, rules)
        _check_index(to, rules)
        rules.insert(to, rules.pop(index))

    return _changing(change)


def change_rule(index: int, changes: Entry) -> Rewrite:
    """Change some keys of a rule; None removes one."""

    def change(rules: list[Any]) -> None:
        _check_index(index, rules)
        before = rules[index]
        if not isinstance(before, dict):
            raise EditError("this rule is no map; mend it in the text of the file")
        rules[index] = _placed(cast("Entry", before), _without_defaults({**before, **changes}))

    return _changing(change)


def replace_rule(index: int, entry: Entry) -> Rewrite:
    """Write another rule in the place of one; what stays the same stays as it is written."""

    def change(rules: list[Any]) -> None:
        _check_index(index, rules)
        before = rules[index]
        known = cast("Entry", before) if isinstance(before, dict) else {}
        rules[index] = _placed(known, _without_defaults(entry))

    return _changing(change)


def set_default(use: str) -> Rewrite:
    """Say what happens to calls that no rule takes."""

    def change(document: Document) -> None:
        document["default"] = use

    return lambda text: apply_change(text, change)


def _changing(change: Callable[[list[Any]], None]) -> Rewrite:
    def edit(document: Document) -> None:
        rules = document.get("rules")
        if not isinstance(rules, list):
            if "rules" in document:
                document["rules"] = []
            else:
                above = [list(document).index(name) for name in _BEFORE if name in document]
                insert(document, max(above, default=-1) + 1, "rules", [])
        change(cast("list[Any]", document["rules"]))

    return lambda text: apply_change(text, edit)


def _without_defaults(entry: Entry) -> Entry:
    """Leave out what says nothing."""
    said = {
        key: value
        for key, value in copy.deepcopy(entry).items()
        if value is not None and not (key == "enabled" and value is True)
    }
    if not said:
        raise EditError("use: it is missing, and so is all the rest of the rule")
    return said


def _ordered(entry: Entry) -> Entry:
    """Return a new rule with its keys in the usual order."""
    return {key: entry[key] for key in sorted(entry, key=_rank)}


def _placed(before: Entry, entry: Entry) -> Entry:
    """Return a rule with the keys that are new at their usual places among the others."""
    placed = {key: entry[key] for key in before if key in entry}
    for key in sorted(entry.keys() - placed.keys(), key=_rank):
        earlier = [number for number, name in enumerate(placed) if _rank(name) < _rank(key)]
        insert(placed, earlier[-1] + 1 if earlier else 0, key, entry[key])
    return placed


def _rank(name: str) -> tuple[int, str]:
    return (_ORDER.index(name), "") if name in _ORDER else (len(_ORDER), name)


_BEFORE = tuple(field.name for field in FILE.fields[:2])
"""Keys of the file that usually stand above `rules`."""


def _check_index(index: int, rules: list[Any]) -> None:
    if index >= len(rules):
        raise NoSuchRule(f"there is no rule {index}; there are {len(rules)}, counted from 0")
