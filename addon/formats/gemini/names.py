"""The wire's names: of the format itself, of fields, and of paths.

Google's JSON is a rendering of protocol buffers (https://protobuf.dev/programming-guides/json/):
every field may be written `camelCase` or `snake_case`, and clients send both.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

import msgspec

from addon.formats.base import FormatName, RequestLine
from addon.wire.unread import Unread

NAME: FormatName = "gemini"

_CAPITAL = re.compile(r"[A-Z]")
_PATH = re.compile(
    r"(?P<before>.*/)(?:models|tunedModels)/(?P<model>[^/]+):"
    r"(?P<method>generateContent|streamGenerateContent|countTokens)"
)


class Target(msgspec.Struct, frozen=True):
    """What a request's path and query say."""

    model: str = ""
    stream: bool = False
    server_sent_events: bool = False
    """Whether a stream is to be server-sent events; else it is one JSON array."""


def field(wire: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return a field by its `camelCase` name, whichever way it is written; None when absent."""
    value = wire.get(name)
    return wire.get(snake_case(name)) if value is None else value


@functools.cache
def snake_case(name: str) -> str:
    """Write a `camelCase` name as `snake_case`."""
    return _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)


def camel_case(name: str) -> str:
    """Write a `snake_case` name as `camelCase`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def endpoint_for_path(path: str) -> Literal["generate", "count"] | None:
    """Tell whether a path (without query) asks a model for content, or for a count of tokens.

    The API's own `/v1beta/models/X:generateContent` and `/v1/...` do, and Vertex's
    `/v1/projects/P/locations/L/publishers/google/models/X:generateContent`.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    return "count" if match["method"] == "countTokens" else "generate"


def read_target(line: RequestLine) -> Target:
    """Read the model's name and the kind of answer from a request line."""
    match = _PATH.fullmatch(line.path)
    if match is None:
        return Target()
    return Target(
        unquote(match["model"]),
        match["method"] == "streamGenerateContent",
        ("alt", "sse") in parse_qsl(line.query),
    )


def look(unread: Unread, wire: dict[str, Any], known: frozenset[str], place: str) -> None:
    """Report the members of an object that are not understood, under their names in camelCase."""
    if not known.issuperset(wire):
        unread.look({camel_case(key): value for key, value in wire.items()}, known, place)
