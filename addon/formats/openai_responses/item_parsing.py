"""Read the items of `input`: messages, thoughts, calls, results, and what else a history holds.

Follows https://platform.openai.com/docs/api-reference/responses/create (`input`). Items are smaller
than turns: what the assistant thought, said and called one after the other becomes one message.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from addon.formats.openai_responses import compaction
from addon.formats.openai_responses.builtin_tools import call_arguments
from addon.formats.openai_responses.content_parsing import NAME, parse_content, parse_output
from addon.formats.openai_responses.tool_names import (
    APPLY_PATCH,
    LOCAL_SHELL,
    SHELL,
    TOOL_SEARCH,
    flat_name,
)
from addon.formats.openai_responses.tool_parsing import ToolBox
from addon.neutral import (
    Extra,
    Message,
    NativePart,
    OpaqueState,
    Part,
    ReasoningPart,
    Role,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire import carrier
from addon.wire.carrier import Carried
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text
from addon.wire.request_fields import Fields
from addon.wire.restoring import Unpacker
from addon.wire.transcripts import Transcripts
from addon.wire.unread import Unread

_ROLES = ("user", "system", "developer", "assistant")
_BUILT_IN_CALLS = {
    "local_shell_call": LOCAL_SHELL,
    "shell_call": SHELL,
    "apply_patch_call": APPLY_PATCH,
}
_BUILT_IN_OUTPUTS = ("local_shell_call_output", "shell_call_output", "apply_patch_call_output")
_REFUSED = ("item_reference", "compaction", "compaction_summary", "compaction_trigger")
"""Items that stand for content which only OpenAI holds."""
_OF_THE_USER = ("mcp_approval_response", "computer_call_output")
_FAILED = ("failed", "incomplete")

_BOOKKEEPING = frozenset(("id", "status", "type"))
"""What the API's own books say of an item; it means nothing to a model."""
_KNOWN = {
    "message": _BOOKKEEPING | {"content", "role"},
    "reasoning": _BOOKKEEPING | {"content", "encrypted_content", "summary"},
    "function_call": _BOOKKEEPING | {"arguments", "call_id", "name", "namespace"},
    "custom_tool_call": _BOOKKEEPING | {"call_id", "input", "name", "namespace"},
    # The call, which comes before, says what was called.
    "function_call_output": _BOOKKEEPING | {"call_id", "name", "namespace", "output"},
    "custom_tool_call_output": _BOOKKEEPING | {"call_id", "name", "namespace", "output"},
    "additional_tools": _BOOKKEEPING | {"role", "tools"},
    "configuration_update": _BOOKKEEPING | {"reasoning", "text"},
    "local_shell_call": _BOOKKEEPING | {"action", "call_id"},
    "shell_call": _BOOKKEEPING | {"action", "call_id"},
    "apply_patch_call": _BOOKKEEPING | {"call_id", "operation"},
    "local_shell_call_output": _BOOKKEEPING | {"call_id", "output"},
    "shell_call_output": _BOOKKEEPING | {"call_id", "output"},
    "apply_patch_call_output": _BOOKKEEPING | {"call_id", "output"},
    "tool_search_call": _BOOKKEEPING | {"arguments", "call_id", "execution"},
    "tool_search_output": _BOOKKEEPING | {"call_id", "execution", "tools"},
}

type Said = Message | ToolCallPart | ToolResultPart | ReasoningPart | tuple[Carried, ...]
"""What one item says, whatever stands around it; thoughts may come as what an envelope holds."""

_transcripts: Transcripts[Said | dict[str, Any]] = Transcripts()
"""What items were read as; those that need others to be understood were only decoded."""


