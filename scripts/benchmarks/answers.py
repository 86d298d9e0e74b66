"""Made-up answers of providers, the same on every run, as the events that they stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import batched
from typing import Any

from benchmarks.conversations import CLAUDE, prose

WORDS = prose(4000).split(" ")
"""What the deltas of an answer say, over and over: about a token each."""

PIECE = 4096
"""Bytes at a time, where a stream is fed in pieces that care for no event."""

type Kinds = Sequence[tuple[str, int]]
"""Parts of an answer, in order: `text`, `reasoning` or `arguments`, and the number of deltas."""


def mixed(deltas: int) -> Kinds:
    """A coding agent's usual answer: some thoughts, an explanation, a tool call."""
    reasoning, arguments = deltas // 5, deltas * 3 // 10
    return (
        ("reasoning", reasoning),
        ("text", deltas - reasoning - arguments),
        ("arguments", arguments),
    )


def anthropic_events(kinds: Kinds) -> list[bytes]:
    """Write a stream of `POST /v1/messages`, event by event."""
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5120, "cache_read_input_tokens": 4096, "output_tokens": 1},
    }
    events = [anthropic_event("message_start", message=message)]
    for index, (kind, count) in enumerate(kinds):
        blocks: dict[str, dict[str, Any]] = {
            "text": {"type": "text", "text": ""},
            "reasoning": {"type": "thinking", "thinking": "", "signature": ""},
            "arguments": {"type": "tool_use", "id": "toolu_01", "name": "write_file", "input": {}},
        }
        block = blocks[kind]
        events.append(anthropic_event("content_block_start", index=index, content_block=block))
        events += [
            anthropic_event("content_block_delta", index=index, delta=delta)
            for delta in _anthropic_deltas(kind, count)
        ]
        events.append(anthropic_event("content_block_stop", index=index))
    reason = "tool_use" if kinds[-1][0] == "arguments" else "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": None}
    events.append(anthropic_event("message_delta", delta=delta, usage={"output_tokens": 512}))
    events.append(anthropic_event("message_stop"))
    return events


def anthropic_event(kind: str, **fields: object) -> bytes:
    """Write one event the way Anthropic does."""
    return f"event: {kind}\ndata: {_encode({'type': kind, **fields})}\n\n".encode()


def anthropic_answer(text: str) -> bytes:
    """Write a whole answer of `POST /v1/messages`."""
    call = {"type": "tool_use", "id": "toolu_01", "name": "run", "input": {"path": "tests"}}
    answer = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [{"type": "text", "text": text}, call],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 5120, "cache_read_input_tokens": 4096, "output_tokens": 512},
    }
    return _encode(answer).encode()


def openai_chat_events(kinds: Kinds) -> list[bytes]:
    """Write a stream of `POST /v1/chat/completions`, event by event."""
    events = [_chunk({"role": "assistant", "content": ""})]
    for kind, count in kinds:
        if kind == "arguments":
            function = {"name": "write_file", "arguments": ""}
            call = {"index": 0, "id": "call_01", "type": "function", "function": function}
            events.append(_chunk({"tool_calls": [call]}))
        events += [_chunk(delta) for delta in _chat_deltas(kind, count)]
    reason = "tool_calls" if kinds[-1][0] == "arguments" else "stop"
    usage = {"prompt_tokens": 5120, "completion_tokens": 512, "total_tokens": 5632}
    events.append(_chunk({}, finish_reason=reason))
    events.append(_chunk(None, usage=usage))
    events.append(b"data: [DONE]\n\n")
    return events


def in_pieces(stream: Sequence[bytes], size: int = PIECE) -> list[bytes]:
    """Cut a stream into pieces of equal size, wherever that is."""
    whole = b"".join(stream)
    return [bytes(piece) for piece in batched(whole, size)]


def words_of(count: int) -> list[str]:
    """Return what so many deltas of text say."""
    return [WORDS[number % len(WORDS)] + " " for number in range(count)]


def argument_pieces(count: int) -> list[str]:
    """Cut a JSON object into the pieces in which a provider writes it."""
    quoted = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words_of(count - 2)]
    return ['{"path": "report.md", "content": "', *quoted, '"}']


def _anthropic_deltas(kind: str, count: int) -> list[dict[str, str]]:
    match kind:
        case "text":
            return [{"type": "text_delta", "text": word} for word in words_of(count)]
        case "reasoning":
            thoughts = [
                {"type": "thinking_delta", "thinking": word} for word in words_of(count - 1)
            ]
            return [*thoughts, {"type": "signature_delta", "signature": "c2ln" * 60}]
        case _:
            pieces = argument_pieces(count)
            return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _chat_deltas(kind: str, count: int) -> list[dict[str, Any]]:
    match kind:
        case "text":
            return [{"content": word} for word in words_of(count)]
        case "reasoning":
            return [{"reasoning_content": word} for word in words_of(count)]
        case _:
            return [
                {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
                for piece in argument_pieces(count)
            ]


def _chunk(
    delta: dict[str, Any] | None,
    finish_reason: str | None = None,
    usage: dict[str, int] | None = None,
) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk = {
        "id": "chatcmpl-01",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "deepseek-chat",
        "service_tier": "default",
        "system_fingerprint": "fp_01",
        "choices": [] if delta is None else [choice],
        "usage": usage,
    }
    return f"data: {_encode(chunk)}\n\n".encode()


def _encode(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
