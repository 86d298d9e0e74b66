"""Exchanges while they run, and files while they change: told to pages without holding anything up.

An exchange is not asked anything while it streams. Its record is made anew a few times a second,
for as long as somebody looks; nothing at all is done for nobody.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import msgspec
from mitmproxy import http

from addon.dashboard.failures import ApiError
from addon.dashboard.rules_state import read_state
from addon.dashboard.workspace import Workspace
from addon.interceptor.exchanges import Exchange
from addon.interceptor.recording import record_of
from addon.ledger import Record
from addon.providers import environment_files

logger = logging.getLogger(__name__)

REFRESH = 0.5
"""Seconds between two looks at what runs."""
FILES = 1.0
"""Seconds between two looks at the files."""

type _Stamp = tuple[int, int, int] | None


class Live:
    """What goes on now."""

    def __init__(self, workspace: Workspace) -> None:
        """Begin to look; an event loop must be running."""
        self._hub = workspace.hub
        self._workspace = workspace
        workspace.tell, workspace.running = self.tell, self.running
        self._running: dict[str, tuple[http.HTTPFlow, Exchange]] = {}
        self._rules: object = None
        """What was said last of the rules file."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._tasks = [
            asyncio.create_task(self._tell_progress(), name="Detour dashboard: exchanges"),
            asyncio.create_task(self._watch_files(), name="Detour dashboard: files"),
        ]

    def began(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Learn of an exchange that begins."""
        self._running[flow.id] = flow, exchange
        if self._hub.listens:
            # Who calls is said only after it has begun.
            self._loop.call_soon(self._tell, flow, exchange)

    def ended(self, record: Record) -> None:
        """Learn of an exchange that has ended, from any thread."""
        if threading.get_ident() == self._thread:
            self._end(record)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, record)

    def tell(self, kind: str, document: object) -> None:
        """Let pages know of something that has changed, from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._change, kind, document)

    def _change(self, kind: str, document: object) -> None:
        if kind != "rules" or document != self._rules:
            self._hub.publish(kind, document)
        if kind == "rules":
            self._rules = document

    def running(self) -> list[dict[str, Any]]:
        """Describe what runs, the newest first; for the event loop's thread."""
        found = [document_of(record_of(*pair), pair) for pair in self._running.values()]
        return sorted(found, key=lambda document: document["time"], reverse=True)

    def stop(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        self._running.clear()

    def _end(self, record: Record) -> None:
        self._running.pop(record.id, None)
        if self._hub.listens:
            self._hub.publish("exchange", document_of(record), record.id)

    def _tell(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        if flow.id in self._running:
            document = document_of(record_of(flow, exchange), (flow, exchange))
            self._hub.publish("exchange", document, flow.id)

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            if self._hub.count:
                for number, (flow, exchange) in enumerate(list(self._running.values())):
                    self._tell(flow, exchange)
                    if number % 10 == 9:
                        await asyncio.sleep(0)  # let streams go on in between

    async def _watch_files(self) -> None:
        seen = self._stamps()
        while True:
            await asyncio.sleep(FILES)
            if not self._hub.listens:
                continue
            now = self._stamps()
            before, seen = seen, now
            if now[:-1] != before[:-1]:
                try:
                    state = await self._workspace.in_thread(lambda: read_state(self._workspace))
                except ApiError:  # too much else is asked
                    state = None
                except Exception:
                    # Nobody would hear of later edits if the watch ended here.
                    logger.exception("the rules could not be read for the dashboard")
                    state = None
                if state is None or self._stamps() != now:
                    seen = before  # what was read may be old by now: another look
                    continue
                rules_ok = state.loaded is not None
                self._change("rules", {"revision": state.revision, "rules_ok": rules_ok})
            if now[-1] != before[-1]:
                self._change("keys", {})

    def _stamps(self) -> tuple[_Stamp, ...]:
        rules = self._workspace.rules_path
        files = rules, *environment_files(rules), self._workspace.keys.file
        return tuple(map(_stamp, files))


def document_of(
    record: Record, running: tuple[http.HTTPFlow, Exchange] | None = None
) -> dict[str, Any]:
    """Return a record as pages get it."""
    document: dict[str, Any] = msgspec.structs.asdict(record)
    document["state"] = "done" if running is None else "running"
    document["answer_bytes"] = None
    if running is not None:
        recorder = running[1].recorder
        document["answer_bytes"] = recorder.size if recorder is not None else 0
    return document


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
