"""The rules file as the dashboard shows it: without keys, with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from addon.dashboard.failures import Trouble
from addon.dashboard.workspace import Workspace
from addon.inspection.loading import missing_keys
from addon.rules import Problem, Rules, RulesError
from addon.rules.hiding import hide_in_words, hide_keys
from addon.rules.nodes import Mapping, Node, Sequence, parse, to_json
from addon.rules.places import Path as Place
from addon.rules.places import find_places, path_of, write_path
from addon.rules.problems import Mark, Mistake
from addon.rules.rewriting import NEW_FILE, digest
from addon.rules.rules_file import read_rules

ANY = -1


class RulesState(msgspec.Struct, frozen=True, kw_only=True):
    """What a rules file says at one moment."""

    revision: str | None = None
    """None where it cannot be read at all."""
    text: str | None = None
    """Without its keys."""
    whole: str = ""
    """With its keys; not to be shown."""
    loaded: Rules | None = None
    """None where it has mistakes."""
    problems: tuple[Trouble, ...] = ()
    notices: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return how things are, in short."""
        return {
            "revision": self.revision,
            "rules_ok": self.loaded is not None,
            "problems": self.problems,
            "notices": self.notices,
        }


def read_state(workspace: Workspace) -> RulesState:
    """Read the rules file; one that is not there counts as one that says nothing."""
    path = workspace.rules_path
    absent: tuple[Problem, ...] = ()
    try:
        text = read_rules(path)
    except RulesError as error:
        if path.exists():
            return RulesState(problems=tuple(troubles(error.problems, "")))
        absent, text = error.problems, NEW_FILE
    revision, shown = digest(text), hide_keys(text).text
    try:
        loaded = workspace.load(text)
    except RulesError as error:
        problems = tuple(troubles(error.problems, text))
        return RulesState(revision=revision, text=shown, whole=text, problems=problems)
    found = [*loaded.notices, *missing_keys(loaded, path)]
    return RulesState(
        revision=revision,
        text=shown,
        whole=text,
        loaded=None if absent else loaded,
        problems=tuple(troubles(absent, "")),
        notices=tuple(_notices(found, text)),
    )


def rules_document(workspace: Workspace) -> dict[str, Any]:
    """Return the whole file as the page of rules shows it."""
    state = read_state(workspace)
    document: dict[str, Any] = state.document() | {
        "default": "pass",
        "rules": [],
        "text": state.text,
    }
    try:
        # A key may stand on several lines: where a rule stands is read in the text itself.
        root, real = (parse(text, lambda _: None) for text in (state.text or "", state.whole))
    except Mistake:
        return document
    default = to_json(found) if (found := _section(root, "default")) else "pass"
    entries, places = _section(root, "rules"), _section(real, "rules")
    rules: list[dict[str, Any]] = []
    if isinstance(entries, Sequence) and isinstance(places, Sequence):
        for index, (entry, place) in enumerate(zip(entries.items, places.items, strict=False)):
            fixed = {"index": index, "line": place.mark.line}
            given = to_json(entry)
            known = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
            rules.append({**fixed, "name": f"rule {index + 1}", "enabled": True, **known, **fixed})
    return document | {"default": default, "rules": rules}


def troubles(problems: Iterable[Problem], text: str, base: Place = ()) -> list[Trouble]:
    """Say what is wrong with a text, and at which field of a form.

    Args:
        problems: What is wrong.
        text: The text, with its keys.
        base: What the form edits, a path within the text; `ANY` stands for any item of a list.
    """
    places = find_places(text)
    found: list[Trouble] = []
    for problem in problems:
        path = path_of(problem.message, Mark(problem.line, problem.column), places) or ()
        inner = path[len(base) :] if _is_below(path, base) else path
        found.append(
            Trouble(
                message=hide_in_words(problem.message),
                field=write_path(inner) or None,
                line=problem.line,
                column=problem.column,
            )
        )
    return found


def _is_below(path: Place, base: Place) -> bool:
    return len(path) >= len(base) and all(
        part == known or (known == ANY and isinstance(part, int))
        for part, known in zip(path, base, strict=False)
    )


def _notices(found: list[Problem], text: str) -> Iterable[dict[str, Any]]:
    rule_at = {
        place.mark: place.path[1]
        for place in find_places(text)
        if place.path[:1] == ("rules",) and len(place.path) > 1
    }
    for notice in sorted(found, key=lambda one: one[1:3]):
        yield {
            "line": notice.line,
            "column": notice.column,
            "message": hide_in_words(notice.message),
            "rule": rule_at.get(Mark(notice.line, notice.column)),
        }


def _section(root: Node | None, name: str) -> Node | None:
    sections = root.entries if isinstance(root, Mapping) else []
    return next((node for key, node in sections if key.text == name), None)
