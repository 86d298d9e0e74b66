"""A whole answer of `POST /chat/completions`, in and out.

Read by the same code as a stream, as one chunk whose delta is the message, so that the two can
never differ.
"""

from __future__ import annotations

from typing import Any

from addon.formats.base import Reply
from addon.formats.openai_chat.answer_reader import AnswerReader
from addon.formats.openai_chat.chunk import read_chunk
from addon.formats.openai_chat.citations import render_annotations
from addon.formats.openai_chat.finish_reasons import render_finish_reason
from addon.formats.openai_chat.stream_decoder import ChatDecoder
from addon.formats.openai_chat.usage import render_usage
from addon.neutral import (
    Citation,
    ErrorInfo,
    HostedCallPart,
    Loss,
    LossList,
    NativePart,
    Part,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    ResponseEnd,
    TextPart,
    ToolCallPart,
    fold,
)
from addon.wire.answer_decoder import NESTED_TOO_DEEPLY
from addon.wire.codec import decode_object, encode
from addon.wire.custom_tools import unwrap_arguments

THOUGHT_SEPARATOR = "\n\n"
HOSTED = "Chat does not tell what the provider ran"
"""Stands between two thoughts that Chat has to put into one field."""


def parse_response(body: bytes) -> tuple[Response, tuple[Loss, ...]]:
    """Read a whole answer.

    Raises:
        ProviderResponseError: It is not an answer in this format.
    """
    wire = decode_object(body)
    if wire is None:
        return _parse_stream(body)
    try:
        chunk = read_chunk(wire)
    except RecursionError:
        raise ProviderResponseError(NESTED_TOO_DEEPLY.message) from None
    if not chunk.choices:
        raise ProviderResponseError("the provider's answer holds no `choices`")
    reader = AnswerReader()
    events = reader.read(chunk, whole=True) + reader.end()
    folded = fold(events)
    if isinstance(folded, ErrorInfo):
        # `find_error` tells; here the words that came before the failure count.
        end = ResponseEnd("error", reader.finish_reason)
        folded = fold([*events[:-1], end])
    if isinstance(folded, ErrorInfo):
        raise ProviderResponseError(folded.message)
    return folded, reader.losses.to_tuple()


def _parse_stream(body: bytes) -> tuple[Response, tuple[Loss, ...]]:
    """Read a stream that came though none was asked for."""
    decoder = ChatDecoder()
    folded = fold(decoder.feed(body) + decoder.feed_eof())
    if isinstance(folded, ErrorInfo):
        raise ProviderResponseError(f"the provider's answer cannot be read: {folded.message}")
    return folded, decoder.losses


def render_response(response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
    """Write a whole answer."""
    losses = LossList()
    message = _Message(reply, losses)
    for part in response.parts:
        message.add(part)
    reason = response.finish_reason
    if reason in ("error", "other"):
        losses.approximated("finish_reason", f"`{response.raw_finish_reason or reason}` as `stop`")
    choice: dict[str, Any] = {
        "index": 0,
        "message": message.render(),
        "logprobs": None,
        "finish_reason": render_finish_reason(reason, legacy=message.legacy),
    }
    completion: dict[str, Any] = {
        "id": completion_id(response.id, reply.created),
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model or response.model,
        "choices": [choice],
    }
    if response.usage is not None:
        completion["usage"] = render_usage(response.usage)
    completion["service_tier"] = "default"
    completion["system_fingerprint"] = None
    return encode(completion), losses.to_tuple()


def completion_id(identifier: str, created: int) -> str:
    """Return the id that an agent sees: the provider's own, with OpenAI's prefix."""
    if identifier.startswith("chatcmpl-"):
        return identifier
    return f"chatcmpl-{identifier or created}"


class _Message:
    """The one message that all parts of an answer go into."""

    def __init__(self, reply: Reply, losses: LossList) -> None:
        self._reply = reply
        self._losses = losses
        self._text: list[str] = []
        self._length = 0
        self._thoughts: list[str] = []
        self._refusals: list[str] = []
        self._calls: list[ToolCallPart] = []
        self._citations: list[tuple[Citation, int, int]] = []

    @property
    def legacy(self) -> bool:
        """Whether calls are told as `function_call`."""
        return self._reply.legacy_functions

    def add(self, part: Part) -> None:
        """Put one part in its place."""
        match part:
            case TextPart(text, citations):
                end = self._length + len(text)
                self._citations += [(citation, self._length, end) for citation in citations]
                self._text.append(text)
                self._length = end
            case ReasoningPart(text):
                if text:
                    self._thoughts.append(text)
            case RefusalPart(text):
                self._refusals.append(text)
            case ToolCallPart():
                if self._calls and self.legacy:
                    self._losses.dropped("tool_calls", "`functions` allow one call an answer")
                else:
                    self._calls.append(part)
            case HostedCallPart(_, tool):
                self._losses.dropped(f"output.{tool}", HOSTED)
            case NativePart(_, kind, _):
                self._losses.dropped(kind, "exists at its own provider only")
            case _:
                self._losses.dropped(type(part).__name__, "Chat has no place for it in an answer")

    def render(self) -> dict[str, Any]:
        """Return the message."""
        text = "".join(self._text)
        refusal = "".join(self._refusals)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if not text and (self._calls or refusal) else text,
            "refusal": refusal or None,
            "annotations": render_annotations(self._citations),
        }
        if self._thoughts:
            message["reasoning_content"] = THOUGHT_SEPARATOR.join(self._thoughts)
        if self._calls and self.legacy:
            message["function_call"] = _function(self._calls[0])
        elif self._calls:
            message["tool_calls"] = [self._call(call) for call in self._calls]
        return message

    def _call(self, call: ToolCallPart) -> dict[str, Any]:
        if call.kind == "custom":
            custom = {"name": call.name, "input": call.arguments}
        elif call.name in self._reply.custom_tools:
            custom = {"name": call.name, "input": unwrap_arguments(call.arguments)}
        else:
            return {"id": call.call_id, "type": "function", "function": _function(call)}
        return {"id": call.call_id, "type": "custom", "custom": custom}


def _function(call: ToolCallPart) -> dict[str, str]:
    """Write name and arguments; agents parse the arguments, so they are never empty."""
    return {"name": call.name, "arguments": call.arguments or "{}"}
