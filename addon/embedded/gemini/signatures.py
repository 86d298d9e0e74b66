"""Thought signatures: written by this provider, bound to what they sign, and demanded back.

Pages followed: https://ai.google.dev/gemini-api/docs/thought-signatures, and the error texts that
people report.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any

from addon.embedded.gemini.protobuf import standard_base64
from addon.embedded.refusal import Refusal

type Part = dict[str, Any]

_SENTINELS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
SENTINELS = frozenset(
    written
    for word in _SENTINELS
    for written in (standard_base64(word), base64.b64encode(word.encode()).decode())
)
"""Documented words that stand for a signature which is gone, sent as they are or in base64."""
_HALF = 32


def sign_call(secret: bytes, model: str, call: Part) -> str:
    """Write the signature of a function call."""
    return _sign(secret, _called(model, call))


def sign_text(secret: bytes, model: str, text: str) -> str:
    """Write the signature of the text that an answer ends with."""
    return _sign(secret, _told(model, text))


def check_signatures(
    contents: list[Part], model: str, secret: bytes | None, *, demanded: bool
) -> int:
    """Check every signature of a conversation, and that the current turn's calls have theirs.

    Returns:
        How many sentinels stood for a signature.

    Raises:
        Refusal: One is missing, altered, or belongs to something else.
    """
    sentinels = 0
    text = ""
    for content in contents:
        if content["role"] != "model":
            text = ""
            continue
        for part in content["parts"]:
            if not part.get("thought"):
                text += part.get("text", "")
            signature = part.get("thoughtSignature")
            if signature is None:
                continue
            if signature in SENTINELS:
                sentinels += 1
            elif secret is not None:
                call = part.get("functionCall")
                bound = _called(model, call) if call else _told(model, text)
                _check(secret, signature, bound, is_thought=bool(part.get("thought")))
            text = ""
    if demanded:
        _check_current_turn(contents)
    return sentinels


def _check_current_turn(contents: list[Part]) -> None:
    """Demand the signature of each step's first call since the user last said something.

    A step is what the model says at a stretch, be it spread over several contents.
    """
    unsigned: tuple[str, int] | None = None
    within_calls = False
    for position, content in enumerate(contents, 1):
        parts = content["parts"]
        if content["role"] != "model":
            within_calls = False
            if any("functionResponse" not in part for part in parts):
                unsigned = None
            continue
        calls = [part for part in parts if "functionCall" in part]
        if calls and not within_calls and not unsigned and "thoughtSignature" not in calls[0]:
            unsigned = calls[0]["functionCall"]["name"], position
        within_calls |= bool(calls)
    if unsigned:
        raise Refusal(
            "Function call is missing a thought_signature in functionCall parts. This is required "
            "for tools to work correctly, and missing thought_signature may lead to degraded model "
            f"performance. Additional data, function call `default_api:{unsigned[0]}` , position "
            f"{unsigned[1]}. Please refer to "
            "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
        )


def _called(model: str, call: Part) -> bytes:
    arguments = json.dumps(call.get("args", {}), sort_keys=True, default=str)
    return f"{model}\0call\0{call.get('name')}\0{arguments}".encode("utf-8", "surrogatepass")


def _told(model: str, text: str) -> bytes:
    return f"{model}\0text\0{text}".encode("utf-8", "surrogatepass")


def _sign(secret: bytes, bound: bytes) -> str:
    binding = hmac.digest(secret, bound, "sha256")
    return base64.b64encode(binding + hmac.digest(secret, binding, "sha256")).decode()


def _check(secret: bytes, signature: str, bound: bytes, *, is_thought: bool) -> None:
    try:
        decoded = base64.b64decode(signature, validate=True)
    except binascii.Error:
        decoded = b""
    binding, authentic = decoded[:_HALF], decoded[_HALF:]
    if not hmac.compare_digest(authentic, hmac.digest(secret, binding, "sha256")):
        raise Refusal("Corrupted thought signature.")
    if is_thought or not hmac.compare_digest(binding, hmac.digest(secret, bound, "sha256")):
        raise Refusal("Thought signature is not valid.")
