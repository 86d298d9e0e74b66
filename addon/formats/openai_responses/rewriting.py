"""Send an agent's own `POST /v1/responses` to another place that speaks the format.

The bytes stay as they are but for the model name (decision D3), and for thoughts in envelopes of
our own: those were minted for another provider, and this one would refuse them.
"""

from __future__ import annotations

from addon.formats.base import RenderedBody
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
            kept = _without_envelopes(body, sequence(document.get("input")))
            if kept is not None:
                losses.dropped("reasoning", "thoughts of another provider mean nothing here")
                changes["input"] = kept
        edited = edit_object(body, changes) if changes else body
    except ValueError as error:
        raise ClientRequestError(f"The request body cannot be read: {error}") from None
    return RenderedBody(path=PATH, headers=HEADERS, body=edited, losses=losses.to_tuple())


def _without_envelopes(body: bytes, given: list[object]) -> bytes | None:
    """Return the bytes of `input` without our own thoughts; None where there are none."""
    kept = [
        not is_ours(text(mapping(item).get("encrypted_content")))
        or mapping(item).get("type") != "reasoning"
        for item in given
    ]
    if all(kept):
        return None
    place = next(member for member in members(body) if member.key == "input")
    spans = items(body, place.value_start)
    texts = [body[start:end] for (start, end), keep in zip(spans, kept, strict=True) if keep]
    return b"[" + b",".join(texts) + b"]"
