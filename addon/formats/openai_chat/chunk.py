"""The part of a `chat.completion.chunk` that is read, as types, and a tolerant reader for odd ones.

Nearly every chunk fits the types and is decoded straight into them, which skips everything else at
the speed of C. A chunk that does not fit (arguments as an object, content as a list, null where a
list is due, ...) is decoded as plain JSON and bent into the same types, so that all code behind
this module knows one shape only. A whole answer is read as one chunk whose delta is its message.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from addon.wire.codec import encode_text
from addon.wire.reading import integer, mapping, sequence, text


class FunctionPiece(msgspec.Struct, gc=False):
    """More of a function call."""

    name: str | None = None
    arguments: str | None = None


class CustomPiece(msgspec.Struct, gc=False):
    """More of a custom tool call."""

    name: str | None = None
    input: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """More of one tool call; which one, and of what kind, is for the tracker to find out."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionPiece | None = None
    custom: CustomPiece | None = None
    extra_content: Any = None

    @property
    def is_custom(self) -> bool:
        """Whether it belongs to a custom tool; Snowflake sends an empty `custom` with any call."""
        return self.type == "custom" or (
            self.type != "function" and self.function is None and self.custom is not None
        )

    def name_and_arguments(self) -> tuple[str, str]:
        """Return what the piece says, empty where it says nothing."""
        function = self.function
        if function is not None and self.type != "custom":
            return function.name or "", function.arguments or ""
        if self.custom is not None:
            return self.custom.name or "", self.custom.input or ""
        return "", ""


class Delta(msgspec.Struct, gc=False):
    """More of a message, or a whole one."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[CallPiece] | None = None
    function_call: FunctionPiece | None = None
    reasoning_details: Any = None
    annotations: Any = None
    audio: Any = None
    images: Any = None
    executed_tools: Any = None


class Choice(msgspec.Struct, gc=False):
    """One of the answers, as far as this chunk tells."""

    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    stop_reason: Any = None
    """vLLM: the stop sequence that was hit."""
    usage: Any = None
    """Moonshot: usage may sit here."""


class Chunk(msgspec.Struct, gc=False):
    """One event of a stream, or a whole answer."""

    choices: list[Choice]
    id: str | None = None
    model: str | None = None
    created: Any = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None
    citations: Any = None
    search_results: Any = None
    service_tier: Any = None


decode_chunk = msgspec.json.Decoder(Chunk).decode
"""Decode a well-formed chunk; raises `msgspec.DecodeError` for any other."""


def read_chunk(wire: dict[str, Any]) -> Chunk:
    """Bend a decoded chunk of any shape into the types; what makes no sense is left out."""
    return Chunk(
        choices=[_read_choice(mapping(choice)) for choice in sequence(wire.get("choices"))],
        id=text(wire.get("id")),
        model=text(wire.get("model")),
        created=wire.get("created"),
        usage=wire.get("usage"),
        error=wire.get("error"),
        x_groq=wire.get("x_groq"),
        citations=wire.get("citations"),
        search_results=wire.get("search_results"),
        service_tier=wire.get("service_tier"),
    )


def split_content(content: object) -> tuple[str, str]:
    """Read content of any shape and return its words and, apart from them, its thoughts.

    Mistral's reasoning models send a list of `thinking` and `text` blocks; Cloudflare sends the
    object that a JSON mode asked for.
    """
    if content is None or isinstance(content, str):
        return content or "", ""
    if not isinstance(content, list):
        return encode_text(content), ""
    words: list[str] = []
    thoughts: list[str] = []
    for item in cast("list[Any]", content):
        block = mapping(item)
        if block.get("type") == "thinking":
            thinking = block.get("thinking")
            thoughts.append(thinking if isinstance(thinking, str) else split_content(thinking)[0])
        else:
            words.append(item if isinstance(item, str) else text(block.get("text")))
    return "".join(words), "".join(thoughts)


def _read_choice(wire: dict[str, Any]) -> Choice:
    return Choice(
        index=integer(wire.get("index")) or 0,
        delta=_read_delta(mapping(wire["delta"])) if wire.get("delta") else None,
        message=_read_delta(mapping(wire["message"])) if wire.get("message") else None,
        finish_reason=text(wire.get("finish_reason")),
        stop_reason=wire.get("stop_reason"),
        usage=wire.get("usage"),
    )


def _read_delta(wire: dict[str, Any]) -> Delta:
    words, thoughts = split_content(wire.get("content"))
    single_call = mapping(wire.get("tool_calls"))
    calls = [single_call] if single_call else sequence(wire.get("tool_calls"))
    return Delta(
        content=words,
        reasoning_content=text(wire.get("reasoning_content")) or thoughts,
        reasoning=text(wire.get("reasoning")),
        refusal=text(wire.get("refusal")),
        tool_calls=[read_call(mapping(call)) for call in calls],
        function_call=_read_function(wire.get("function_call")),
        reasoning_details=wire.get("reasoning_details"),
        annotations=wire.get("annotations"),
        audio=wire.get("audio"),
        images=wire.get("images"),
        executed_tools=wire.get("executed_tools"),
    )


def read_call(wire: dict[str, Any]) -> CallPiece:
    """Bend one entry of `tool_calls` into the type."""
    identifier = wire.get("id")
    custom = mapping(wire.get("custom"))
    return CallPiece(
        index=integer(wire.get("index")),
        id=str(identifier) if isinstance(identifier, int) else text(identifier),
        type=text(wire.get("type")),
        function=_read_function(wire.get("function")),
        custom=CustomPiece(text(custom.get("name")), _as_text(custom.get("input")))
        if custom
        else None,
        extra_content=wire.get("extra_content"),
    )


def thought_signature(extra_content: object) -> str:
    """Return the signature that Google sends with a call; empty when there is none."""
    if extra_content is None:
        return ""
    return text(mapping(mapping(extra_content).get("google")).get("thought_signature"))


def _read_function(wire: object) -> FunctionPiece | None:
    function = mapping(wire)
    if not function:
        return None
    return FunctionPiece(text(function.get("name")), _as_text(function.get("arguments")))


def _as_text(arguments: object) -> str:
    """Return arguments as JSON text; Mistral and Ollama may send them as an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return encode_text(arguments)
