"""Servers of local models that answer what is written in `tests/local/recordings`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from tests.support.servers import Exchange, ScriptedServer

RECORDINGS = Path(__file__).parents[1] / "local" / "recordings"


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its answer."""

    method: str = "GET"
    path: str
    asked: dict[str, Any] | None = None
    """The body of the request."""
    status: int = 200
    body: Any = None
    """The body of the answer: JSON."""
    events: list[Any] | None = None
    """In its place: the data of each server-sent event, as JSON or, if it is none, as text."""
    raw: str | None = None
    """In its place: text, to the byte."""

    def matches(self, method: str, path: str, asked: dict[str, Any] | None) -> bool:
        """Tell whether this answers a question, seen by what Detour does not change."""
        if (method, path) != (self.method, self.path):
            return False
        return self.asked is None or asked is None or _gist(asked) == _gist(self.asked)

    @property
    def content(self) -> bytes:
        if self.raw is not None:
            return self.raw.encode()
        if self.events is None:
            return _compact(self.body)
        return b"".join(b"data: %s\n\n" % _data(event) for event in self.events)

    @property
    def content_type(self) -> str:
        streamed = self.events is not None or (self.raw or "").startswith(("data:", "event:"))
        return "text/event-stream" if streamed else "application/json; charset=utf-8"


def _data(event: Any) -> bytes:
    return event.encode() if isinstance(event, str) else _compact(event)


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _gist(asked: dict[str, Any]) -> list[Any]:
    last = (asked.get("messages") or [{}])[-1].get("content")
    if isinstance(last, list):
        last = last[-1].get("text")
    usage = bool((asked.get("stream_options") or {}).get("include_usage"))
    return [bool(asked.get("stream")), usage, bool(asked.get("tools")), last, asked.get("model")]


def recordings(name: str) -> list[Recorded]:
    """Read what a server answers."""
    content = (RECORDINGS / f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=list[Recorded])


def write_recordings(name: str, recorded: Iterable[Recorded]) -> None:
    """Write what a server answers, an event a line."""
    lines: list[bytes] = []
    for one in recorded:
        said = msgspec.to_builtins(one)
        events = said.pop("events", None)
        line = _compact(said)
        if events is not None:
            line = line[:-1] + b',"events":[\n ' + b",\n ".join(map(_compact, events)) + b"\n]}"
        lines.append(line)
    (RECORDINGS / f"{name}.json").write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n")


class ReplayedServer(ScriptedServer):
    """Answers as a server did, and what it was never asked with what it says to unknown paths."""

    def __init__(self, name: str) -> None:
        super().__init__(self._answer_recorded)
        self.recorded = recordings(name)

    async def _answer_recorded(self, exchange: Exchange) -> None:
        asked = json.loads(exchange.body) if exchange.body else None
        for one in self.recorded:
            if one.matches(exchange.method, exchange.path, asked):
                await exchange.answer(one.content, one.status, content_type=one.content_type)
                return
        (unknown,) = (one for one in self.recorded if one.path == "/unknown")
        await exchange.answer(unknown.content, unknown.status)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies of the requests to a path."""
        return [json.loads(one.body) for one in self.exchanges if one.path == path]
