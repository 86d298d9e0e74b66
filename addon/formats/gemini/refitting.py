"""Take signatures out of a request whose provider did not give them, in place.

An agent returns every signature that it was shown, also those of a provider that answered earlier.
The API refuses them, so they go; all other bytes stay (decision D3). A call that must be signed
gets the documented word for a signature that is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.base import Past
from addon.formats.gemini.models import gemini_model
from addon.formats.gemini.names import field
from addon.formats.gemini.turns import EMPTY, SENTINEL
from addon.neutral import LossList
from addon.wire.carrier import is_ours
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text

_KEYS = ("thoughtSignature", "thought_signature")


def refit_request(body: bytes, model: str, _dialect: str, past: Past) -> bytes:
    """Return the request without signatures that the destination did not give."""
    document = _document(body)
    states = [
        state
        for content in sequence(document.get("contents"))
        for part in _parts(mapping(content))
        if (state := _state(part)) and not is_ours(state) and state != SENTINEL
    ]
    foreign = past.foreign(states) if states else ()
    return _without(body, document, model, foreign.__contains__) if foreign else body


def without_envelopes(body: bytes, model: str) -> bytes:
    """Return the request without signatures that Detour brought along from other formats."""
    return _without(body, _document(body), model, is_ours)


def sign_calls(body: bytes, document: dict[str, Any], losses: LossList) -> bytes:
    """Return the request with a word for a signature where one is due and none is.

    Older generations give none, while newer ones demand them of the first call of each step.

    Args:
        body: The request.
        document: The same, decoded.
        losses: Receives that signatures are gone.
    """
    unsigned: dict[int, int] = {}
    for index, content in enumerate(map(mapping, sequence(document.get("contents")))):
        parts = _parts(content)
        calls = [at for at, part in enumerate(parts) if field(part, "functionCall") is not None]
        if calls and not any(_state(parts[at]) for at in calls):
            unsigned[index] = calls[0]
    if not unsigned:
        return body
    losses.approximated("contents.parts.thoughtSignature", "the call's thought signature is gone")
    place = next(member for member in members(body) if member.key == "contents")
    spans = items(body, place.value_start)
    return splice(
        body,
        [Splice(*spans[at], _sign(body[slice(*spans[at])], call)) for at, call in unsigned.items()],
    )


def _sign(span: bytes, call: int) -> bytes:
    place = next(member for member in members(span) if member.key == "parts")
    array = span[place.value_start : place.value_end]
    start, end = items(array)[call]
    signed = edit_object(array[start:end], {"thoughtSignature": encode(SENTINEL)})
    return edit_object(span, {"parts": splice(array, [Splice(start, end, signed)])})


def _document(body: bytes) -> dict[str, Any]:
    if not any(key.encode() in body for key in _KEYS):
        return {}
    return decode_object(body) or {}


def _without(
    body: bytes, document: dict[str, Any], model: str, leaves: Callable[[str], bool]
) -> bytes:
    contents = list(map(mapping, sequence(document.get("contents"))))
    changed = [
        index
        for index, content in enumerate(contents)
        if any(leaves(_state(part)) for part in _parts(content))
    ]
    if not changed:
        return body
    place = next(member for member in members(body) if member.key == "contents")
    spans = items(body, place.value_start)
    signed = gemini_model(model).signed_calls
    return splice(
        body,
        [
            Splice(*spans[at], _edit_content(body[slice(*spans[at])], contents[at], leaves, signed))
            for at in changed
        ],
    )


def _edit_content(
    span: bytes, content: dict[str, Any], leaves: Callable[[str], bool], signed: bool
) -> bytes:
    place = next(member for member in members(span) if member.key == "parts")
    array = span[place.value_start : place.value_end]
    kept: list[bytes] = []
    called = False
    for part, (start, end) in zip(_parts(content), items(array), strict=True):
        wire = array[start:end]
        is_call = field(part, "functionCall") is not None
        if leaves(_state(part)):
            if part.get("thought") is True or part.get("text") == "":
                continue
            stands_in = encode(SENTINEL) if is_call and signed and not called else None
            key = next(key for key in _KEYS if key in part)
            wire = edit_object(wire, {key: stands_in})
        called = called or is_call
        kept.append(wire)
    parts = b",".join(kept) or encode({"text": EMPTY})
    return edit_object(span, {"parts": b"[" + parts + b"]"})


def _parts(content: dict[str, Any]) -> list[dict[str, Any]]:
    return list(map(mapping, sequence(content.get("parts"))))


def _state(part: dict[str, Any]) -> str:
    return text(field(part, "thoughtSignature"))
