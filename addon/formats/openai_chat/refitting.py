"""Give a provider of the agent's own format back the thoughts that the agent lost, in place.

Many agents rebuild messages from words and calls alone, while DeepSeek, Kimi and GLM want to see
what led to a call again (`reasoning_content`), OpenRouter its `reasoning_details`, Google its
signatures. What the agent does return stays as it is, like every other byte (decision D3).
"""

from __future__ import annotations

from typing import Any

from addon.formats.base import Past
from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.dialects import Dialect, dialect
from addon.formats.openai_chat.returned_thoughts import signed, thoughts_of
from addon.neutral import ReasoningPart, ToolCallPart
from addon.wire.carrier import Carried
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")


def refit_request(body: bytes, _model: str, dialect_name: str, past: Past) -> bytes:
    """Return the request with what its provider wants to see again."""
    provider = dialect(dialect_name)
    if (provider.echo == "none" and not provider.thought_signatures) or b'"tool_calls"' not in body:
        return body
    messages = list(map(mapping, sequence((decode_object(body) or {}).get("messages"))))
    lacking = {
        index: calls
        for index, message in enumerate(messages)
        if (calls := _calls(message)) and not _has_state(message)
    }
    recalled = past.recall(lacking.values()) if lacking else []
    edits = {
        index: changes
        for index, pieces in zip(lacking, recalled, strict=True)
        if (changes := _changes(pieces, provider))
    }
    if not edits:
        return body
    place = next(member for member in members(body) if member.key == "messages")
    spans = items(body, place.value_start)
    return splice(
        body,
        [
            Splice(*spans[index], _edit(body[slice(*spans[index])], messages[index], changes))
            for index, changes in edits.items()
        ],
    )


def _calls(message: dict[str, Any]) -> list[ToolCallPart]:
    if message.get("role") != "assistant":
        return []
    calls: list[ToolCallPart] = []
    for call in map(mapping, sequence(message.get("tool_calls"))):
        function = mapping(call.get("function"))
        name, arguments = text(function.get("name")), text(function.get("arguments"))
        calls.append(ToolCallPart(text(call.get("id")), name, arguments))
    return calls


def _has_state(message: dict[str, Any]) -> bool:
    """Tell whether the agent returns thoughts or signatures by itself."""
    calls = map(mapping, sequence(message.get("tool_calls")))
    return any(message.get(field) for field in _THOUGHTS) or any(
        call.get("extra_content") for call in calls
    )


def _changes(pieces: tuple[Carried, ...], provider: Dialect) -> dict[str, Any]:
    """Return fields of a message, and as `tool_calls` the signatures of its calls, by id."""
    thoughts = [ReasoningPart(piece.text, piece.state) for piece in pieces if not piece.call_id]
    changes: dict[str, Any] = dict(thoughts_of(thoughts, provider))
    if provider.thought_signatures:
        changes["tool_calls"] = {
            piece.call_id: signed(piece.state.data)
            for piece in pieces
            if piece.call_id and piece.state is not None and piece.state.format == NAME
        }
    return {field: value for field, value in changes.items() if value}


def _edit(span: bytes, message: dict[str, Any], changes: dict[str, Any]) -> bytes:
    edits: dict[str, bytes | None] = {
        field: encode(value) for field, value in changes.items() if field != "tool_calls"
    }
    if signatures := changes.get("tool_calls"):
        place = next(member for member in members(span) if member.key == "tool_calls")
        array = span[place.value_start : place.value_end]
        edits["tool_calls"] = splice(
            array,
            [
                Splice(start, end, edit_object(array[start:end], {"extra_content": encode(found)}))
                for call, (start, end) in zip(message["tool_calls"], items(array), strict=True)
                if (found := signatures.get(mapping(call).get("id")))
            ],
        )
    return edit_object(span, edits)
