"""What the server asks of each wire format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from addon.embedded.connection import ReceivedRequest
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import Answer, Content, Script

type Json = dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Performance:
    """An answer that is to be played by its script."""

    answer: Answer
    script: Script
    streamed: bool


class Conversation(Protocol):
    """A WebSocket's other end, which speaks in JSON messages."""

    def opening(self) -> Json:
        """Return what is said first."""
        ...

    def answer(self, message: bytes) -> Iterator[Json]:
        """Yield what is said to a message."""
        ...


type Reply = Performance | Conversation | Content | Json


class Endpoint(Protocol):
    """The paths of one wire format.

    `turn` numbers the requests to the whole server; what is made up out of it is unique.
    """

    def serves(self, request: ReceivedRequest) -> bool:
        """Tell whether a request is for this format."""
        ...

    def reply(self, request: ReceivedRequest, turn: int) -> Reply:
        """Check a request and decide on its answer: one to play, a plain body, or a socket.

        Raises:
            Refusal: It is ill-formed.
        """
        ...

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the headers that every answer carries."""
        ...

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        ...
