"""Exchanges: those that run, and those that the ledger keeps."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, Literal

from addon.dashboard.failures import ApiError, missing
from addon.dashboard.ledger_reading import reading, since
from addon.dashboard.live import document_of
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.workspace import Workspace
from addon.ledger import Cursor, Selection

USUAL, MOST = 50, 500
"""How many exchanges are on a page."""

_STATUSES = ("ok", "error", "running")
_NUMBER = re.compile("[1-9][0-9]{2}", re.ASCII)
"""An HTTP status."""
_SEARCHED = (
    *("id", "agent", "endpoint", "provider", "actual_provider"),
    *("requested_model", "model", "rule", "error"),
)


async def read_all(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Return a page of exchanges, the newest first."""
    count = asked.number("limit", USUAL, MOST)
    status = _status(asked.query.get("status", ""))
    before = _cursor(asked.query.get("before", ""))
    running: list[dict[str, Any]] = []
    if before is None and status not in ("ok", "error"):
        running = [one for one in workspace.running() if _fits(one, status, asked)]
    if status == "running":
        return {"exchanges": running[:count], "next": None}
    selection = Selection(
        since=since(asked, "1970-01-02"),
        status=status,
        text=asked.query.get("text") or None,
        agent=asked.query.get("agent"),
        provider=asked.query.get("provider"),
        model=asked.query.get("model"),
        rule=asked.query.get("rule"),
    )
    return await workspace.in_thread(
        lambda: _page(workspace, selection, count, before, running[:count])
    )


async def read(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Return one exchange."""
    name = asked.names["id"]
    for document in workspace.running():
        if document["id"] == name:
            return document

    def find() -> dict[str, Any]:
        with reading(workspace) as reader:
            record = reader.exchange(name) if reader is not None else None
        if record is None:
            raise missing(f"exchange {name[:80]!r}")
        return document_of(record)

    return await workspace.in_thread(find)


def names(workspace: Workspace, _: Asked) -> object:
    """Return what exchanges can be selected by."""
    with reading(workspace) as reader:
        if reader is None:
            return {"agents": [], "providers": [], "models": [], "rules": []}
        return reader.names()


def _page(
    workspace: Workspace,
    selection: Selection,
    count: int,
    before: Cursor | None,
    running: list[dict[str, Any]],
) -> dict[str, Any]:
    with reading(workspace) as reader:
        records = reader.page(selection, count + 1, before) if reader is not None else []
    ended = {record.id for record in records}
    more = len(records) > count
    records = records[:count]
    last = records[-1] if records and more else None
    return {
        "exchanges": [
            *(one for one in running if one["id"] not in ended),
            *map(document_of, records),
        ],
        "next": f"{last.time} {last.id}" if last is not None else None,
    }


def _status(text: str) -> Literal["ok", "error", "running"] | int | None:
    """Read how a call has ended, or with which HTTP status."""
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return int(text)
    if text not in _STATUSES:
        known = f"{', '.join(_STATUSES)} and numbers such as 529"
        raise ApiError(400, f"status: known are {known}", field="status")
    return text


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    time, blank, name = text.partition(" ")
    if not blank or not name or len(time) > 40:
        raise ApiError(400, "before: take it from `next` of an answer", field="before")
    return Cursor(time, name)


def _fits(document: dict[str, Any], status: str | int | None, asked: Asked) -> bool:
    """Tell whether an exchange that runs is meant, as the ledger does of the others."""
    if isinstance(status, int) and document["status"] != status:
        return False
    provider, model = document["actual_provider"] or document["provider"], document["model"]
    has = {
        "agent": [document["agent"]],
        "provider": [provider],
        "model": [model, document["requested_model"], f"{provider}:{model}"],
        "rule": [document["rule"]],
    }
    for name, values in has.items():
        wanted = asked.query.get(name)
        if wanted is not None and not any(fnmatchcase(value or "", wanted) for value in values):
            return False
    text = "\n".join(str(document[name] or "") for name in _SEARCHED).lower()
    return all(word in text for word in asked.query.get("text", "").lower().split())


ROUTES: Routes = {
    "GET exchanges": read_all,
    "GET exchanges/{id}": read,
    "GET names": names,
}
