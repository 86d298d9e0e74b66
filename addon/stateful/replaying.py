"""Tell a finished response again as a stream.

A stream that was kept is told as it was. For any other response the events are made anew from its
object, each text in one piece.

    created in_progress (item added, its parts, item done)* (completed | incomplete | failed)

Follows https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from addon.wire.codec import encode
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]


def split_events(stream: bytes) -> list[bytes]:
    """Return the events of a stream, comments left out; each stands at its sequence number."""
    pieces = stream.split(b"\n\n")
    return [piece + b"\n\n" for piece in pieces if piece and not piece.startswith(b":")]


def pack(events: list[bytes]) -> bytes:
    """Pack the events of a stream for keeping."""
    return zlib.compress(b"".join(events), 1)


def unpack(packed: bytes | None) -> list[bytes] | None:
    """Return events that were packed; None where there are none or they are damaged."""
    try:
        return None if packed is None else split_events(zlib.decompress(packed))
    except zlib.error:
        return None


def events_of(response: Wire) -> list[bytes]:
    """Make the events of a finished response."""
    begun: Wire = {**response, "status": "in_progress", "output": [], "usage": None, "error": None}
    begun["incomplete_details"] = None
    events: list[tuple[str, Wire]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
    ]
    for index, item in enumerate(sequence(response.get("output"))):
        events += _item_events(mapping(item), index)
    status = text(response.get("status"))
    ending = status if status in ("incomplete", "failed") else "completed"
    events.append((f"response.{ending}", {"response": response}))
    return [
        b"event: %b\ndata: %b\n\n"
        % (kind.encode(), encode({"type": kind, "sequence_number": number, **fields}))
        for number, (kind, fields) in enumerate(events)
    ]


def _item_events(item: Wire, index: int) -> Iterator[tuple[str, Wire]]:
    place = {"item_id": item.get("id"), "output_index": index}
    begun: Wire = dict(item)
    inside: list[tuple[str, Wire]] = []
    match item.get("type"):
        case "message":
            nothing: list[Wire] = []
            begun |= {"status": "in_progress", "content": nothing}
            for number, part in enumerate(sequence(item.get("content"))):
                inside += _part_events(mapping(part), {**place, "content_index": number})
        case "reasoning":
            begun = {"type": "reasoning", "id": item.get("id"), "summary": []}
            for number, part in enumerate(sequence(item.get("summary"))):
                inside += _summary_events(mapping(part), {**place, "summary_index": number})
        case "function_call":
            begun |= {"status": "in_progress", "arguments": ""}
            inside += _words(
                "response.function_call_arguments", "arguments", text(item.get("arguments")), place
            )
        case "custom_tool_call":
            begun |= {"status": "in_progress", "input": ""}
            inside += _words(
                "response.custom_tool_call_input", "input", text(item.get("input")), place
            )
        case _:
            begun["status"] = "in_progress"
    yield "response.output_item.added", {"output_index": index, "item": begun}
    yield from inside
    yield "response.output_item.done", {"output_index": index, "item": item}


def _part_events(part: Wire, place: Wire) -> Iterator[tuple[str, Wire]]:
    refusal = part.get("type") == "refusal"
    name = "refusal" if refusal else "text"
    kind = "response.refusal" if refusal else "response.output_text"
    more: Wire = {} if refusal else {"logprobs": []}
    empty: Wire = {**part, name: ""}
    if not refusal:
        empty["annotations"] = []
    yield "response.content_part.added", {**place, "part": empty}
    yield f"{kind}.delta", {**place, "delta": part.get(name), **more}
    for number, annotation in enumerate(sequence(part.get("annotations"))):
        noted = {**place, "annotation_index": number, "annotation": annotation}
        yield "response.output_text.annotation.added", noted
    yield f"{kind}.done", {**place, name: part.get(name), **more}
    yield "response.content_part.done", {**place, "part": part}


def _summary_events(part: Wire, place: Wire) -> Iterator[tuple[str, Wire]]:
    yield "response.reasoning_summary_part.added", {**place, "part": {**part, "text": ""}}
    yield from _words("response.reasoning_summary_text", "text", text(part.get("text")), place)
    yield "response.reasoning_summary_part.done", {**place, "part": part}


def _words(kind: str, name: str, words: str, place: Wire) -> Iterator[tuple[str, Wire]]:
    yield f"{kind}.delta", {**place, "delta": words}
    yield f"{kind}.done", {**place, name: words}
