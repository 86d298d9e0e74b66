"""Write an answer of `generateContent` or `streamGenerateContent`: from the hub's events to chunks.

Follows https://ai.google.dev/api/generate-content. Every chunk is a whole response object. Calls
are written whole, which is all that clients understand, so their arguments are gathered first;
parts that overlap with a part under way wait for their turn. Calls that end an answer stand all in
its last chunk, beside the finish reason, as most models have it: the function calling of Google's
own client looks nowhere else. It also stumbles over comments between events: nothing but chunks may
be written to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.base import Reply
from addon.formats.gemini.errors import error_object
from addon.formats.gemini.finish_reasons import render_finish_reason
from addon.formats.gemini.grounding import render_grounding
from addon.formats.gemini.names import NAME
from addon.formats.gemini.usage import render_usage
from addon.neutral import (
    Citation,
    Event,
    HostedCallPart,
    Loss,
    LossList,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    Response,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
    Usage,
    unfold,
)
from addon.wire.carrier import Carried, mint_base64
from addon.wire.codec import decode_object, encode
from addon.wire.custom_tools import wrap_input

JSON_ARRAY = "application/json"
"""The content type of a stream that is one JSON array instead of server-sent events."""

_BEFORE_WORDS = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":'
_AFTER_WORDS = b'}]},"index":0}]%s\r\n\r\n'
"""What stands around the words of a chunk; nearly all chunks hold nothing else."""

type PartEvent = PartStart | TextDelta | ReasoningDelta | SignatureDelta | ToolCallDelta | PartEnd
type Chunk = dict[str, Any]


class GeminiEncoder:
    """Writes one stream."""

    def __init__(self, reply: Reply) -> None:
        self._chunks = ChunkWriter(reply)
        self._array = reply.stream_type == JSON_ARRAY
        self._first = True

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the format had no place for."""
        return self._chunks.losses.to_tuple()

    def encode(self, event: Event) -> bytes:
        """Return whole chunks, or nothing while there is nothing to say."""
        if type(event) is TextDelta and not self._array and self._chunks.takes(event):
            return _BEFORE_WORDS + encode(event.text) + self._chunks.after_words
        chunks = self._chunks.write(event)
        if not self._array:
            return b"".join([b"data: " + encode(chunk) + b"\r\n\r\n" for chunk in chunks])
        pieces: list[bytes] = []
        for chunk in chunks:
            pieces += (b"[" if self._first else b",\r\n", encode(chunk))
            self._first = False
        if isinstance(event, (ResponseEnd, StreamError)):
            pieces.append(b"]\r\n")
        return b"".join(pieces)


