"""Edits of the `rules` section: adding, replacing, moving and removing rules.

Whole rules are moved, put in and taken out as text, line by line, because a YAML library counts the
comment above a rule to the rule before. The comment above a rule belongs to it, as far as no blank
line is between them; other comments and blank lines stay where they are. Changes within a rule, and
rules that are written in brackets, are left to `apply_change`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from addon.rules.definitions import FILE
from addon.rules.editing import Change, Document, apply_change, insert, update, written
from addon.rules.nodes import Mapping, Sequence, parse, to_json
from addon.rules.places import find_places
from addon.rules.problems import Mistake
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

    def rewrite(text: str) -> str:
        entry = _without_defaults(given)
        expected = rules_in(text)
        position = len(expected) if at is None else at
        if position > len(expected):
            raise NoSuchRule(f"there are {len(expected)} rules, so none can be put at {position}")
        section = _Section.find(text)
        new = _ordered(entry)
        if section is None:
            edited = apply_change(text, lambda document: _rules(document).insert(position, new))
        else:
            edited = section.with_new(position, new)
        expected.insert(position, entry)
        return _checked(edited, expected)

    return rewrite


def remove_rule(index: int) -> Rewrite:
    """Take out a rule, and the comment above it."""

    def rewrite(text: str) -> str:
        expected = rules_in(text)
        _check_index(index, expected)
        section = _Section.find(text)
        if section is None:
            edited = apply_change(text, lambda document: _rules(document).pop(index))
        else:
            edited = section.without(index)
        del expected[index]
        return _checked(edited, expected)

    return rewrite


def move_rule(index: int, to: int) -> Rewrite:
    """Move a rule to another place, with the comment above it."""

    def rewrite(text: str) -> str:
        expected = rules_in(text)
        _check_index(index, expected)
        _check_index(to, expected)
        order = list(range(len(expected)))
        order.insert(to, order.pop(index))
        section = _Section.find(text)
        if section is None:

            def change(document: Document) -> None:
                rules = _rules(document)
                rules.insert(to, rules.pop(index))

            edited = apply_change(text, change)
        else:
            edited = section.in_order(order)
        return _checked(edited, [expected[number] for number in order])

    return rewrite


def change_rule(index: int, changes: Entry) -> Rewrite:
    """Change some keys of a rule; None removes one."""

    def rewrite(text: str) -> str:
        expected = rules_in(text)
        _check_index(index, expected)
        before = expected[index]
        if not isinstance(before, dict):
            raise EditError("this rule is no map; mend it in the text of the file")
        entry = cast("Entry", before)
        wanted = _without_defaults({**entry, **changes})
        expected[index] = wanted

        def change(rules: list[Any]) -> None:
            update(rules[0 if section else index], entry, wanted, _ORDER)

        section = _Section.find(text)
        try:
            return _checked(_changed(text, section, index, change), expected)
        except EditError:
            if section is None:
                raise
            section = None  # what it repeats of another rule (`*name`) may be the trouble
            return _checked(_changed(text, section, index, change), expected)

    return rewrite


def replace_rule(index: int, entry: Entry) -> Rewrite:
    """Write another rule in the place of one; what stays the same stays as it is written."""

    def rewrite(text: str) -> str:
        expected = rules_in(text)
        _check_index(index, expected)
        before = expected[index]
        gone = dict.fromkeys(cast("Entry", before)) if isinstance(before, dict) else {}
        return change_rule(index, {**gone, **entry})(text)

    return rewrite


def set_default(use: str) -> Rewrite:
    """Say what happens to calls that no rule takes."""

    def change(document: Document) -> None:
        document["default"] = use

    return lambda text: change_beside_rules(text, change)


def change_beside_rules(text: str, change: Change) -> str:
    """Do what `apply_change` does, faster where there are many rules, which it leaves alone.

    Args:
        text: The text of a rules file.
        change: Changes anything but the rules.
    """
    section = _Section.find(text)
    if section is not None:
        key = max(n for n, line in enumerate(section.before) if line.startswith("rules:"))
        place = "".join(section.before[key:])
        edited = apply_change("".join([*section.before, *section.after]), change)
        if edited.count(place) == 1:
            before, _, after = edited.partition(place)
            return f"{before}{place}{section.middle()}{after}"
    return apply_change(text, change)


def _changed(
    text: str, section: _Section | None, index: int, change: Callable[[list[Any]], None]
) -> str:
    """Change a rule by itself: to go through the whole file takes long where it is long."""
    if section is None:
        return apply_change(text, lambda document: change(_rules(document)))
    head = "rules:\n"
    own = head + "".join(section.rules[index])
    edited = apply_change(own, lambda document: change(_rules(document)))
    if not edited.startswith(head):
        raise EditError("the rule is written too unusually")
    rules = [*section.rules]
    rules[index] = [edited.removeprefix(head)]
    return section.with_rules(rules)


def _without_defaults(entry: Entry) -> Entry:
    """Leave out what says nothing."""
    said = {
        key: value
        for key, value in entry.items()
        if value is not None and not (key == "enabled" and value is True)
    }
    if not said:
        raise EditError("use: it is missing, and so is all the rest of the rule")
    return said


def _ordered(entry: Entry) -> Document:
    """Return a new rule with its keys in the usual order, each on a line."""
    names = sorted(entry, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    made: Document = CommentedMap()
    for name in names:
        made[name] = written(entry[name])
    return made


def _rules(document: Document) -> list[Any]:
    """Return the list of rules of a document, made where there is none."""
    if not document.get("rules"):
        if "rules" in document:
            document["rules"] = []
        else:
            above = [list(document).index(name) for name in _BEFORE if name in document]
            insert(document, max(above, default=-1) + 1, "rules", [])
    return cast("list[Any]", document["rules"])


_BEFORE = tuple(field.name for field in FILE.fields[:2])
"""Keys of the file that usually stand above `rules`."""


def _check_index(index: int, rules: list[Any]) -> None:
    if index >= len(rules):
        raise NoSuchRule(f"there is no rule {index}; there are {len(rules)}, counted from 0")


def _checked(edited: str, expected: list[Any]) -> str:
    """Make sure that an edit did what it was to do, however unusual the file is."""
    try:
        done = rules_in(edited) == expected
    except Mistake:
        done = False
    if not done:
        raise EditError("the file is written too unusually for this edit; edit its text")
    return edited


class _Section(NamedTuple):
    """The lines of a list of rules without brackets."""

    before: list[str]
    rules: list[list[str]]
    """Of each rule, the comment above it included."""
    gaps: list[list[str]]
    """What stands between them: before the first, ..., after the last."""
    after: list[str]
    column: int
    """Of the dashes, counted from 0."""

    @classmethod
    def find(cls, text: str) -> _Section | None:
        """Take a text apart; None where its rules are in brackets, or there are none."""
        places = find_places(text)
        whole = [p for p in places if p.path == ("rules",) and p.kind == "list" and p.in_block]
        items = [p for p in places if p.path[:1] == ("rules",) and len(p.path) == 2]
        if len(whole) != 1 or not items:
            return None
        lines = text.splitlines(keepends=True)
        column = whole[0].mark.column - 1
        starts = [item.mark.line - 1 for item in items]
        end = text.count("\n", 0, whole[0].end)
        end += text[text.rfind("\n", 0, whole[0].end) + 1 : whole[0].end] != ""
        dashed = all(lines[start][:column].isspace() or not column for start in starts)
        if not dashed or any(lines[start][column : column + 1] != "-" for start in starts):
            return None
        if len(set(starts)) < len(starts) or len(lines) != text.count("\n") + (text[-1] != "\n"):
            return None  # several on one line, or lines that end in another way
        rules: list[list[str]] = []
        gaps: list[list[str]] = []
        done = starts[0] - len(_comments_above(lines, starts[0], 0))
        before, done = lines[:done], done
        for start, following in zip(starts, [*starts[1:], end], strict=True):
            head = start - len(_comments_above(lines, start, done))
            stop = start + 1
            for number in range(start + 1, following):
                line = lines[number].lstrip()
                deeper = len(lines[number]) - len(line) > column
                if line and (deeper or not line.startswith("#")):
                    stop = number + 1
            gaps.append(lines[done:head])
            rules.append(_ended(lines[head:stop]))
            done = stop
        gaps.append(lines[done:end])
        return cls(before, rules, gaps, lines[end:], column)

    def with_new(self, position: int, entry: Document) -> str:
        """Write the text with a rule more."""
        blank = any(gap and _is_blank(gap) for gap in self.gaps[1:-1])
        gaps, rules = list(self.gaps), list(self.rules)
        gaps.insert(min(position + 1, len(rules)), ["\n"] * blank)
        rules.insert(position, self._lines_of(entry))
        return self._replace(rules=rules, gaps=gaps)._text()

    def without(self, index: int) -> str:
        """Write the text with a rule less."""
        gaps, rules = list(self.gaps), list(self.rules)
        del rules[index]
        above, below = gaps[index : index + 2]
        if index and _is_blank(above):
            left = below
        elif rules[index:] and _is_blank(below):
            left = above
        else:
            left = above + below
        gaps[index : index + 2] = [left]
        return self._replace(rules=rules, gaps=gaps)._text()

    def with_rules(self, rules: list[list[str]]) -> str:
        """Write the text with other lines for the same rules."""
        return self._replace(rules=rules)._text()

    def middle(self) -> str:
        """Write the rules alone."""
        return self._replace(before=[], after=[])._text()

    def in_order(self, order: list[int]) -> str:
        """Write the text with the rules in another order."""
        return self._replace(rules=[self.rules[number] for number in order])._text()

    def _text(self) -> str:
        middle = [
            line
            for gap, rule in zip(self.gaps, [*self.rules, []], strict=True)
            for line in (*gap, *rule)
        ]
        return "".join([*self.before, *middle, *self.after])

    def _lines_of(self, entry: Document) -> list[str]:
        yaml = YAML()
        yaml.width = 100_000
        stream = io.StringIO()
        yaml.dump(entry, stream)  # pyright: ignore[reportUnknownMemberType] - untyped
        indent = " " * self.column
        lines = stream.getvalue().splitlines(keepends=True)
        return [f"{indent}{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]


def _comments_above(lines: list[str], start: int, lowest: int) -> list[str]:
    first = start
    while first > lowest and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return lines[first:start]


def _is_blank(lines: list[str]) -> bool:
    return all(not line.strip() for line in lines)


def _ended(lines: list[str]) -> list[str]:
    """End the last line, which the last one of a file may lack."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
