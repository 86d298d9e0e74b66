"""Reading, editing and trying rules."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from addon.dashboard.failures import ApiError, missing
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.rules_editing import Edit, edit_file, refusal, without_new_keys
from addon.dashboard.rules_state import rules_document
from addon.dashboard.workspace import Workspace
from addon.inspection.explaining import explain
from addon.inspection.explanation import PLACES, ask, explanation_document, place_of
from addon.neutral import DetourError
from addon.rules import Rules, RulesError
from addon.rules.hiding import hide_keys
from addon.rules.rewriting import NEW_FILE
from addon.rules.rule_edits import (
    Entry,
    Rewrite,
    add_rule,
    change_rule,
    move_rule,
    remove_rule,
    replace_rule,
    rules_in,
    set_default,
)
from addon.rules.rules_file import read_rules
from addon.rules.schema import rules_schema
from addon.wire.codec import encode

_OURS = ("index", "line")
"""What `GET rules` adds to a rule."""
_VARIABLE = "name a variable that holds it, ${VARIABLE}"


def read(workspace: Workspace, _: Asked) -> dict[str, Any]:
    """Return all rules."""
    return rules_document(workspace)


def add(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Add a rule."""
    at = None if asked.body.get("at") is None else asked.index("at")
    entry = _rule(asked)
    places: list[int] = []

    def edit(text: str, hidden: Any) -> str:  # noqa: ANN401 - see `Edit`
        places.append(len(rules_in(text)) if at is None else at)
        return add_rule(hidden.reveal(entry), at)(text)

    # Where the mistakes of the new rule are: at the end, if need be.
    index = at if at is not None else len(read(workspace, asked)["rules"])
    edit_file(workspace, asked, edit, base=("rules", index))
    return read(workspace, asked) | {"index": places[-1]}


def replace(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Write a rule anew."""
    entry = _rule(asked)
    index = _index(asked)

    def rewrite(given: Entry) -> Rewrite:
        def replaced(text: str) -> str:
            return replace_rule(index, _unnamed(given, index, text))(text)

        return replaced

    return _edit_rule(workspace, asked, index, entry, rewrite)


def change(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Change some keys of a rule."""
    changes = {key: value for key, value in asked.body.items() if key != "revision"}
    without_new_keys(changes, _VARIABLE)
    index = _index(asked)
    return _edit_rule(workspace, asked, index, changes, functools.partial(change_rule, index))


def remove(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Remove a rule."""
    index = _index(asked)
    edit_file(workspace, asked, _plainly(remove_rule(index)))
    return read(workspace, asked) | {"index": index}


def move(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Move a rule."""
    index, to = asked.index("from"), asked.index("to")
    edit_file(workspace, asked, _plainly(move_rule(index, to)))
    return read(workspace, asked) | {"index": to}


def change_default(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Say what happens to all other calls."""
    edit_file(workspace, asked, _plainly(set_default(asked.text("default"))))
    return read(workspace, asked)


def write_text(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Write the whole file anew, or check a text."""
    text = asked.text("text")
    if asked.body.get("dry_run"):
        _load(workspace, text)
        return read(workspace, asked)
    edit_file(workspace, asked, lambda _, hidden: hidden.reveal_text(text), whole=True)
    return read(workspace, asked)


def try_call(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Say what would become of a call."""
    endpoint = asked.optional_text("endpoint") or "chat"
    if place_of(endpoint) is None:
        known = f"known are {', '.join(PLACES)}, and paths such as audio/transcriptions"
        raise ApiError(400, f"endpoint: {known}", field="endpoint")
    headers = asked.map("headers") if asked.body.get("headers") is not None else {}
    for name, value in headers.items():
        if not isinstance(value, str):
            field = f"headers.{name}"
            raise ApiError(400, f"{field}: must be text", field=field)
    content = asked.body.get("body")
    rules = _load(workspace, asked.optional_text("text"))
    provider = asked.optional_text("provider")
    if provider is not None and provider not in rules.providers:
        raise ApiError(400, f"provider: there is no provider {provider}", field="provider")
    try:
        question = ask(
            endpoint=endpoint,
            model=asked.optional_text("model"),
            agent=asked.optional_text("agent"),
            provider=provider,
            headers=tuple(headers.items()),
            body=content.encode() if isinstance(content, str) else content and encode(content),
        )
        explanation = explain(
            question, rules, workspace.home, flush=workspace.flush, taken=workspace.own_ports
        )
    except DetourError as error:
        raise ApiError(400, str(error)) from None
    document = explanation_document(explanation)
    rule = explanation.decision.rule
    return document | {"index": rules.rules.index(rule) if rule is not None else None}


@functools.cache
def _schema() -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(rules_schema()))


def schema(_: Workspace, __: Asked) -> msgspec.Raw:
    """Return the JSON Schema of the file."""
    return _schema()


def _load(workspace: Workspace, text: str | None) -> Rules:
    """Read the rules file, or a text with words in place of its keys.

    Raises:
        ApiError: It has mistakes.
    """
    path = workspace.rules_path
    texts: list[str] = []
    try:
        current = read_rules(path) if path.exists() or text is None else NEW_FILE
        texts.append(current if text is None else hide_keys(current).reveal_text(text))
        return workspace.load(texts[-1])
    except RulesError as error:
        raise refusal(error, texts, whole=True) from None
    except DetourError as error:
        raise ApiError(400, str(error), field="text") from None


def _edit_rule(
    workspace: Workspace,
    asked: Asked,
    index: int,
    given: Entry,
    rewrite: Any,  # noqa: ANN401 - makes a `Rewrite` of an entry
) -> dict[str, Any]:
    edit_file(
        workspace,
        asked,
        lambda text, hidden: rewrite(hidden.reveal(given))(text),
        base=("rules", index),
    )
    return read(workspace, asked) | {"index": index}


def _plainly(rewrite: Rewrite) -> Edit:
    return lambda text, _: rewrite(text)


def _rule(asked: Asked) -> Entry:
    entry = {key: value for key, value in asked.map("rule").items() if key not in _OURS}
    return without_new_keys(entry, _VARIABLE)


def _unnamed(entry: Entry, index: int, text: str) -> Entry:
    """Leave the name out that `GET rules` has given to a rule without one."""
    rules = rules_in(text)
    unnamed = index < len(rules) and isinstance(rules[index], dict) and "name" not in rules[index]
    if unnamed and entry.get("name") == f"rule {index + 1}":
        return {key: value for key, value in entry.items() if key != "name"}
    return entry


def _index(asked: Asked) -> int:
    text = asked.names["index"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise missing(f"rule {text[:40]!r}")
    return int(text)


ROUTES: Routes = {
    "GET rules": read,
    "POST rules": add,
    "PUT rules/{index}": replace,
    "PATCH rules/{index}": change,
    "DELETE rules/{index}": remove,
    "POST rules/move": move,
    "PUT rules/default": change_default,
    "PUT rules/text": write_text,
    "POST rules/try": try_call,
    "GET schema": schema,
}
