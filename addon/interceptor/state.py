"""What Detour itself keeps of Responses and Conversations, and the calls that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from addon.engine import Call, ClientPool
from addon.interceptor.background import Jobs
from addon.interceptor.following import Items, follow, tell
from addon.interceptor.leaning import Remembered
from addon.interceptor.planning import Answered
from addon.stateful import Archive, History, conversations, responses
from addon.stateful.addresses import Operation
from addon.stateful.documents import StoredResponse
from addon.stateful.errors import StateError
from addon.stateful.replaying import events_of, unpack
from addon.translation import Memory
from addon.vault import Vault
from addon.wire.codec import decode_object, encode


class State:
    """Answers what can be answered without a model."""

    def __init__(self, vault: Vault, keep_alive: float) -> None:
        self.vault = vault
        self.memory = Memory(vault)
        self.archive = Archive(vault)
        self.history = History(self.archive)
        self.jobs = Jobs(self.history, self.archive)
        self._keep_alive = keep_alive

    def start(
        self,
        call: Call,
        remembered: Remembered,
        clients: ClientPool,
        when_ended: Callable[[], None],
    ) -> Answered:
        """Make a response in the background, and tell how it stands."""
        job = self.jobs.start(call, remembered, clients, when_ended)
        comment = f"{call.destination.provider.id}:{call.destination.model} in the background"
        if remembered.streamed:
            return Answered(stream=follow(job, 0, self._keep_alive), comment=comment)
        return Answered(body=encode(job.snapshot()), comment=comment)

    def keeper_of(self, operation: Operation) -> str:
        """Return the id of the provider that keeps the response itself; empty: nobody else does."""
        if not operation.about_response:
            return ""
        document = self.archive.response(operation.id)
        return document.keeper if document is not None else ""

    def perform(
        self, operation: Operation, query: Mapping[str, str], body: bytes
    ) -> Answered | None:
        """Do what is asked; None where nothing is known of what it is about.

        Raises:
            StateError: It cannot be done.
            ClientRequestError: The request cannot be read.
        """
        comment = f"{operation.action}, kept by Detour"
        if not operation.about_response:
            found = conversations.perform(self.archive, operation, query, body)
            return None if found is None else Answered(body=encode(found), comment=comment)
        document = responses.find(self.archive, operation.id)
        if document is None:
            return None
        if operation.action == "retrieve response" and query.get("stream") == "true":
            return Answered(stream=self._stream(operation.id, document, query), comment=comment)
        return Answered(body=encode(self._document(operation, document, query)), comment=comment)

    def _document(
        self, operation: Operation, document: StoredResponse, query: Mapping[str, str]
    ) -> dict[str, Any]:
        match operation.action:
            case "delete response":
                self.jobs.forget(operation.id)
                self.archive.delete_response(operation.id)
                return responses.deletion(operation.id)
            case "cancel response":
                responses.refuse_cancelling(document)
                return self._cancel(operation.id, document)
            case "list input items":
                return responses.list_input(self.history, operation.id, query)
            case _:
                job = self.jobs.find(operation.id)
                return _object(document) if job is None else job.snapshot()

    def _stream(
        self, response_id: str, document: StoredResponse, query: Mapping[str, str]
    ) -> Items:
        start = _start(query)
        job = self.jobs.find(response_id)
        if job is not None:
            return follow(job, start, self._keep_alive)
        if responses.is_running(document):
            raise StateError(
                f"Response '{response_id}' is being made by another process; it can be streamed "
                "there, or polled here.",
                status=409,
            )
        events = unpack(self.archive.events(response_id))
        if events is None:
            events = events_of(_object(document))
        return tell(b"".join(events[start:]))

    def _cancel(self, response_id: str, document: StoredResponse) -> dict[str, Any]:
        if not responses.is_running(document):
            return _object(document)
        snapshot = self.jobs.cancel(response_id)
        if snapshot is not None:
            return snapshot
        # Whoever makes it elsewhere will see that it is not wanted any more.
        document = responses.ended(document, "cancelled")
        self.archive.save_response(response_id, document)
        return _object(document)


def _object(document: StoredResponse) -> dict[str, Any]:
    return decode_object(bytes(document.response)) or {}


def _start(query: Mapping[str, str]) -> int:
    """Return the sequence number of the first event that is wanted."""
    given = query.get("starting_after")
    if not given:
        return 0
    if not given.isascii() or not given.isdigit():
        raise StateError(
            f"Invalid 'starting_after': expected a number, but got '{given}' instead.",
            param="starting_after",
        )
    return int(given) + 1
