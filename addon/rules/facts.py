"""What conditions look at: one call of an agent.

Whatever needs the body parsed is found on first demand and kept, so that a call which no such
condition sees costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from addon.formats.base import Headers
from addon.neutral import (
    FilePart,
    ImagePart,
    Message,
    NativePart,
    Part,
    PlainText,
    ReasoningPart,
    RefusalPart,
    Request,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from addon.rules.agents import agent_name
from addon.rules.phases import is_known, recognise
from addon.rules.signatures import Phase
from addon.wire.codec import encode

type Feature = Literal["tools", "images", "files", "reasoning", "json_schema", "stream"]
FEATURES: tuple[Feature, ...] = get_args(Feature.__value__)

BYTES_PER_TOKEN = 3.5
"""Fits English, code and JSON; counting UTF-8 bytes makes it fit other scripts as well."""
TOKENS_PER_MEDIUM = 1000
"""A picture of middle size; also stands for a document, whose pages nobody counts here."""


def _no_request() -> Request | None:
    return None


def _no_filter(expression: str) -> bool:
    del expression
    return False


@dataclass(kw_only=True, eq=False)
class CallFacts:
    """One call of an agent."""

    model: str
    """The model that the agent asks for."""
    endpoint: str
    """`chat`, `responses`, `messages`, ..."""
    path: str = ""
    """Path below the base URL, such as `audio/speech`, where nothing is translated; else empty."""
    agent: str | None = None
    """Who calls: the user name in the proxy URL, else what `agent_name` makes of User-Agent."""
    stated_phase: Phase | None = None
    """What the proxy URL says the agent is doing."""
    provider: str | None = None
    """Id of the provider that the agent called."""
    headers: Headers = ()
    request: Callable[[], Request | None] = _no_request
    """Parses the body when asked; None where it cannot be read."""
    matches_filter: Callable[[str], bool] = _no_filter
    """Evaluates a mitmproxy filter expression on the call."""

    @cached_property
    def parsed(self) -> Request | None:
        """The request, parsed once."""
        return self.request()

    @property
    def is_parsed(self) -> bool:
        """Whether something has asked for the parsed request already."""
        return "parsed" in vars(self)

    @cached_property
    def header_values(self) -> dict[str, list[str]]:
        """The values of each header, by its name in lower case."""
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name.lower(), []).append(value)
        return values

    @cached_property
    def phase(self) -> Phase:
        """What the agent is doing with the call."""
        if self.stated_phase is not None:
            return self.stated_phase
        header = next(iter(self.header_values.get("user-agent", ())), None)
        program = agent_name(header)
        if self.agent is not None and not is_known(program):
            program = self.agent
        return recognise(program, self.header_values, self.parsed)

    @cached_property
    def features(self) -> frozenset[Feature]:
        """What the request asks for or holds; nothing where it cannot be read."""
        request = self.parsed
        return frozenset(_features(request)) if request else frozenset()

    @cached_property
    def input_tokens(self) -> int | None:
        """About how many tokens the request has; None where it cannot be read."""
        request = self.parsed
        return None if request is None else estimate_tokens(request)


def _features(request: Request) -> Iterator[Feature]:
    if request.tools:
        yield "tools"
    if request.stream:
        yield "stream"
    if request.response_format and request.response_format.kind == "json_schema":
        yield "json_schema"
    reasoning = request.reasoning
    if reasoning and reasoning.enabled is not False and reasoning.effort != "none":
        yield "reasoning"
    for part in all_parts(request.messages):
        if isinstance(part, ImagePart):
            yield "images"
        elif isinstance(part, FilePart):
            yield "files"


def all_parts(messages: tuple[Message, ...]) -> Iterator[Part]:
    """Go through all parts, those inside tool results included."""
    for message in messages:
        for part in message.parts:
            yield part
            if isinstance(part, ToolResultPart):
                yield from part.content


def estimate_tokens(request: Request) -> int:
    """Estimate how many input tokens a request has, to about a fifth for text.

    Counts instructions, messages, tool calls and results, and the tools' schemas.
    """
    size = 0
    media = 0
    for message in request.system:
        size += sum(_size(part.text) for part in message.parts)
    for part in all_parts(request.messages):
        match part:
            case TextPart() | RefusalPart() | ReasoningPart():
                size += _size(part.text)
            case ToolCallPart():
                size += _size(part.name) + _size(part.arguments)
            case FilePart(source=PlainText(text)):
                size += _size(text)
            case NativePart():
                size += len(encode(part.data))
            case ToolResultPart():
                pass
            case _:
                media += 1
    for tool in request.tools:
        size += len(encode(tool.input_schema if isinstance(tool, Tool) else tool))
        if isinstance(tool, Tool):
            size += _size(tool.name) + _size(tool.description or "")
    return round(size / BYTES_PER_TOKEN) + TOKENS_PER_MEDIUM * media


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
