"""Read the conversation: messages of six roles become the hub's four.

The leading run of `system` and `developer` messages goes before the conversation, later ones stay
where they are. The old `function_call` and role `function` become calls and results like any
other, with ids derived from their order.
"""

from __future__ import annotations

from typing import Any

from addon.formats.openai_chat.chunk import thought_signature
from addon.formats.openai_chat.content_parsing import (
    ASSISTANT_PARTS,
    NAME,
    USER_PARTS,
    CacheTtl,
    parse_cache_breakpoint,
    parse_content,
    parse_text_content,
    parse_tool_content,
)
from addon.neutral import (
    ClientRequestError,
    Message,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire.reading import mapping, sequence, text
from addon.wire.request_fields import Fields
from addon.wire.transcripts import Transcripts
from addon.wire.unread import Unread

ROLES = ("system", "assistant", "user", "function", "tool", "developer")

_MARKS = ("cache_control", "prompt_cache_breakpoint")
_KNOWN = frozenset(("role", "content", "name", *_MARKS))
_KNOWN_OF_RESULT = _KNOWN | {"tool_call_id"}
_THOUGHTS = frozenset(("reasoning", "reasoning_content", "reasoning_details"))
_KNOWN_OF_ASSISTANT = _KNOWN | _THOUGHTS | {"function_call", "refusal", "tool_calls"}
_KNOWN_OF_CALL = frozenset((
    "custom", "extra_content", "function", "id", "index", "type", *_MARKS
))  # fmt: skip
_KNOWN_OF_FUNCTION = frozenset(("arguments", "name"))
_KNOWN_OF_CUSTOM = frozenset(("input", "name"))

_transcripts: Transcripts[Message | dict[str, Any]] = Transcripts()
"""What messages were read as; those that need others to be understood were only decoded."""


class Conversation:
    """Collects the messages of one request."""

    def __init__(self, ttl: CacheTtl | None, unread: Unread) -> None:
        """Prepare.

        Args:
            ttl: How long the request as a whole asks to be cached.
            unread: Receives what the hub has no word for.
        """
        self._ttl: CacheTtl | None = ttl
        self._unread = unread
        self._legacy_calls: list[ToolCallPart] = []
        self._unanswered: list[ToolCallPart] = []
        self.system: list[SystemMessage] = []
        self.messages: list[Message] = []

    def add_encoded(self, messages: bytes, request: Fields) -> None:
        """Take all messages; like `add`, but what was read before is not read again.

        Args:
            messages: The array of the messages, encoded.
            request: What it stands in.

        Raises:
            ClientRequestError: One is not what the format allows.
            NotJson: They are not even JSON by strict rules.
        """

        def parse(position: int, value: dict[str, Any], unread: Unread) -> Message | dict[str, Any]:
            message = Fields(value, (request, "messages", position), unread)
            return self._read(message) or value

        said = _transcripts.read(messages, self._ttl, self._unread, parse)
        for position, message in enumerate(said):
            if isinstance(message, Message):
                self._take(message)
            else:
                place = (request, "messages", position)
                self._add_legacy(Fields(message, place, self._unread))

    def add(self, message: Fields) -> None:
        """Take the next message.

        Raises:
            ClientRequestError: It is not what the format allows.
        """
        read = self._read(message)
        if read is not None:
            self._take(read)
        else:
            self._add_legacy(message)

    def _read(self, message: Fields) -> Message | None:
        """Read a message; None for one that needs those before it to be understood."""
        role = message.required_text("role")
        name = message.text("name")
        match role:
            case "system" | "developer":
                message.knows(_KNOWN)
                parts = parse_text_content(message, self._ttl)
                return Message("system", parts, name, developer=role == "developer")
            case "user":
                message.knows(_KNOWN)
                return Message("user", parse_content(message, USER_PARTS, self._ttl), name)
            case "assistant" if not message.has("function_call"):
                return Message("assistant", tuple(self._assistant(message)), name)
            case "tool":
                return self._result(message, message.required_text("tool_call_id"))
            case "assistant" | "function":
                return None
            case _:
                return message.wrong_value("role", ROLES)

    def _take(self, message: Message) -> None:
        """Put a message in its place: instructions at the beginning have one of their own."""
        if message.role != "system" or self.messages:
            self.messages.append(message)
            return
        texts = tuple(part for part in message.parts if isinstance(part, TextPart))
        self.system.append(SystemMessage(texts, "developer" if message.developer else "system"))
        self._unread.lose("messages.name", message.name)

    def _add_legacy(self, message: Fields) -> None:
        """Take a message of the time before tools, when calls had no ids."""
        if message.value["role"] == "function":
            call_id = self._called(message.required_text("name"))
            self.messages.append(self._result(message, call_id))
            return
        parts = self._assistant(message)
        parts.append(self._legacy_call(message.required_object("function_call")))
        self.messages.append(Message("assistant", tuple(parts), message.text("name")))

    def _legacy_call(self, function: Fields) -> ToolCallPart:
        call = ToolCallPart(
            f"call_function_{len(self._legacy_calls)}",
            function.required_text("name"),
            function.text("arguments") or "",
        )
        self._legacy_calls.append(call)
        self._unanswered.append(call)
        return call

    def _called(self, name: str) -> str:
        """Find the call that a `function` message answers."""
        for position, call in enumerate(self._unanswered):
            if call.name == name:
                return self._unanswered.pop(position).call_id
        return f"call_function_{name}"

    def _assistant(self, message: Fields) -> list[Part]:
        message.knows(_KNOWN_OF_ASSISTANT)
        parts: list[Part] = []
        if not _THOUGHTS.isdisjoint(message.value) and (thoughts := _thoughts(message)):
            parts.append(ReasoningPart(thoughts))
        parts += parse_content(message, ASSISTANT_PARTS, self._ttl)
        if refusal := message.text("refusal"):
            parts.append(RefusalPart(refusal))
        parts += [self._call(call) for call in message.objects("tool_calls")]
        return parts

    def _call(self, call: Fields) -> ToolCallPart:
        call.knows(_KNOWN_OF_CALL)
        call_id = call.required_text("id")
        cache_breakpoint = parse_cache_breakpoint(call, self._ttl)
        if call.one_of("type", ("function", "custom")) == "custom":
            custom = call.required_object("custom")
            custom.knows(_KNOWN_OF_CUSTOM)
            name, arguments = custom.required_text("name"), custom.required_text("input")
            return ToolCallPart(call_id, name, arguments, "custom", cache_breakpoint)
        function = call.required_object("function")
        function.knows(_KNOWN_OF_FUNCTION)
        signature = thought_signature(call.value.get("extra_content"))
        return ToolCallPart(
            call_id,
            function.required_text("name"),
            function.text("arguments") or "",
            cache_breakpoint=cache_breakpoint,
            state=OpaqueState(NAME, signature) if signature else None,
        )

    def _result(self, message: Fields, call_id: str) -> Message:
        if not call_id:
            place = message.place("tool_call_id")
            raise ClientRequestError(f"Invalid '{place}': empty string.", place)
        message.knows(_KNOWN_OF_RESULT)
        result = ToolResultPart(
            call_id,
            parse_tool_content(message, self._ttl),
            cache_breakpoint=parse_cache_breakpoint(message, self._ttl),
        )
        return Message("tool", (result,))


def _thoughts(message: Fields) -> str:
    """Read thoughts, however the agent names them."""
    thoughts = message.text("reasoning_content") or message.text("reasoning")
    if any(_is_signed(detail) for detail in sequence(message.value.get("reasoning_details"))):
        message.lose("reasoning_details")
    return thoughts or _reasoning_details(message)


def _is_signed(detail: object) -> bool:
    return bool({"data", "signature"} & mapping(detail).keys())


def _reasoning_details(message: Fields) -> str:
    """Read the thoughts that OpenRouter-aware agents return."""
    details = [mapping(item) for item in sequence(message.value.get("reasoning_details"))]
    return "".join(text(detail.get("text")) or text(detail.get("summary")) for detail in details)
