"""What the suite asks of an agent of each format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from addon.conformance.conversation import Misshapen, Question, Reply
from addon.conformance.events import Event

type Feature = Literal[
    "stop", "json_mode", "custom_tool", "image_result", "keep_alive", "count", "parallel"
]

AGENT_KEY = "sk-of-the-agent"


@dataclass(frozen=True)
class Call:
    """A request as it goes over the wire."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]


class Agent(Protocol):
    """An agent of one format."""

    @property
    def name(self) -> str:
        """Return the format's name."""
        ...

    @property
    def features(self) -> frozenset[Feature]:
        """Return what the format knows that others do not."""
        ...

    def ask(self, question: Question, *, stream: bool) -> Call:
        """Write a request."""
        ...

    def count(self, question: Question) -> Call:
        """Write a request that counts tokens."""
        ...

    def read_count(self, body: Any) -> int:  # noqa: ANN401 - a decoded answer
        """Read the answer to it."""
        ...

    def read(self, body: Any) -> Reply:  # noqa: ANN401 - a decoded answer
        """Read a plain answer.

        Raises:
            Misshapen: It breaks the format's rules.
        """
        ...

    def read_stream(self, events: list[Event]) -> Reply:
        """Read a whole stream.

        Raises:
            Misshapen: It breaks the format's rules.
        """
        ...

    def read_error(self, body: Any) -> str:  # noqa: ANN401 - a decoded answer
        """Return the message of an error answer.

        Raises:
            Misshapen: It does not look as errors look in this format.
        """
        ...


def demand(condition: object, rule: str) -> None:
    """Hold up a rule of a format.

    Raises:
        Misshapen: It is broken.
    """
    if not condition:
        raise Misshapen(rule)


def field(value: object, *path: str | int) -> Any:  # noqa: ANN401 - a part of a decoded answer
    """Return what stands at a place in an answer.

    Raises:
        Misshapen: There is no such place.
    """
    current: Any = value
    for key in path:
        try:
            current = current[key]
        except (KeyError, IndexError, TypeError):
            raise Misshapen(f"`{'.'.join(map(str, path))}` is missing") from None
    return current
