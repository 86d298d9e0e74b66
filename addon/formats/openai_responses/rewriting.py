"""Send an agent's own `POST /v1/responses` to another place that speaks the format.

The bytes stay as they are but for the model name (decision D3), and for envelopes of our own, which
this provider would refuse: thoughts were minted for another one, and of a compaction the summary is
told in words. Ids of calls that are too long are shortened, of calls and results alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.base import Past, RenderedBody
from addon.formats.openai_responses.compaction import KIND, summary_message
from addon.formats.openai_responses.item_rendering import legal_call_id
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
        if PREFIX.encode() in body and any(map(is_ours, map(_state, _items(document)))):
            losses.dropped("reasoning", "thoughts of another provider mean nothing here")
        fitting = _replaced(body, document, _fitting)
        if fitting is not None:
            changes["input"] = fitting
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
    if not foreign:
        return body
    kept = _replaced(body, document, lambda item: b"" if _state(item) in foreign else None)
    return body if kept is None else edit_object(body, {"input": kept})


def _replaced(
    body: bytes, document: dict[str, Any], replace: Callable[[dict[str, Any]], bytes | None]
) -> bytes | None:
    """Return the bytes of `input` with some items replaced; None where there are none.

    Args:
        body: The request.
        document: The same, decoded.
        replace: Returns what takes the place of an item, nothing to leave it out, None to keep it.
    """
    replacements = list(map(replace, _items(document)))
    if all(item is None for item in replacements):
        return None
    place = next(member for member in members(body) if member.key == "input")
    spans = items(body, place.value_start)
    texts = [
        body[start:end] if item is None else item
        for (start, end), item in zip(spans, replacements, strict=True)
    ]
    return b"[" + b",".join(filter(None, texts)) + b"]"


def _fitting(item: dict[str, Any]) -> bytes | None:
    """Leave out our own thoughts, tell our own summaries, and shorten ids of calls."""
    if is_ours(_state(item)):
        return b""
    call_id = text(item.get("call_id"))
    legal = legal_call_id(call_id)
    if legal != call_id:
        return encode({**item, "call_id": legal})
    said = summary_message(item) if item.get("type") == KIND else None
    return None if said is None else encode(said)


def _items(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(map(mapping, sequence(document.get("input"))))


def _state(item: dict[str, Any]) -> str:
    return text(item.get("encrypted_content")) if item.get("type") == "reasoning" else ""
