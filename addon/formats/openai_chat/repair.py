"""Pass on the answers of providers that bend the format, mending only what would mislead an agent.

A chunk that is in order goes out byte for byte; one that is not is put right (`choice_mending`).
Finish reasons and usage are held back for the end, where they belong, for providers send them
early, late and repeatedly.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.base import Reply, StreamRepairer
from addon.formats.openai_chat.choice_mending import ChoiceMender, Wire
from addon.formats.openai_chat.dialects import Dialect, dialect
from addon.formats.openai_chat.errors import find_error_object
from addon.formats.openai_chat.stream_decoder import (
    ChatDecoder,
)
from addon.formats.openai_chat.stream_encoder import DONE, ChatEncoder
from addon.neutral import ErrorInfo, Event
from addon.wire.answer_decoder import CUT, NESTED_TOO_DEEPLY
from addon.wire.codec import decode_object, encode
from addon.wire.openai_errors import error_object, parse_error_object
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.sse import LIMIT, SseDecoder, SseEvent, SseOverflowError, frame

_BLANKS = b" \t\r\n\xef\xbb\xbf"
_OBJECT = "chat.completion.chunk"
_MOST_CHOICES = 128
"""OpenAI's own limit; a provider that sends more is broken or hostile."""


def repairer(dialect_name: str, reply: Reply) -> StreamRepairer | None:
    """Make what a provider's streams need: nothing for OpenAI, a mender for all others."""
    if dialect_name == "openai":
        return None
    if was_translated(dialect(dialect_name), reply):
        return Retranslator(reply)
    return StreamMender(reply)


def was_translated(provider: Dialect, reply: Reply) -> bool:
    """Tell whether a request went through the hub, so that its answer has to as well."""
    if reply.legacy_functions and "functions" in provider.refused:
        return True
    return bool(reply.custom_tools) and not provider.custom_tools


class Retranslator:
    """Reads a stream and writes it anew, for agents whose words the provider does not know."""

    def __init__(self, reply: Reply) -> None:
        self._decoder = ChatDecoder()
        self._encoder = ChatEncoder(reply)

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return whole wire events."""
        return self._write(self._decoder.feed(data))

    def close(self) -> bytes:
        """Return what ends the agent's stream properly."""
        return self._write(self._decoder.feed_eof())

    def _write(self, events: list[Event]) -> bytes:
        return b"".join(map(self._encoder.encode, events))


class _PlainDelta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: str | None = None
    reasoning_content: str | None = None


class _PlainChoice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    index: int
    delta: _PlainDelta
    finish_reason: None = None
    logprobs: Any = None


