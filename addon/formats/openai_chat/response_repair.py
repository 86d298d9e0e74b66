"""Mend a whole answer of a provider that bends the format; one in order stays byte for byte."""

from __future__ import annotations

from typing import Any

from addon.formats.base import Reply
from addon.formats.openai_chat.choice_mending import ChoiceMender
from addon.formats.openai_chat.dialects import dialect
from addon.formats.openai_chat.repair import was_translated
from addon.formats.openai_chat.response import parse_response, render_response
from addon.neutral import ProviderResponseError
from addon.wire.codec import decode_object, encode
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]


def repair_response(body: bytes, dialect_name: str, reply: Reply) -> bytes:
    """Return the answer as an agent can read it.

    Args:
        body: A provider's answer with status 200 that holds no error.
        dialect_name: The provider.
        reply: What the agent expects.
    """
    if dialect_name == "openai":
        return body
    wire = decode_object(body)
    if wire is None or was_translated(dialect(dialect_name), reply):
        try:
            return render_response(parse_response(body)[0], reply)[0]
        except ProviderResponseError:
            return body
    changed = False
    seed = f"{text(wire.get('id'))}|{wire.get('created')}"
    for position, choice in enumerate(map(mapping, sequence(wire.get("choices")))):
        changed = _mend_choice(choice, position, seed) or changed
    return encode(wire) if changed else body


def _mend_choice(choice: Wire, position: int, seed: str) -> bool:
    message = mapping(choice.get("message")) or mapping(choice.get("delta"))
    piece = {**choice, "delta": dict(message)}
    piece.pop("message", None)
    mender = ChoiceMender(seed)
    changed = mender.mend(piece)
    mended = mapping(piece["delta"])
    if "content" not in mended:
        mended["content"] = None
        changed = True
    for call in map(mapping, sequence(mended.get("tool_calls"))):
        changed = _fill_arguments(call) or changed
    if not piece.get("finish_reason"):
        piece["finish_reason"] = mender.final_reason()
        changed = True
    if type(piece.get("index")) is not int:
        piece["index"] = position
        changed = True
    if not changed:
        return False
    piece.pop("delta")
    choice.clear()
    choice.update(piece, message=mended)
    return True


def _fill_arguments(call: Wire) -> bool:
    """Agents parse the arguments of a function, so they must not be empty."""
    function = mapping(call.get("function"))
    if not function or function.get("arguments"):
        return False
    function["arguments"] = "{}"
    return True