class Conversation:
    """Gathers the messages of one request."""

    def __init__(self, tools: ToolBox) -> None:
        self.system: list[SystemMessage] = []
        self.extras: list[Extra] = []
        self.updates: dict[str, Any] = {}
        """The last word of each `configuration_update`, by parameter."""
        self._tools = tools
        self._messages: list[Message] = []
        self._assistant: list[Part] = []
        self._call_ids: dict[str, str] = {}
        self._unpacker = Unpacker()

    def add(self, item: Fields) -> None:
        """Take the next item.

        Raises:
            ClientRequestError: It is not what the format allows.
        """
        said = read_item(item)
        if said is not None:
            self._take(said)
        else:
            self._add_other(item)

    def add_encoded(self, items: bytes, request: Fields) -> None:
        """Take all items; like `add`, but what was read before is not read again.

        Args:
            items: The array of the items, encoded.
            request: What it stands in, under `input`.

        Raises:
            ClientRequestError: One is not what the format allows.
            NotJson: They are not even JSON by strict rules.
        """

        def parse(position: int, value: dict[str, Any], unread: Unread) -> Said | dict[str, Any]:
            said = read_item(Fields(value, (request, "input", position), unread))
            return value if said is None else said

        read = _transcripts.read(items, None, request.unread or Unread(), parse)
        for position, said in enumerate(read):
            if isinstance(said, dict):
                self._add_other(Fields(said, (request, "input", position), request.unread))
            else:
                self._take(said)

    def to_messages(self) -> tuple[Message, ...]:
        """Return the conversation."""
        self._end_assistant()
        if not self._unpacker.found_calls:
            return tuple(self._messages)
        return tuple(
            msgspec.structs.replace(message, parts=self._unpacker.sign_calls(message.parts))
            for message in self._messages
        )

    def _take(self, said: Said) -> None:
        match said:
            case Message(role="assistant"):
                self._assistant += said.parts
            case Message(role="user"):
                self._end_assistant()
                self._messages.append(said)
            case Message():
                self._instruct(said.parts, developer=said.developer)
            case ToolResultPart():
                self._add_result(said)
            case ToolCallPart() | ReasoningPart():
                self._assistant.append(said)
            case _:
                for piece in said:
                    self._unpacker.take(piece, self._assistant)

    def _add_other(self, item: Fields) -> None:
        """Take an item that needs those before it to be understood, or changes those after it."""
        kind = item.required_text("type")
        if kind in ("additional_tools", "configuration_update"):
            self._configure(item, kind)
        elif kind in _BUILT_IN_CALLS:
            self._add_builtin_call(item, kind)
        elif kind in _BUILT_IN_OUTPUTS:
            self._add_builtin_result(item)
        elif kind in ("tool_search_call", "tool_search_output"):
            self._add_tool_search(item, kind)
        elif kind == compaction.KIND and (said := compaction.summary_message(item.value)):
            self.add(Fields(said, item.path))
        elif kind in _REFUSED:
            self.extras.append(Extra(kind, item.value, essential=True))
        else:
            self._add_native(item, kind)

    def _configure(self, item: Fields, kind: str) -> None:
        if kind == "additional_tools":
            self._tools.add_all(item)
        for key in ("reasoning", "text"):
            if item.has(key):
                self.updates[key] = item.value[key]

    def _instruct(self, parts: tuple[Part, ...], *, developer: bool) -> None:
        """Take an instruction; pictures and files that come with it are shown as the user's."""
        texts = tuple(part for part in parts if isinstance(part, TextPart))
        others = tuple(part for part in parts if not isinstance(part, TextPart))
        if self._messages or self._assistant:
            self._end_assistant()
            if texts:
                self._messages.append(Message("system", texts, developer=developer))
        else:
            self.system.append(SystemMessage(texts, "developer" if developer else "system"))
        if others:
            self._say("user", others)

    def _say(self, role: Role, parts: tuple[Part, ...]) -> None:
        self._end_assistant()
        self._messages.append(Message(role, parts))

    def _end_assistant(self) -> None:
        if self._assistant:
            self._messages.append(Message("assistant", tuple(self._assistant)))
            self._assistant = []

    def _add_result(self, result: ToolResultPart) -> None:
        self._end_assistant()
        if self._messages and self._messages[-1].role == "tool":
            last = self._messages[-1]
            self._messages[-1] = Message("tool", (*last.parts, result))
        else:
            self._messages.append(Message("tool", (result,)))

    def _add_builtin_call(self, item: Fields, kind: str) -> None:
        call_id = item.required_text("call_id")
        self._call_ids[item.text("id") or call_id] = call_id
        arguments = call_arguments(kind, item.value)
        self._assistant.append(ToolCallPart(call_id, _BUILT_IN_CALLS[kind], arguments))

    def _add_builtin_result(self, item: Fields) -> None:
        # A local shell's output names its call by the item's id.
        call_id = item.text("call_id") or self._call_ids.get(item.required_text("id"))
        output = item.value.get("output")
        if isinstance(output, str):
            words = output
        else:
            words = encode_text(output) if output else text(item.value.get("status"))
        failed = item.value.get("status") in _FAILED
        call_id = call_id or item.required_text("id")
        self._add_result(ToolResultPart(call_id, (TextPart(words),), failed))

    def _add_tool_search(self, item: Fields, kind: str) -> None:
        """Take a search for tools; those found are offered from then on.

        A search that the provider ran has no call id and no counterpart elsewhere.
        """
        if kind == "tool_search_output":
            self._tools.add_all(item)
        call_id = item.text("call_id")
        if not call_id:
            self._add_native(item, kind)
        elif kind == "tool_search_call":
            arguments = call_arguments(kind, item.value)
            self._assistant.append(ToolCallPart(call_id, TOOL_SEARCH, arguments))
        else:
            found = TextPart(encode_text(item.items("tools")))
            self._add_result(ToolResultPart(call_id, (found,)))

    def _add_native(self, item: Fields, kind: str) -> None:
        part = NativePart(NAME, kind, item.value)
        if kind in _OF_THE_USER:
            self._say("user", (part,))
        else:
            self._assistant.append(part)


