"""Responses that are made while nobody waits for them.

A job runs the call to its end and keeps the events, for whoever polls or streams meanwhile. The
stored document says that it runs, and until when that can be believed: a job renews this lease for
as long as it lives, so that after a crash the response counts as failed, and another process that
shares the vault can tell that it runs here. A document that another process has deleted or
cancelled ends the job.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from addon.engine import Call, ClientPool, Head, answer
from addon.formats.openai_responses import FORMAT
from addon.formats.openai_responses.response_object import ResponseObject
from addon.interceptor.leaning import Remembered
from addon.neutral import ErrorInfo, ResponseStart, StreamError
from addon.stateful import Archive, History
from addon.stateful.documents import StoredResponse
from addon.stateful.final import final_response
from addon.stateful.replaying import pack, split_events
from addon.stateful.responses import INTERRUPTED, ended, is_running
from addon.wire.codec import decode_object, encode
from addon.wire.reading import mapping

logger = logging.getLogger(__name__)

LEASE = 20.0
"""Seconds for which a job vouches that it is alive."""
MOST_BYTES = 64 << 20
"""Of the stream of one response, which is held until it is whole."""
_ITEM_DONE = b"event: response.output_item.done\n"


class Job:
    """One response in the making."""

    def __init__(self, call: Call, remembered: Remembered) -> None:
        self.call = call
        self.remembered = remembered
        response = ResponseObject(call.reply)
        response.start("", "")
        self.id = response.id
        self._begun = response.render("in_progress", [])
        self.events: list[bytes] = []
        """Its stream; the place of an event is its sequence number."""
        self.size = 0
        """Of the stream, in bytes."""
        self.changed = asyncio.Event()
        """Is set at the next event, or at the end; a new one is there afterwards."""
        self.ended = False
        self.final: bytes | None = None
        """The finished response, once it is stored."""
        self.task: asyncio.Task[None] | None = None

    def snapshot(self) -> dict[str, Any]:
        """Return the response as it stands."""
        if self.final is not None:
            return decode_object(self.final) or {}
        output = [
            mapping(decode_object(event.partition(b"\ndata: ")[2])).get("item")
            for event in self.events
            if event.startswith(_ITEM_DONE)
        ]
        status = "in_progress" if self.events else "queued"
        return {**self._begun, "status": status, "output": output}

    def add(self, events: list[bytes]) -> None:
        """Add events to the stream."""
        self.events += events
        self.size += sum(map(len, events))
        self._tell()

    def end(self) -> None:
        """Let everybody know that nothing more will come."""
        self.ended = True
        self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Jobs:
    """All responses in the making."""

    def __init__(self, history: History, archive: Archive) -> None:
        self._history = history
        self._archive = archive
        self._jobs: dict[str, Job] = {}
        self._watch: asyncio.Task[None] | None = None

    def start(
        self,
        call: Call,
        remembered: Remembered,
        clients: ClientPool,
        when_ended: Callable[[], None],
    ) -> Job:
        """Begin to make a response; `when_ended` is called when nothing goes on any more."""
        job = Job(call, remembered)
        self._jobs[job.id] = job
        self._vouch(job, self._document(job))
        job.task = asyncio.create_task(self._run(job, clients), name="Detour background response")
        job.task.add_done_callback(lambda _: when_ended())
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._renew(), name="Detour background leases")
        return job

    def find(self, response_id: str) -> Job | None:
        """Return a job that runs."""
        return self._jobs.get(response_id)

    def cancel(self, response_id: str) -> dict[str, Any] | None:
        """Stop a job, and its call to the provider; return the response as it was by then."""
        job = self._jobs.get(response_id)
        if job is None:
            return None
        document = ended(self._document(job), "cancelled")
        self._archive.save_response(job.id, document)
        self.forget(response_id)
        return decode_object(bytes(document.response))

    def forget(self, response_id: str) -> None:
        """Stop a job, if there is one, and keep nothing of it."""
        job = self._jobs.pop(response_id, None)
        if job is not None:
            if job.task is not None:
                job.task.cancel()
            job.end()

    def stop(self) -> None:
        """Stop everything, for Detour ends: the responses have failed."""
        if self._watch is not None:
            self._watch.cancel()
        for job in list(self._jobs.values()):
            document = ended(self._document(job), "failed", INTERRUPTED)
            self._archive.save_response(job.id, document)
            self.forget(job.id)

    async def _run(self, job: Job, clients: ClientPool) -> None:
        error = ErrorInfo("server_error", "Detour failed to make this response.")
        try:
            error = await self._make(job, clients) or error
        except Exception:
            logger.exception("a background response could not be made")
        if job.final is None:
            self._fail(job, error)
        if job.remembered.streamed:
            self._archive.save_events(job.id, await asyncio.to_thread(pack, job.events))
        self._jobs.pop(job.id, None)
        job.end()
        logger.info("%r: background response %s has ended", job.call, job.id)

    async def _make(self, job: Job, clients: ClientPool) -> ErrorInfo | None:
        """Run the call; return the error where there was one instead of a stream."""
        head = Head(0, ())
        refusal = b""
        async with aclosing(answer(job.call, clients)) as items:
            async for item in items:
                if isinstance(item, Head):
                    head = item
                elif head.status == 200:
                    self._take(job, item)
                    if job.size > MOST_BYTES:
                        return ErrorInfo("too_large", "The response is too long to be kept.")
                else:
                    refusal += item
        if head.status == 200:
            return None
        return FORMAT.parse_error(head.status, head.headers, refusal)

    def _take(self, job: Job, stream: bytes) -> None:
        """Take whole events; a finished response is stored before anybody hears of it."""
        final = final_response(stream)
        if final is not None:
            turn = job.remembered.turn
            self._history.finish(turn, final, streamed=job.remembered.streamed)
            job.final = final
        job.add(split_events(stream))

    def _fail(self, job: Job, error: ErrorInfo) -> None:
        encoder = FORMAT.encoder(job.call.reply)
        begin = b"" if job.events else encoder.encode(ResponseStart("", ""))
        self._take(job, begin + encoder.encode(StreamError(error)))

    async def _renew(self) -> None:
        while self._jobs:
            await asyncio.sleep(LEASE / 4)
            for job in [job for job in self._jobs.values() if job.final is None]:
                document = self._archive.response(job.id)
                if document is None or not is_running(document):
                    self.forget(job.id)
                else:
                    self._vouch(job, document)

    def _vouch(self, job: Job, document: StoredResponse) -> None:
        document.lease = self._archive.now() + LEASE
        self._archive.save_response(job.id, document)

    def _document(self, job: Job) -> StoredResponse:
        document = self._history.document(job.remembered.turn, encode(job.snapshot()))
        document.streamed = job.remembered.streamed
        return document
