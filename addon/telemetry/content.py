"""What was said, as the conventions write it; only for those who have asked for it.

Follows the JSON schemas of `gen_ai.input.messages`, `gen_ai.output.messages` and
`gen_ai.system_instructions`. Pictures, sound and documents are named, not sent along.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from addon.formats import FORMATS
from addon.neutral import (
    AudioPart,
    DetourError,
    FilePart,
    HostedCallPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    Response,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    fold,
)
from addon.telemetry import conventions
from addon.telemetry.observation import Content
from addon.wire.codec import encode_text

_HIDDEN = "(key)"
_SHORTEST_SECRET = 6


def read_content(content: Content) -> dict[str, str]:
    """Return the attributes that hold what was said, each as JSON."""
    found: dict[str, Any] = {}
    try:
        request = FORMATS[content.format].parse_request(content.request, content.line)
    except DetourError:
        request = None
    if request is not None:
        system = [part for message in request.system for part in _parts(message.parts)]
        if system:
            found[conventions.SYSTEM_INSTRUCTIONS] = system
        found[conventions.INPUT_MESSAGES] = [_message(message) for message in request.messages]
    response = _response(content)
    if response is not None:
        reason = conventions.finish_reason(response.finish_reason)
        output = {"role": "assistant", "parts": _parts(response.parts), "finish_reason": reason}
        found[conventions.OUTPUT_MESSAGES] = [output]
    return {name: _without(content.secrets, encode_text(value)) for name, value in found.items()}


def _response(content: Content) -> Response | None:
    body = content.answer()
    spoken = FORMATS[content.format]
    try:
        if body[:64].lstrip()[:1] == b"{":
            return spoken.parse_response(body)[0]
        decoder = spoken.decoder()
        folded = fold([*decoder.feed(body), *decoder.feed_eof()])
    except (DetourError, ValueError):
        return None
    return folded if isinstance(folded, Response) else None


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": _parts(message.parts)}


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart() | RefusalPart():
            return {"type": "text", "content": part.text}
        case ReasoningPart():
            return {"type": "reasoning", "content": part.text}
        case ToolCallPart():
            arguments = _object(part.arguments) if part.kind == "function" else part.arguments
            return {
                "type": "tool_call",
                "id": part.call_id,
                "name": part.name,
                "arguments": arguments,
            }
        case ToolResultPart():
            said = _parts(part.content)
            result = said[0]["content"] if len(said) == 1 and "content" in said[0] else said
            return {"type": "tool_call_response", "id": part.call_id, "response": result}
        case HostedCallPart():
            call = {"type": part.tool, "input": part.input}
            return {"type": "server_tool_call", "name": part.tool, "server_tool_call": call}
        case ImagePart():
            return {"type": "image"}
        case AudioPart():
            return {"type": "audio"}
        case FilePart():
            return {"type": "document"}
        case _:
            return {"type": part.kind}


def _object(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        for word in secret.split():
            if len(word) >= _SHORTEST_SECRET:
                text = text.replace(word, _HIDDEN)
    return text
