"""Made-up answers of Responses and Gemini; see `answers` for the others."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.answers import Kinds, argument_pieces, words_of
from benchmarks.conversations import AGENT_MODEL, call_id

type Wire = dict[str, Any]


def openai_responses_events(kinds: Kinds) -> list[bytes]:
    """Write a stream of `POST /v1/responses`, event by event."""
    stream = _ResponsesStream()
    stream.say("response.created", response=_response("in_progress", []))
    items: list[Wire] = []
    for place, (kind, count) in enumerate(kinds):
        words = argument_pieces(count) if kind == "arguments" else words_of(count)
        items.append(_ITEMS[kind](stream, place, words))
    stream.say("response.completed", response=_response("completed", items))
    return stream.events


def gemini_events(kinds: Kinds) -> list[bytes]:
    """Write a stream of `:streamGenerateContent`, event by event.

    Gemini gives the arguments of a call whole.
    """
    events: list[bytes] = []
    for kind, count in kinds:
        if kind == "arguments":
            arguments = json.loads("".join(argument_pieces(count)))
            call = {"functionCall": {"name": "write_file", "args": arguments}}
            events.append(_gemini_chunk({**call, "thoughtSignature": "c2ln" * 60}))
        else:
            thought = {"thought": True} if kind == "reasoning" else {}
            events += [_gemini_chunk({"text": word, **thought}) for word in words_of(count)]
    return [*events, _gemini_chunk({"text": ""}, finishReason="STOP")]


class _ResponsesStream:
    def __init__(self) -> None:
        self.events: list[bytes] = []

    def say(self, kind: str, **fields: object) -> None:
        wire = {"type": kind, "sequence_number": len(self.events), **fields}
        self.events.append(f"event: {kind}\ndata: {_encode(wire)}\n\n".encode())


def _reasoning(stream: _ResponsesStream, place: int, words: list[str]) -> Wire:
    at = {"item_id": "rs_01", "output_index": place}
    part = {**at, "summary_index": 0}
    item: Wire = {"id": "rs_01", "type": "reasoning", "summary": []}
    stream.say("response.output_item.added", output_index=place, item=item)
    empty = {"type": "summary_text", "text": ""}
    stream.say("response.reasoning_summary_part.added", **part, part=empty)
    for word in words:
        stream.say("response.reasoning_summary_text.delta", **part, delta=word)
    text = "".join(words)
    stream.say("response.reasoning_summary_text.done", **part, text=text)
    item = {**item, "summary": [{"type": "summary_text", "text": text}]}
    stream.say("response.output_item.done", output_index=place, item=item)
    return item


def _text(stream: _ResponsesStream, place: int, words: list[str]) -> Wire:
    at = {"item_id": "msg_01", "output_index": place, "content_index": 0}
    item: Wire = {"id": "msg_01", "type": "message", "role": "assistant", "content": []}
    stream.say("response.output_item.added", output_index=place, item=item)
    part: Wire = {"type": "output_text", "text": "", "annotations": []}
    stream.say("response.content_part.added", **at, part=part)
    for word in words:
        stream.say("response.output_text.delta", **at, delta=word, logprobs=[])
    part = {**part, "text": "".join(words)}
    stream.say("response.output_text.done", **at, text=part["text"])
    stream.say("response.content_part.done", **at, part=part)
    item = {**item, "content": [part], "status": "completed"}
    stream.say("response.output_item.done", output_index=place, item=item)
    return item


def _call(stream: _ResponsesStream, place: int, words: list[str]) -> Wire:
    at = {"item_id": "fc_01", "output_index": place}
    item: Wire = {
        "id": "fc_01",
        "type": "function_call",
        "call_id": call_id("call_", 1),
        "name": "write_file",
        "arguments": "",
    }
    stream.say("response.output_item.added", output_index=place, item=item)
    for word in words:
        stream.say("response.function_call_arguments.delta", **at, delta=word)
    item = {**item, "arguments": "".join(words), "status": "completed"}
    stream.say("response.function_call_arguments.done", **at, arguments=item["arguments"])
    stream.say("response.output_item.done", output_index=place, item=item)
    return item


_ITEMS = {"reasoning": _reasoning, "text": _text, "arguments": _call}


def _response(status: str, output: list[Wire]) -> Wire:
    usage = {"input_tokens": 5120, "output_tokens": 512, "total_tokens": 5632}
    return {
        "id": "resp_01",
        "object": "response",
        "created_at": 1760000000,
        "model": AGENT_MODEL,
        "status": status,
        "output": output,
        "usage": usage if status == "completed" else None,
    }


def _gemini_chunk(part: Wire, **fields: object) -> bytes:
    chunk = {
        "candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0, **fields}],
        "usageMetadata": {
            "promptTokenCount": 5120,
            "candidatesTokenCount": 512,
            "totalTokenCount": 5632,
        },
        "modelVersion": "gemini-3-pro",
        "responseId": "R1",
    }
    return f"data: {_encode(chunk)}\r\n\r\n".encode()


def _encode(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