class _PlainChunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A chunk that says more of a text and holds nothing that might need mending."""

    id: str
    object: str
    created: int
    model: str
    choices: list[_PlainChoice]
    usage: None = None
    system_fingerprint: Any = None
    service_tier: Any = None
    obfuscation: Any = None
    provider: Any = None


_decode_plain = msgspec.json.Decoder(_PlainChunk).decode
_MOST_MISSES = 8
"""Odd chunks in a row after which it is no longer worth while to look for plain ones."""


class _Held(msgspec.Struct):
    """A chunk that waits for its place."""

    wire: Wire
    data: bytes | None
    """Its bytes, if they are in order."""


class StreamMender:
    """Passes one stream on."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._sse = SseDecoder()
        self._plain: bytearray | None = None
        self._sniffed = False
        self._head: Wire = {}
        self._head_values: tuple[Any, ...] = ()
        self._choices: dict[int, ChoiceMender] = {}
        self._finishes: dict[int, _Held] = {}
        self._usage: _Held | None = None
        self._groq_usage: Wire = {}
        """Groq tells the usage a second time at a place of its own; alone, it counts."""
        self._misses = 0
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return whole wire events."""
        if self._ended:
            return b""
        if not self._sniffed and (start := data.lstrip(_BLANKS)[:1]):
            self._sniffed = True
            self._plain = bytearray() if start in b"{[" else None
        if self._plain is not None:
            self._plain += data[: LIMIT + 1 - len(self._plain)]
            return b""
        try:
            return self._pass_all(self._sse.feed(data))
        except SseOverflowError as error:
            return self._fail(ErrorInfo("server_error", str(error), code="event_too_large"))
        except RecursionError:
            return self._fail(NESTED_TOO_DEEPLY)

    def close(self) -> bytes:
        """Return what ends the agent's stream properly."""
        if self._ended:
            return b""
        if self._plain is not None:
            self._ended = True
            retranslator = Retranslator(self._reply)
            return retranslator.feed(bytes(self._plain)) + retranslator.close()
        try:
            output = self._pass_all(self._sse.flush(), flushing=True)
        except RecursionError:
            return self._fail(NESTED_TOO_DEEPLY)
        if self._ended:
            return output
        if self._choices and all(choice.finished for choice in self._choices.values()):
            return output + self._finish()
        return output + self._fail(CUT)

    def _pass_all(self, incoming: list[SseEvent], *, flushing: bool = False) -> bytes:
        pieces: list[bytes] = []
        for event in incoming:
            pieces.append(self._pass(event, flushing=flushing))
            if self._ended:
                break
        return b"".join(pieces)

    def _pass(self, event: SseEvent, *, flushing: bool) -> bytes:
        data = event.data
        if self._misses < _MOST_MISSES and self._is_plain(event):
            return frame(data)
        if data.startswith(b"[DONE]"):
            return self._finish() if self._choices else self._fail(CUT)
        wire = decode_object(data)
        if wire is None:
            if flushing or not data.lstrip().startswith(b"{"):
                return b""
            message = "the provider sent an event that is not JSON"
            return self._fail(ErrorInfo("server_error", message, code="unreadable_response"))
        error = parse_error_object(wire) if event.name == b"error" else find_error_object(wire)
        if error is not None:
            return self._fail(error)
        return self._pass_chunk(wire, data)

    def _is_plain(self, event: SseEvent) -> bool:
        """Tell by one quick look whether a chunk is in order; nearly all of a stream are."""
        try:
            chunk = _decode_plain(event.data)
        except (msgspec.DecodeError, RecursionError):
            self._misses += 1
            return False
        self._misses = 0
        if event.name or not chunk.choices or b"\n" in event.data:
            return False
        for choice in chunk.choices:
            if choice.index not in self._choices or choice.index in self._finishes:
                return False
        return self._head_values == (chunk.id, chunk.object, chunk.created, chunk.model)

    def _pass_chunk(self, wire: Wire, data: bytes) -> bytes:
        listed = sequence(wire.get("choices"))
        choices = [choice for choice in map(mapping, listed) if self._is_followed(choice)]
        changed = b"\n" in data or len(choices) < len(listed)
        if changed:
            wire["choices"] = choices
        if choices:
            changed = self._mend_head(wire) or changed
        usage = self._take_usage(wire, choices)
        if not choices:
            if usage is not None:
                changed = self._mend_head(wire) or changed
                self._usage = _Held({**wire, "usage": usage}, None if changed else data)
            return b""
        changed = usage is not None or changed
        output: list[bytes] = []
        for choice in choices:
            changed = self._mend_choice(choice, output) or changed
        held = _Held(wire, None if changed else data)
        finishing = [choice for choice in choices if choice.get("finish_reason") is not None]
        if not finishing:
            output.append(_write(held))
            return b"".join(output)
        for choice in finishing:
            self._finishes[choice["index"]] = held
        error = next((error for mender in self._choices.values() if (error := mender.error)), None)
        if error is not None:
            output += (_write(_unfinished(held)), self._fail(error))
        return b"".join(output)

    def _is_followed(self, choice: Wire) -> bool:
        return len(self._choices) < _MOST_CHOICES or integer(choice.get("index")) in self._choices

    def _mend_head(self, wire: Wire) -> bool:
        """Keep id, time and model the same in all chunks."""
        if not self._head:
            created = integer(wire.get("created"))
            self._head = {
                "id": text(wire.get("id")) or f"chatcmpl-{created or self._reply.created}",
                "object": _OBJECT,
                "created": self._reply.created if created is None else created,
                "model": text(wire.get("model")) or self._reply.model or "",
            }
            self._head_values = tuple(self._head.values())
        changed = False
        for key, value in self._head.items():
            if wire.get(key) != value:
                wire[key] = value
                changed = True
        return changed

    def _take_usage(self, wire: Wire, choices: list[Wire]) -> Wire | None:
        """Take the usage out of a chunk, wherever it stands, to be told once at the end."""
        usage = mapping(wire.get("usage"))
        for choice in choices:
            usage = usage or mapping(choice.get("usage"))
            choice.pop("usage", None)
        if not usage:
            self._groq_usage = mapping(mapping(wire.get("x_groq")).get("usage"))
            return None
        if choices:
            if self._reply.include_usage:
                wire["usage"] = None
            else:
                wire.pop("usage", None)
            self._usage = _Held({**self._head, "choices": [], "usage": usage}, None)
        return usage

    def _mend_choice(self, choice: Wire, output: list[bytes]) -> bool:
        index = integer(choice.get("index"))
        changed = index is None
        if index is None:
            index = choice["index"] = 0
        mender = self._choices.get(index)
        if mender is None:
            seed = f"{self._head['id']}|{self._head['created']}"
            mender = self._choices[index] = ChoiceMender(seed)
        changed = mender.mend(choice) or changed
        held = self._finishes.get(index)
        if held is not None and (choice["delta"] or choice.get("finish_reason") is not None):
            # The provider said too early that this choice has ended.
            output.append(_write(_unfinished(held)))
            self._finishes = {
                key: other for key, other in self._finishes.items() if other is not held
            }
        return changed

    def _finish(self) -> bytes:
        """End the stream orderly: what is missing, finish reasons, usage, `[DONE]`."""
        self._ended = True
        pieces: list[bytes] = []
        for index, mender in self._choices.items():
            if calls := mender.missing_arguments():
                pieces.append(self._chunk({"index": index, "delta": {"tool_calls": calls}}))
        held_once = {id(held): held for held in self._finishes.values()}
        pieces += [_write(held) for held in held_once.values()]
        for index, mender in self._choices.items():
            if index not in self._finishes:
                reason = mender.final_reason()
                end: Wire = {"index": index, "delta": {}, "finish_reason": reason}
                pieces.append(self._chunk(end))
        if self._usage is None and self._groq_usage:
            self._usage = _Held({**self._head, "choices": [], "usage": self._groq_usage}, None)
        if self._usage is not None and self._reply.include_usage:
            pieces.append(_write(self._usage))
        pieces.append(DONE)
        return b"".join(pieces)

    def _chunk(self, choice: Wire) -> bytes:
        choice.setdefault("finish_reason", None)
        return frame(encode({**self._head, "choices": [choice]}))

    def _fail(self, error: ErrorInfo) -> bytes:
        self._ended = True
        return frame(encode(error_object(error)))


def _unfinished(held: _Held) -> _Held:
    choices = [{**choice, "finish_reason": None} for choice in _choices_of(held)]
    return _Held({**held.wire, "choices": choices}, None)


def _choices_of(held: _Held) -> list[dict[str, Any]]:
    return [mapping(choice) for choice in sequence(held.wire.get("choices"))]


def _write(held: _Held) -> bytes:
    return frame(encode(held.wire) if held.data is None else held.data)
