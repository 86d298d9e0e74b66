"""Compaction: a long history in exchange for what its user said and one opaque item.

Follows https://platform.openai.com/docs/api-reference/responses/compact. What OpenAI puts into the
item can be read by OpenAI alone; ours is an envelope that holds a summary, written by the model
that the agent asked for, and becomes a message again wherever it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from addon.neutral import ProviderResponseError
from addon.wire.carrier import Carried, mint, read
from addon.wire.codec import decode_object, encode
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]

COMPACT_PATH = "/responses/compact"
KIND = "compaction"
TRIGGER = "compaction_trigger"
"""The input item by which an agent asks for compaction in place of an answer."""

_KEPT = ("model", "instructions", "input", "prompt_cache_key", "service_tier", "user")
_PROMPT = (
    "Summarise this conversation so far, for a colleague who takes it over and sees nothing but "
    "what I said and your summary. Keep what is needed to go on: what is to be done and why, what "
    "was decided, what was done and found with which tools, names, paths, figures and wording that "
    "matter, what is open and what comes next. Leave out what is settled and of no more use. Call "
    "no tools; write the summary and nothing else."
)
_HEADING = "Summary of what was said and done so far:\n\n"


def summary_request(body: Mapping[str, Any], items: Iterable[Any]) -> bytes:
    """Write the request that asks a model for the summary.

    Args:
        body: The agent's request.
        items: Its whole input.
    """
    question = {"type": "message", "role": "user", "content": _PROMPT}
    kept = {key: body[key] for key in _KEPT if body.get(key) is not None}
    return encode({**kept, "input": [*items, question], "store": False})


def compacted(answer: bytes, said: Iterable[Wire], response_id: str) -> bytes:
    """Write the compacted response.

    Args:
        answer: The response object that holds the summary.
        said: The messages that the user wrote.
        response_id: What the compacted response is called.

    Raises:
        ProviderResponseError: The answer holds no whole summary.
    """
    response, item = _summarised(answer, response_id)
    return encode({
        "id": response_id,
        "object": "response.compaction",
        "created_at": response.get("created_at"),
        "output": [*said, item],
        "usage": response.get("usage"),
    })  # fmt: skip


def compaction_events(answer: bytes, response_id: str) -> bytes:
    """Write the stream that an agent gets which asks for compaction amid its input.

    Args:
        answer: The response object that holds the summary.
        response_id: What the response is called.

    Raises:
        ProviderResponseError: The answer holds no whole summary.
    """
    response, item = _summarised(answer, response_id)
    response = {**response, "id": response_id, "output": [item]}
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    events: tuple[tuple[str, Wire], ...] = (
        ("response.created", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": item}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response}),
    )
    return b"".join(
        b"event: %s\ndata: %s\n\n"
        % (kind.encode(), encode({"type": kind, "sequence_number": number, **event}))
        for number, (kind, event) in enumerate(events)
    )


def _summarised(answer: bytes, response_id: str) -> tuple[Wire, Wire]:
    """Return the answer, and the item that holds its words."""
    response = decode_object(answer) or {}
    summary = "".join(
        text(mapping(part).get("text"))
        for item in sequence(response.get("output"))
        if mapping(item).get("type") == "message"
        for part in sequence(mapping(item).get("content"))
    )
    envelope = mint([Carried(summary)]) if summary else ""
    if response.get("status") != "completed" or not envelope:
        raise ProviderResponseError("the model did not summarise the conversation")
    return response, {"type": KIND, "id": f"cmp_{response_id}", "encrypted_content": envelope}


def summary_message(item: Mapping[str, Any]) -> Wire | None:
    """Return the message that one of our compaction items stands for; None for a foreign one."""
    pieces = read(text(item.get("encrypted_content")))
    if pieces is None:
        return None
    words = _HEADING + "".join(piece.text for piece in pieces)
    content = [{"type": "input_text", "text": words}]
    return {"type": "message", "role": "user", "content": content}
