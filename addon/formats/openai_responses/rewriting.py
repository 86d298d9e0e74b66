"""Send an agent's own `POST /v1/responses` to another place that speaks the format.

The bytes stay as they are but for the model name (decision D3), and for thoughts in envelopes of
our own: those were minted for another provider, and this one would refuse them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.base import Past, RenderedBody
from addon.formats.openai_responses.request_rendering import HEADERS, PATH
from addon.neutral import ClientRequestError, LossList
from addon.wire.carrier import PREFIX, is_ours
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object, items, members
from addon.wire.reading import mapping, sequence, text


def rewrite_request(body: bytes, model: str) -> RenderedBody:
    """Put `model` in the place of the agent's.

    Raises:
        ClientRequestError: The body is not a JSON object.
    """
    losses = LossList()
    document = decode_object(body)
    if document is None:
        raise ClientRequestError("We could not parse the JSON body of your request.")
    changes: dict[str, bytes | None] = {}
    if document.get("model") != model:
        changes["model"] = encode(model)
    try:
        if PREFIX.encode() in body:
            kept = _without(body, document, is_ours)
            if kept is not None:
                losses.dropped("reasoning", "thoughts of another provider mean nothing here")
                changes["input"] = kept
        edited = edit_object(body, changes) if changes else body
    except ValueError as error:
        raise ClientRequestError(f"The request body cannot be read: {error}") from None
    return RenderedBody(path=PATH, headers=HEADERS, body=edited, losses=losses.to_tuple())


def refit_request(body: bytes, _model: str, _dialect: str, past: Past) -> bytes:
    """Return the request without thoughts that the destination did not think."""
    if b'"encrypted_content"' not in body:
        return body
    document = decode_object(body) or {}
    states = [state for state in map(_state, _items(document)) if state and not is_ours(state)]
    foreign = past.foreign(states) if states else ()
    kept = _without(body, document, foreign.__contains__) if foreign else None
    return body if kept is None else edit_object(body, {"input": kept})


def _without(body: bytes, document: dict[str, Any], leaves: Callable[[str], bool]) -> bytes | None:
    """Return the bytes of `input` without some of the thoughts; None where there are none."""
    kept = [not leaves(_state(item)) for item in _items(document)]
    if all(kept):
        return None
    place = next(member for member in members(body) if member.key == "input")
    spans = items(body, place.value_start)
    texts = [body[start:end] for (start, end), keep in zip(spans, kept, strict=True) if keep]
    return b"[" + b",".join(texts) + b"]"


def _items(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(map(mapping, sequence(document.get("input"))))


def _state(item: dict[str, Any]) -> str:
    return text(item.get("encrypted_content")) if item.get("type") == "reasoning" else ""
