"""What the server asks of each wire format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from addon.embedded.connection import ReceivedRequest
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import Answer, Script

type Json = dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Performance:
    """An answer that is to be played by its script."""

    answer: Answer
    script: Script
    streamed: bool


class Endpoint(Protocol):
    """The paths of one wire format.

    `turn` numbers the requests to the whole server; what is made up out of it is unique.
    """

    def serves(self, request: ReceivedRequest) -> bool:
        """Tell whether a request is for this format."""
        ...

    def reply(self, request: ReceivedRequest, turn: int) -> Performance | Json:
        """Check a request and decide on its answer: one to play, or a plain body.

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