def read_item(item: Fields) -> Said | None:
    """Read an item that says the same in any conversation; None for any other.

    Raises:
        ClientRequestError: It is not what the format allows.
    """
    kind = item.text("type")
    if kind is None and item.has("role"):
        kind = "message"
    if kind in _KNOWN:
        item.knows(_KNOWN[kind])
    match kind:
        case None:
            return item.missing("type")
        case "message":
            return _message(item)
        case "reasoning":
            return _reasoning(item)
        case "function_call" | "custom_tool_call":
            return _call(item, custom=kind == "custom_tool_call")
        case "function_call_output" | "custom_tool_call_output":
            return ToolResultPart(item.required_text("call_id"), parse_output(item))
        case _:
            return None


def _message(item: Fields) -> Message:
    role = item.one_of("role", _ROLES)
    parts = parse_content(item)
    match role:
        case None:
            return item.missing("role")
        case "assistant" | "user":
            return Message(role, parts)
        case _:
            return Message("system", parts, developer=role == "developer")


def _reasoning(item: Fields) -> ReasoningPart | tuple[Carried, ...]:
    envelope = item.text("encrypted_content")
    words = _thoughts(item.value)
    if envelope and (pieces := carrier.read(envelope)) is not None:
        return pieces
    if envelope and not carrier.is_ours(envelope):
        return ReasoningPart(words, OpaqueState(NAME, envelope))
    return ReasoningPart(words) if words else ()


def _call(item: Fields, *, custom: bool) -> ToolCallPart:
    name = flat_name(item.required_text("name"), item.text("namespace"))
    arguments = item.required_text("input" if custom else "arguments")
    kind = "custom" if custom else "function"
    return ToolCallPart(item.required_text("call_id"), name, arguments, kind=kind)


def _thoughts(item: dict[str, Any]) -> str:
    """Return the readable thoughts: the model's own where given, else the summary."""
    for key in ("content", "summary"):
        pieces = [text(mapping(piece).get("text")) for piece in sequence(item.get(key))]
        if words := "\n\n".join(piece for piece in pieces if piece):
            return words
    content = cast("object", item.get("content"))
    return text(content)
