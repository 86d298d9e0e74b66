"""Server-sent events, read strictly (https://html.spec.whatwg.org/multipage/server-sent-events)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from addon.conformance.conversation import Misshapen

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """One event."""

    name: str
    """Blank where the stream gives none."""
    data: Any
    """Decoded JSON, or the text where it is none."""


def read_events(body: bytes) -> list[Event]:
    """Return the events of a whole stream; comments are left out.

    Raises:
        Misshapen: The stream is not UTF-8, ends within an event, or holds a field nobody knows.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Misshapen(f"the stream is not UTF-8: {error}") from None
    events: list[Event] = []
    name, data = "", list[str]()
    for line in _LINE_END.split(text):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append(Event(name, _decoded("\n".join(data))))
            name, data = "", []
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field:
            raise Misshapen(f"a line that is no event: {line[:80]!r}")
    if data:
        raise Misshapen("the stream ends within an event")
    return events


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except ValueError:
        return text
