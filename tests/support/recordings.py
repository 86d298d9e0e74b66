"""Recorded API traffic, which lies beside the project and is not part of it.

A clone without that folder skips the tests that need it. Nothing here is written to it.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

TRAFFIC = Path(__file__).parents[3] / "shared" / "traffic"

needs_recordings = pytest.mark.skipif(
    not (TRAFFIC / "index.json").exists(),
    reason="recorded API traffic is not part of the project (../shared/traffic is absent)",
)


class Recording(msgspec.Struct, frozen=True):
    """One recorded exchange."""

    name: str
    protocol: str
    provider: str
    streamed: bool
    status: int
    request: bytes | None
    """The request's body."""
    answer: bytes | None
    """The answer's body: server-sent events when `streamed`, else JSON."""
    tags: frozenset[str]

    @property
    def succeeded(self) -> bool:
        """Whether the provider answered with an answer rather than an error."""
        return self.answer is not None and self.status < 400


@functools.cache
def _index() -> list[dict[str, Any]]:
    path = TRAFFIC / "index.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


@functools.cache
def _load(file: str) -> Recording | None:
    path = TRAFFIC / file
    if not path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    request = (document.get("request") or {}).get("body")
    response = document.get("response") or {}
    answer = response.get("body_text", response.get("body"))
    return Recording(
        name=file.removesuffix(".json"),
        protocol=document["protocol"],
        provider=document["provider"],
        streamed=bool(document["stream"]) and isinstance(answer, str),
        status=response.get("status") or 200,
        request=None if request is None else json.dumps(request).encode(),
        answer=_bytes(answer),
        tags=frozenset(document.get("tags") or ()) | frozenset(document.get("response_tags") or ()),
    )


def _bytes(answer: object) -> bytes | None:
    if answer is None:
        return None
    return answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()


def recordings(protocol: str, *, stream: bool | None = None) -> list[Recording]:
    """Return the exchanges of one protocol; with `stream`, only those that were (not) streamed."""
    loaded = [_load(row["file"]) for row in _index() if row["protocol"] == protocol]
    return [
        recording
        for recording in loaded
        if recording is not None and stream in (None, recording.streamed)
    ]


def agent_requests(protocol: str) -> list[Recording]:
    """Return the requests with tools and results that agents made over several turns."""
    path = TRAFFIC / "agent-requests.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    loaded = [_load(row["file"]) for row in rows if row["protocol"] == protocol]
    return [recording for recording in loaded if recording is not None and recording.request]


def captured_bodies(path: str) -> list[tuple[str, bytes]]:
    """Return name and body of the requests that real agents sent to `path`."""
    folder = TRAFFIC.parent / "agents" / "requests"
    found: list[tuple[str, bytes]] = []
    for meta in sorted(folder.glob("*.meta.json")):
        body = meta.with_name(meta.name.replace(".meta.json", ".json"))
        if json.loads(meta.read_text(encoding="utf-8"))["path"] == path and body.exists():
            found.append((body.stem, body.read_bytes()))
    return found
