"""Write a stream of `POST /v1/responses`: from the hub's events to server-sent events.

    created in_progress item* (completed | incomplete | failed)

One item is open at a time, while the hub's parts may overlap: the events of a later part wait until
the open one ends. Pieces of text that follow one another become one message, for agents take the
last message for the answer; so a message stays open until something else begins.

A provider's signature of words or of a call has no place in those items. It follows them in a
thought of its own, which agents return like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from addon.formats.base import Reply
from addon.formats.openai_responses.hosted_calls import PREFIXES, HostedCallWriter
from addon.formats.openai_responses.item_writing import (
    BuiltinCallWriter,
    CallWriter,
    Frames,
    MessageWriter,
    ReasoningWriter,
    Wire,
)
from addon.formats.openai_responses.reply_reading import wishes_of
from addon.formats.openai_responses.response_object import ResponseObject
from addon.formats.openai_responses.tool_names import Route
from addon.neutral import (
    ErrorInfo,
    Event,
    HostedCallPart,
    Loss,
    LossList,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
)
from addon.wire.carrier import Carried
from addon.wire.custom_tools import InputExtractor
from addon.wire.openai_errors import error_object

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_PREFIXES = {
    "function": "fc",
    "custom": "ctc",
    "local_shell": "lsh",
    "shell": "sh",
    "apply_patch_builtin": "apc",
    "tool_search": "tsc",
}


class ResponsesEncoder:
    """Writes one stream."""

    def __init__(self, reply: Reply) -> None:
        self._wishes = wishes_of(reply)
        self._object = ResponseObject(reply)
        self._frames = Frames()
        self._losses = LossList()
        self._output: list[Wire] = []
        self._ended = False
        self.final: Wire = {}
        """The whole answer, once the stream has ended."""
        self._open: int | None = None
        self._waiting: dict[int, list[Event]] = {}
        self._start_event = PartStart(0, "text")
        self._message: MessageWriter | None = None
        self._message_kind: Literal["text", "refusal"] = "text"
        self._begin_of_text = 0
        self._refused = False
        self._reasoning: ReasoningWriter | None = None
        self._call: CallWriter | BuiltinCallWriter | None = None
        self._hosted: HostedCallWriter | None = None
        self._state: OpaqueState | None = None
        self._parts: dict[type[Event], Callable[[Any], bytes]] = {
            TextDelta: self._text,
            ToolCallDelta: self._arguments,
            ReasoningDelta: self._thought,
            SignatureDelta: self._signature,
            PartStart: self._part_start,
            PartEnd: self._part_end,
        }
        self._lifecycle: dict[type[Event], Callable[[Any], bytes]] = {
            ResponseStart: self._start,
            ResponseEnd: self._end,
            StreamError: self._error,
        }

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the format had no place for."""
        return self._losses.to_tuple()

    def encode(self, event: Event) -> bytes:
        """Return whole server-sent events, or nothing while a part has to wait."""
        handler = self._parts.get(type(event))
        if handler is None:
            return b"" if self._ended else self._lifecycle[type(event)](event)
        index: int = cast("PartStart", event).index
        if index == self._open:
            output = handler(event)
            return output + self._release() if type(event) is PartEnd else output
        if self._open is None:
            self._open = index
            return handler(event)
        self._waiting.setdefault(index, []).append(event)
        return b""

    def _release(self) -> bytes:
        """Write the parts that waited, up to the first one that is still open."""
        pieces: list[bytes] = []
        self._open = None
        while self._open is None and self._waiting:
            index = next(iter(self._waiting))
            self._open = index
            for event in self._waiting.pop(index):
                pieces.append(self._parts[type(event)](event))
                if type(event) is PartEnd:
                    self._open = None
        return b"".join(pieces)

    def _start(self, event: ResponseStart) -> bytes:
        self._object.start(event.id, event.model)
        response = {"response": self._object.render("in_progress", [])}
        created = self._frames.write("response.created", response)
        return created + self._frames.write("response.in_progress", response)

    def _part_start(self, event: PartStart) -> bytes:
        self._start_event = event
        self._state = None
        match event.kind:
            case "text" | "refusal":
                self._refused = self._refused or event.kind == "refusal"
                as_text = event.kind == "text" or self._wishes.refusal_as_text
                self._message_kind = "text" if as_text else "refusal"
                message = self._message
                self._begin_of_text = message.length if message is not None else 0
                apart = event.kind == "refusal"
                if message is not None and (apart or message.kind != self._message_kind):
                    return self._end_message()
                return b""
            case "reasoning":
                return b""  # it may turn out to be empty
            case "tool_call":
                return self._end_message() + self._begin_call(event)
            case "hosted_call":
                return self._end_message() + self._begin_hosted(event)

    def _text(self, event: TextDelta) -> bytes:
        message = self._message
        if message is not None:
            return message.delta(event.text)
        self._begin_of_text = 0
        kind = self._message_kind
        message = MessageWriter(self._frames, len(self._output), self._item_id("msg"), kind)
        self._message = message
        return message.begin() + message.delta(event.text)

    def _end_message(self) -> bytes:
        if self._message is None:
            return b""
        output, item = self._message.end()
        self._message = None
        self._output.append(item)
        return output

    def _thought(self, event: ReasoningDelta) -> bytes:
        if self._reasoning is not None:
            return self._reasoning.delta(event.text)
        begin = self._begin_reasoning()
        return begin + self._reasoning.delta(event.text) if self._reasoning is not None else begin

    def _begin_reasoning(self) -> bytes:
        output = self._end_message()
        writer = ReasoningWriter(self._frames, len(self._output), self._item_id("rs"))
        self._reasoning = writer
        return output + writer.begin()

    def _signature(self, event: SignatureDelta) -> bytes:
        self._state = event.state
        begins = self._start_event.kind == "reasoning" and self._reasoning is None
        return self._begin_reasoning() if begins else b""

    def _end_reasoning(self, carried: Carried | None = None) -> bytes:
        if self._reasoning is None:
            return b""
        output, item = self._reasoning.end(None if carried else self._state, carried)
        self._reasoning = None
        self._output.append(item)
        return output

    def _carry(self, carried: Carried) -> bytes:
        """Send another part's state along in a thought without words."""
        return self._begin_reasoning() + self._end_reasoning(carried)

    def _begin_call(self, event: PartStart) -> bytes:
        route = self._wishes.routes.get(event.name)
        if route is None or (event.call_kind == "custom" and route.kind != "custom"):
            route = Route(event.call_kind, event.name)
        ids = (self._item_id(_PREFIXES[route.kind]), event.call_id)
        index = len(self._output)
        if route.kind in ("function", "custom"):
            wrapped = route.kind == "custom" and event.call_kind == "function"
            extractor = InputExtractor() if wrapped else None
            self._call = CallWriter(self._frames, index, ids, route, extractor)
        else:
            self._call = BuiltinCallWriter(self._frames, index, ids, route)
        return self._call.begin()

    def _arguments(self, event: ToolCallDelta) -> bytes:
        return b"" if self._call is None else self._call.delta(event.arguments)

    def _part_end(self, event: PartEnd) -> bytes:
        match self._start_event.kind:
            case "text" | "refusal":
                return self._end_text(event)
            case "reasoning":
                return self._end_reasoning()
            case "tool_call":
                return self._end_call()
            case "hosted_call":
                return self._end_hosted(event)

    def _end_text(self, event: PartEnd) -> bytes:
        output = b""
        if event.citations:
            if self._message is None:
                self._losses.dropped("annotations", "sources that belong to no text")
            else:
                output = self._message.cite(event.citations, self._begin_of_text)
        if self._state is not None:
            carried = Carried(state=self._state, signs_text=True)
            output += self._end_message() + self._carry(carried)
        return output

    def _end_call(self) -> bytes:
        if self._call is None:
            return b""
        output, item = self._call.end()
        self._call = None
        self._output.append(item)
        if self._state is not None:
            carried = Carried(state=self._state, call_id=self._start_event.call_id)
            output += self._carry(carried)
        return output

    def _begin_hosted(self, event: PartStart) -> bytes:
        item_id = self._item_id(PREFIXES.get(event.name, "ws"))
        self._hosted = HostedCallWriter(self._frames, len(self._output), item_id, event.name)
        return self._hosted.begin()

    def _end_hosted(self, event: PartEnd) -> bytes:
        if self._hosted is None:
            return b""
        start = self._start_event
        call = event.hosted or HostedCallPart(start.call_id, start.name)
        output, item = self._hosted.end(call)
        self._hosted = None
        self._output.append(item)
        return output

    def _item_id(self, prefix: str) -> str:
        return self._object.item_id(prefix, len(self._output))

    def _end(self, event: ResponseEnd) -> bytes:
        reason = event.finish_reason
        if reason == "error":
            words = event.raw_finish_reason or "no reason given"
            message = f"the provider gave up on its answer ({words})"
            return self._error(StreamError(ErrorInfo("server_error", message)))
        if reason == "other":
            word = event.raw_finish_reason or reason
            self._losses.approximated("finish_reason", f"`{word}` as `completed`")
        output = self._end_message()
        incomplete = None if self._refused else _INCOMPLETE.get(reason)
        if reason == "length":
            incomplete = _INCOMPLETE[reason]
        status = "completed" if incomplete is None else "incomplete"
        self._ended = True
        self.final = self._object.render(
            status, self._output, usage=event.usage, incomplete=incomplete
        )
        return output + self._frames.write(f"response.{status}", {"response": self.final})

    def _error(self, event: StreamError) -> bytes:
        """Fail twice: the openai SDK raises for `error`, Codex reads `response.failed` only."""
        self._ended = True
        if not self._object.id:
            self._object.start("", "")
        self.final = self._object.render("failed", self._output, error=event.error)
        error = self._frames.write("error", error_object(event.error))
        return error + self._frames.write("response.failed", {"response": self.final})
