"""Editing rules.yaml for the API: one edit at a time, for the text that the page has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from addon.dashboard.failures import ApiError
from addon.dashboard.requests import Asked
from addon.dashboard.rules_state import read_state, troubles
from addon.dashboard.workspace import Workspace
from addon.rules import RulesError
from addon.rules.hiding import Hidden, UnknownWord, hide_in_words, hide_keys, is_open
from addon.rules.model_edits import NoSuchModel
from addon.rules.places import Path as Place
from addon.rules.rewriting import EditConflict, EditError, rewrite_rules
from addon.rules.rule_edits import NoSuchRule

type Edit = Callable[[str, Hidden], str]
"""Makes a new text of the old one, with what puts the keys back that the page has not seen."""


class _Checker:
    """Checks texts as the proxy would, and remembers the last one."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.texts: list[str] = []

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self._workspace.load(text)


def edit_file(
    workspace: Workspace, asked: Asked, edit: Edit, *, base: Place = (), whole: bool = False
) -> None:
    """Make an edit, and tell listeners.

    Args:
        workspace: Whose rules file.
        asked: Names the revision that was seen.
        edit: The edit.
        base: What the form edits, as a path within the file.
        whole: Whether the new text owes nothing to the old one.

    Raises:
        ApiError: The file has changed, or the edit cannot be made.
    """
    seen = asked.text("revision")
    path = workspace.rules_path
    check = _Checker(workspace)
    try:
        revision = rewrite_rules(
            path, lambda text: edit(text, hide_keys(text)), check, seen=seen, whole=whole
        )
    except EditConflict as error:
        now = read_state(workspace).revision
        raise ApiError(409, str(error), conflict=True, revision=now) from None
    except (NoSuchRule, NoSuchModel) as error:
        raise ApiError(404, str(error)) from None
    except RulesError as error:
        raise refusal(error, check.texts, base, whole=whole) from None
    except (EditError, UnknownWord) as error:
        field = str(error).partition(": ")[0]
        field = field if field in (*asked.body, "use") else None
        raise ApiError(400, hide_in_words(str(error)), field=field) from None
    workspace.tell("rules", {"revision": revision, "rules_ok": True})


def refusal(
    error: RulesError, texts: list[str], base: Place = (), *, whole: bool = False
) -> ApiError:
    """Say why an edit was refused.

    Args:
        error: What is wrong.
        texts: What was checked: the text before, unless it does not matter, and the one after.
        base: What the form edits.
        whole: Whether the text before does not matter.
    """
    if whole:
        problems = troubles(error.problems, texts[-1] if texts else "")
        return ApiError(400, problems[0].message, problems=tuple(problems))
    if len(texts) < 2:
        message = "rules.yaml has mistakes, which are to be mended first, in its text"
        return ApiError(400, message, problems=tuple(troubles(error.problems, "")))
    problems = troubles(error.problems, texts[-1], base)
    return ApiError(400, problems[0].message, problems=tuple(problems))


def without_new_keys(entry: dict[str, Any], remedy: str) -> dict[str, Any]:
    """Refuse an entry that would put a key into the file as it is.

    Args:
        entry: A rule or a provider's settings, as the page has sent it.
        remedy: Where keys go.

    Raises:
        ApiError: It holds one.
    """
    headers = entry.get("headers")
    named = cast("dict[str, Any]", headers) if isinstance(headers, dict) else {}
    fields = {"api_key": entry.get("api_key")} | {f"headers.{k}": v for k, v in named.items()}
    for field, value in fields.items():
        if not isinstance(value, str) or is_open(value):
            continue
        if field == "api_key" or hide_in_words(value) != value:
            message = f"{field}: a key itself does not go into rules.yaml; {remedy}"
            raise ApiError(400, message, field=field)
    return entry