class ChunkWriter:
    """Turns events into response objects."""

    def __init__(self, reply: Reply) -> None:
        self.losses = LossList()
        self._reply = reply
        self._common: Chunk = {}
        self._usage: Usage | None = None
        self._open: int | None = None
        self._waiting: dict[int, list[PartEvent]] = {}
        self._calls: list[Chunk] = []
        self._start = PartStart(0, "text")
        self._arguments: list[str] = []
        self._queries: list[str] = []
        self._state: OpaqueState | None = None
        self._carried: list[Carried] = []
        """Thoughts of other providers and the places of words, for the next call to carry home."""
        self._words: list[str] = []
        self._texts: list[tuple[str, tuple[Citation, ...]]] = []
        self.after_words = _AFTER_WORDS % b"}"
        """What a chunk of words as server-sent event ends with."""
        self._handlers: dict[type[Event], Callable[[Any], list[Chunk]]] = {
            TextDelta: self._text,
            ReasoningDelta: self._thought,
            ToolCallDelta: self._more_arguments,
            SignatureDelta: self._signature,
            PartStart: self._begin_part,
            PartEnd: self._end_part,
        }

    def takes(self, event: TextDelta) -> bool:
        """Take words that can be written at once; tell whether they can."""
        if event.index != self._open:
            return False
        self._words.append(event.text)
        return True

    def write(self, event: Event) -> list[Chunk]:
        """Return the chunks that an event completes."""
        match event:
            case ResponseStart():
                self._common = {"modelVersion": self._reply.model or event.model}
                if event.id:
                    self._common["responseId"] = event.id
                self._usage = event.usage
                self.after_words = _AFTER_WORDS % (b"," + encode(self._common)[1:])
                return []
            case ResponseEnd():
                return [self._end(event)]
            case StreamError():
                return [*self._release_calls(), error_object(event.error)]
            case _:
                return self._part_event(event)

    def _part_event(self, event: PartEvent) -> list[Chunk]:
        if self._open is None:
            self._open = event.index
        if event.index != self._open:
            self._waiting.setdefault(event.index, []).append(event)
            return []
        chunks = self._handlers[type(event)](event)
        if type(event) is PartEnd:
            chunks += self._release()
        return chunks

    def _release(self) -> list[Chunk]:
        """Write the parts that waited, up to the first one that is still open."""
        chunks: list[Chunk] = []
        self._open = None
        while self._open is None and self._waiting:
            index = next(iter(self._waiting))
            self._open = index
            for event in self._waiting.pop(index):
                chunks += self._handlers[type(event)](event)
                if type(event) is PartEnd:
                    self._open = None
        return chunks

    def _begin_part(self, event: PartStart) -> list[Chunk]:
        self._start = event
        self._arguments = []
        self._words = []
        self._state = None
        return self._release_calls() if event.kind != "tool_call" else []

    def _release_calls(self) -> list[Chunk]:
        """Write the calls that were kept for the last chunk, when it turns out not to be next."""
        calls, self._calls = self._calls, []
        return [self._chunk(*calls)] if calls else []

    def _text(self, event: TextDelta) -> list[Chunk]:
        self._words.append(event.text)
        return [self._chunk({"text": event.text})]

    def _thought(self, event: ReasoningDelta) -> list[Chunk]:
        self._words.append(event.text)
        return [self._chunk({"text": event.text, "thought": True})]

    def _more_arguments(self, event: ToolCallDelta) -> list[Chunk]:
        self._arguments.append(event.arguments)
        return []

    def _signature(self, event: SignatureDelta) -> list[Chunk]:
        self._state = event.state
        return []

    def _end_part(self, event: PartEnd) -> list[Chunk]:
        if self._start.kind == "text":
            self._texts.append(("".join(self._words), event.citations))
            if self._words:
                self._carried.append(Carried(signs_text=True))
        if self._start.kind == "hosted_call":
            return [] if event.hosted is None else self._hosted(event.hosted)
        if self._start.kind == "tool_call":
            call: Chunk = {"functionCall": self._call()}
            if signature := self._call_signature():
                call["thoughtSignature"] = signature
            self._calls.append(call)
            return []
        state = self._state
        if state is not None and state.format == NAME:
            part: Chunk = {"text": ""}
            if self._start.kind == "reasoning":
                part["thought"] = True
            part["thoughtSignature"] = state.data
            return [self._chunk(part)]
        if self._start.kind == "reasoning" and (state is not None or self._words):
            # Agents leave thoughts out of the history, but never a call's signature.
            self._carried.append(Carried("".join(self._words), state))
        return []

    def _call_signature(self) -> str:
        """Return what the call is to carry: its own signature, or what precedes it."""
        state = self._state
        if state is not None and state.format == NAME:
            return state.data
        pieces, self._carried = self._carried, []
        if all(piece.signs_text for piece in pieces):
            pieces = []  # places tell nothing without a thought
        if state is not None:
            pieces.append(Carried(state=state, call_id=self._start.call_id))
        return mint_base64(pieces) if pieces else ""

    def _hosted(self, call: HostedCallPart) -> list[Chunk]:
        """Write a tool that the provider ran: code where it stood, searches at the end."""
        if call.tool == "web_search":
            self._queries.append(call.input)
            return []
        outcome = "OUTCOME_FAILED" if call.failed else "OUTCOME_OK"
        return [
            self._chunk(
                {"executableCode": {"language": "PYTHON", "code": call.input}},
                {"codeExecutionResult": {"outcome": outcome, "output": call.output}},
            )
        ]

    def _call(self) -> Chunk:
        text = "".join(self._arguments)
        arguments: Chunk | None = {}
        if self._start.call_kind == "custom":
            arguments = wrap_input(text)
        elif text.strip():
            arguments = decode_object(text)
        if arguments is None:
            self.losses.approximated("functionCall.args", "not a JSON object; kept under `_raw`")
            arguments = {"_raw": text}
        return {"id": self._start.call_id, "name": self._start.name, "args": arguments}

    def _chunk(self, *parts: Chunk) -> Chunk:
        content = {"role": "model", "parts": list(parts)}
        return {"candidates": [{"content": content, "index": 0}], **self._common}

    def _end(self, event: ResponseEnd) -> Chunk:
        last: Chunk = {"text": ""}
        if not self._calls and any(piece.state for piece in self._carried):
            last["thoughtSignature"] = mint_base64(self._carried)
        candidate: Chunk = {
            "content": {"role": "model", "parts": self._calls or [last]},
            "finishReason": render_finish_reason(event.finish_reason),
            "index": 0,
        }
        grounding = render_grounding(self._texts)
        if self._queries:
            grounding = {"webSearchQueries": self._queries, **(grounding or {})}
        if grounding is not None:
            candidate["groundingMetadata"] = grounding
        chunk: Chunk = {"candidates": [candidate]}
        usage = event.usage or self._usage
        if usage is not None:
            chunk["usageMetadata"] = render_usage(usage)
        return chunk | self._common


def render_response(response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
    """Write a whole answer: the chunks of its stream, put together."""
    writer = ChunkWriter(reply)
    chunks = [chunk for event in unfold(response) for chunk in writer.write(event)]
    whole = chunks[-1]
    parts: list[Chunk] = []
    for part in (part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]):
        signs_the_last = part.get("text") == "" and "thoughtSignature" in part
        if signs_the_last and parts and "thoughtSignature" not in parts[-1] and "text" in parts[-1]:
            parts[-1]["thoughtSignature"] = part["thoughtSignature"]
        elif part != {"text": ""}:
            parts.append(part)
    whole["candidates"][0]["content"]["parts"] = parts or [{"text": ""}]
    return encode(whole), writer.losses.to_tuple()
