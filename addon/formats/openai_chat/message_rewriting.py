"""Change messages and tools of an agent's own request in place, byte for byte elsewhere.

The document has been decoded beside its bytes: what to change is decided on the values, where on
the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from addon.formats.openai_chat.content_rendering import TEXT_SEPARATOR, ContentRenderer
from addon.formats.openai_chat.dialects import Dialect
from addon.formats.openai_chat.message_rendering import (
    BLANK_THOUGHT,
    SKIP_SIGNATURE,
    MessageRenderer,
)
from addon.neutral import LossList
from addon.wire.codec import encode
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text
from addon.wire.tool_schemas import simplify

type Changes = dict[str, bytes | None]

_SYSTEM_ROLES = ("system", "developer")
_PARSED = "parsed"
_PARSED_ARGUMENTS = "parsed_arguments"
"""What OpenAI's SDKs add to an answer and send back with it: it says nothing that the rest does
not, OpenAI overlooks it, and others refuse it."""


class MessageRewriter:
    """Adapts the messages of one request."""

    def __init__(self, provider: Dialect, losses: LossList) -> None:
        self._provider = provider
        self._losses = losses
        self._renderer = MessageRenderer(ContentRenderer(provider, "", losses), losses)

    def rewrite(self, array: bytes, messages: list[Any], instruction: str | None) -> bytes:
        """Return the array of messages, adapted.

        Args:
            array: Its bytes.
            messages: Its decoded items.
            instruction: What to add to the system prompt.
        """
        spans = items(array)
        splices: list[Splice] = []
        last = len(messages) - 1
        for position, (message, (start, end)) in enumerate(zip(messages, spans, strict=True)):
            span = array[start:end]
            edited = self._message(span, mapping(message), is_last=position == last)
            if edited != span:
                splices.append(Splice(start, end, edited))
        leading = _leading_systems(messages)
        if self._provider.merged_system and (leading > 1 or (leading and instruction)):
            # The merged message is new anyway, so edits within it are given up.
            head = spans[leading - 1][1]
            splices = [edit for edit in splices if edit.start >= head]
            splices.append(Splice(spans[0][0], head, _merged(messages[:leading], instruction)))
        elif instruction is not None:
            added = encode({"role": "system", "content": instruction})
            if leading:
                place = spans[leading - 1][1]
                splices.append(Splice(place, place, b"," + added))
            else:
                place = spans[0][0] if spans else 1
                splices.append(Splice(place, place, added + (b"," if spans else b"")))
        return splice(array, splices)

    def renames_calls(self, messages: list[Any]) -> bool:
        """Tell whether a call or a result has an id that the provider does not take."""
        return any(
            self._id_change(message, "tool_call_id")
            or any(self._id_change(mapping(call), "id") for call in _calls(message))
            for message in map(mapping, messages)
        )

    def rename_calls(self, array: bytes, messages: list[Any]) -> bytes:
        """Return the array of messages with ids of calls that the provider takes, and no more."""
        spans: list[tuple[int, int]] = []
        splices: list[Splice] = []
        for index, message in enumerate(map(mapping, messages)):
            changes = self._id_change(message, "tool_call_id")
            per_call = [self._id_change(mapping(call), "id") for call in _calls(message)]
            if not changes and not any(per_call):
                continue
            spans = spans or items(array)
            start, end = spans[index]
            span = array[start:end]
            if any(per_call):
                changes["tool_calls"] = _edit_calls(span, per_call)
            splices.append(Splice(start, end, edit_object(span, changes)))
        return splice(array, splices)

    def _id_change(self, owner: Mapping[str, Any], field: str) -> Changes:
        call_id = text(owner.get(field))
        renamed = self._renderer.call_id(call_id) if call_id else call_id
        return {field: encode(renamed)} if renamed != call_id else {}

    def _message(self, span: bytes, message: Mapping[str, Any], *, is_last: bool) -> bytes:
        provider = self._provider
        changes: Changes = {}
        role = message.get("role")
        if role == "developer" and not provider.developer_role:
            changes["role"] = b'"system"'
        if "name" in message and not provider.message_names and role != "function":
            changes["name"] = None
            if message["name"]:
                self._losses.dropped("messages.name", "the provider's messages carry no name")
        changes |= self._id_change(message, "tool_call_id")
        if role == "assistant":
            if _PARSED in message:
                changes[_PARSED] = None
            self._assistant(span, message, changes)
            if is_last and provider.prefix_flag and "prefix" not in message:
                changes["prefix"] = b"true"
        return edit_object(span, changes) if changes else span

    def _assistant(self, span: bytes, message: Mapping[str, Any], changes: Changes) -> None:
        if message.get("reasoning_details") and not self._provider.reasoning_details:
            changes["reasoning_details"] = None  # another provider's, and secret
        calls = [mapping(call) for call in sequence(message.get("tool_calls"))]
        if not calls:
            return
        per_call = self._call_changes(calls)
        if any(per_call):
            changes["tool_calls"] = _edit_calls(span, per_call)
        name = self._provider.thoughts_name
        details = self._provider.reasoning_details and message.get("reasoning_details")
        if self._provider.echo == "required" and not (message.get(name) or details):
            thoughts = text(message.get("reasoning")) or text(message.get("reasoning_content"))
            changes[name] = encode(thoughts or BLANK_THOUGHT)

    def _call_changes(self, calls: list[dict[str, Any]]) -> list[Changes]:
        per_call: list[Changes] = []
        for call in calls:
            changes = self._id_change(call, "id")
            function = mapping(call.get("function"))
            if _PARSED_ARGUMENTS in function:
                kept = {key: value for key, value in function.items() if key != _PARSED_ARGUMENTS}
                changes["function"] = encode(kept)
            per_call.append(changes)
        signed = any(call.get("extra_content") for call in calls)
        if self._provider.thought_signatures and not signed:
            signature = {"google": {"thought_signature": SKIP_SIGNATURE}}
            per_call[0]["extra_content"] = encode(signature)
        return per_call


def _calls(message: Mapping[str, Any]) -> list[Any]:
    return sequence(message.get("tool_calls"))


def _edit_calls(span: bytes, per_call: list[Changes]) -> bytes:
    """Return the calls of a message, edited."""
    array = value_bytes(span, "tool_calls")
    splices = [
        Splice(start, end, edit_object(array[start:end], changes))
        for changes, (start, end) in zip(per_call, items(array), strict=True)
        if changes
    ]
    return splice(array, splices)


def rewrite_tools(
    array: bytes,
    tools: list[Any],
    allowed: tuple[str, ...] | None,
    provider: Dialect,
    losses: LossList,
) -> bytes:
    """Return the array of tools, without those not allowed and what the provider refuses."""
    kept: list[bytes] = []
    splices: list[Splice] = []
    for tool, (start, end) in zip(tools, items(array), strict=True):
        span = array[start:end]
        function = mapping(mapping(tool).get("function"))
        if allowed is not None and text(function.get("name")) not in allowed:
            losses.emulated("tool_choice.allowed_tools", "the other tools are not offered")
            continue
        changes = _function_changes(function, provider, losses) if function else {}
        if changes:
            edited = edit_object(value_bytes(span, "function"), changes)
            span = edit_object(span, {"function": edited})
            splices.append(Splice(start, end, span))
        kept.append(span)
    if len(kept) < len(tools):
        return b"[" + b",".join(kept) + b"]"
    return splice(array, splices)


def _function_changes(function: dict[str, Any], provider: Dialect, losses: LossList) -> Changes:
    changes: Changes = {}
    if "strict" in function and not provider.strict_tools:
        changes["strict"] = None
        if function["strict"]:
            losses.dropped("tools.strict", "arguments follow the schema without a guarantee")
    schema = mapping(function.get("parameters"))
    if schema and (simplified := simplify(schema, provider.schemas)) != schema:
        changes["parameters"] = encode(simplified)
    return changes


def _leading_systems(messages: list[Any]) -> int:
    count = 0
    for message in messages:
        if mapping(message).get("role") not in _SYSTEM_ROLES:
            break
        count += 1
    return count


def _merged(messages: list[Any], instruction: str | None) -> bytes:
    texts = [_plain_text(mapping(message).get("content")) for message in messages]
    if instruction is not None:
        texts.append(instruction)
    return encode({"role": "system", "content": TEXT_SEPARATOR.join(texts)})


def _plain_text(content: object) -> str:
    if isinstance(content, str):
        return content
    return TEXT_SEPARATOR.join(text(mapping(part).get("text")) for part in sequence(content))


def value_bytes(document: bytes, key: str) -> bytes:
    """Return the bytes of a member's value; of the last one where the key stands twice."""
    member = next(member for member in reversed(members(document)) if member.key == key)
    return document[member.value_start : member.value_end]
