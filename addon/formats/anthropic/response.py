"""Read and write a whole answer of `POST /v1/messages`."""

from __future__ import annotations

from typing import Any

from addon.formats.anthropic.carrying import carried_signature, signed_call
from addon.formats.anthropic.citations import parse_citations, render_citations
from addon.formats.anthropic.content import NAME, render_tool_input
from addon.formats.anthropic.hosted_calls import (
    RESULTS,
    begin_call,
    hosted_blocks,
    read_input,
    read_result,
)
from addon.formats.anthropic.stop_reasons import (
    finish_reason,
    parse_usage,
    render_usage,
    stop_reason,
)
from addon.formats.anthropic.structured_output import STRUCTURED_OUTPUT_TOOL
from addon.formats.base import Reply
from addon.neutral import (
    HostedCallPart,
    Loss,
    LossList,
    OpaqueState,
    Part,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    TextPart,
    ToolCallPart,
)
from addon.wire.codec import decode_object, encode, encode_text
from addon.wire.custom_tools import wrap_input
from addon.wire.reading import mapping, sequence, text


def parse_response(body: bytes) -> tuple[Response, tuple[Loss, ...]]:
    """Read a whole answer.

    Raises:
        ProviderResponseError: It is not an Anthropic message.
    """
    wire = decode_object(body)
    if wire is None or not isinstance(wire.get("content"), list):
        raise ProviderResponseError("the provider's answer is not an Anthropic message")
    losses = LossList()
    parts: list[Part] = []
    structured = False
    hosted: dict[str, int] = {}
    for position, value in enumerate(sequence(wire["content"])):
        block = mapping(value)
        structured = structured or block.get("name") == STRUCTURED_OUTPUT_TOOL
        call_id = text(block.get("tool_use_id"))
        if text(block.get("type")) in RESULTS and call_id in hosted:
            place = hosted.pop(call_id)
            call = parts[place]
            if isinstance(call, HostedCallPart):
                parts[place] = read_result(call, call.input, block)
            continue
        part = _parse_block(block, position, losses)
        if isinstance(part, HostedCallPart):
            hosted[part.call_id] = len(parts)
        if part is not None:
            parts.append(part)
    raw_reason = text(wire.get("stop_reason")) or None
    explanation = text(mapping(wire.get("stop_details")).get("explanation"))
    if raw_reason == "refusal" and explanation:
        parts.append(RefusalPart(explanation))
    reason = finish_reason(raw_reason)
    if structured and reason == "tool_calls":
        reason = "stop"
    usage = mapping(wire.get("usage"))
    response = Response(
        id=text(wire.get("id")),
        model=text(wire.get("model")),
        parts=tuple(parts),
        finish_reason=reason,
        raw_finish_reason=raw_reason,
        stop_sequence=text(wire.get("stop_sequence")) or None,
        usage=parse_usage(usage) if usage else None,
    )
    return response, losses.to_tuple()


def render_response(response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
    """Write a whole answer."""
    losses = LossList()
    content: list[dict[str, Any]] = []
    for part in response.parts:
        content += _render_part(part, losses)
    body = {
        "id": response.id if response.id.startswith("msg_") else f"msg_{response.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.model or response.model,
        "content": content,
        "stop_reason": stop_reason(response.finish_reason, response.stop_sequence),
        "stop_sequence": response.stop_sequence,
        "usage": render_usage(response.usage),
    }
    return encode(body), losses.to_tuple()


def _parse_block(block: dict[str, Any], position: int, losses: LossList) -> Part | None:
    match block.get("type"):
        case "text":
            return TextPart(text(block.get("text")), parse_citations(block.get("citations")))
        case "thinking":
            signature = text(block.get("signature"))
            state = OpaqueState(NAME, signature) if signature else None
            return ReasoningPart(text(block.get("thinking")), state)
        case "redacted_thinking":
            return ReasoningPart("", OpaqueState(NAME, text(block.get("data")), "redacted"))
        case "tool_use":
            arguments = encode_text(mapping(block.get("input")))
            name = text(block.get("name"))
            if name == STRUCTURED_OUTPUT_TOOL:
                return TextPart(arguments)
            return ToolCallPart(text(block.get("id")) or f"toolu_{position}", name, arguments)
        case "server_tool_use" if (call := begin_call(block)) is not None:
            asked = read_input(mapping(block.get("input")))
            return HostedCallPart(call.call_id, call.tool, asked)
        case other:
            losses.dropped(f"content.{other}", "exists at Anthropic only")
            return None


def _render_part(part: Part, losses: LossList) -> list[dict[str, Any]]:
    match part:
        case TextPart(words, citations):
            block: dict[str, Any] = {"type": "text", "text": words}
            if citations:
                block["citations"] = render_citations(citations, losses)
            return [block]
        case RefusalPart(words):
            return [{"type": "text", "text": words}]
        case ReasoningPart(words, state):
            if state is not None and state.format == NAME and state.kind == "redacted":
                return [{"type": "redacted_thinking", "data": state.data}]
            return [{"type": "thinking", "thinking": words, "signature": carried_signature(state)}]
        case ToolCallPart(call_id, name, arguments, kind, state=state):
            custom = kind == "custom"
            value = wrap_input(arguments) if custom else render_tool_input(arguments, losses)
            block = {"type": "tool_use", "id": call_id, "name": name, "input": value}
            if state is None:
                return [block]
            return [{"type": "redacted_thinking", "data": signed_call(call_id, state)}, block]
        case HostedCallPart():
            return list(hosted_blocks(part))
        case _:
            losses.dropped("content", f"{type(part).__name__} has no place in an answer")
            return []
