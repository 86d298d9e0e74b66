"""What each Gemini generation accepts, as this provider enforces it.

Written down apart from the tables of the translation on purpose: the checker must not share the
checked one's mistakes. Facts of 2026-11 (vendor SDK, published live probes); where sources differ
the stricter one is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Gemini:
    """The abilities of one model."""

    context: int = 1_048_576
    max_output: int = 65_536
    budgets: tuple[int, int] | None = None
    """Least and greatest `thinkingBudget` besides 0 and -1; None where the model does not think."""
    can_stop_thinking: bool = False
    levels: tuple[str, ...] = ()
    """Accepted values of `thinkingLevel`; none where only budgets are known."""
    call_ids: bool = False
    """Whether calls carry ids, and their responses must repeat them."""
    signs: bool = False
    """Whether calls are signed, and the signature is demanded back."""
    media_in_responses: bool = False
    public_addresses: bool = False
    penalties: bool = False
    logprobs: bool = False
    several_candidates: bool = False
    json_with_functions: bool = False
    search_with_functions: bool = False
    validated_calls: bool = False
    instructions: bool = True


_LOW_TO_HIGH = ("LOW", "MEDIUM", "HIGH")
_ALL = ("MINIMAL", *_LOW_TO_HIGH)

_GEMINI_2_0 = Gemini(max_output=8192, penalties=True, logprobs=True, several_candidates=True)
_GEMINI_2_5 = Gemini(
    budgets=(1, 24_576), can_stop_thinking=True, several_candidates=True, validated_calls=True
)
_GEMINI_3 = Gemini(
    budgets=(1, 65_535),
    levels=_LOW_TO_HIGH,
    call_ids=True,
    signs=True,
    media_in_responses=True,
    public_addresses=True,
    json_with_functions=True,
    search_with_functions=True,
    validated_calls=True,
)
_FLASH_3 = replace(_GEMINI_3, levels=_ALL, can_stop_thinking=True)
_GEMINI_4 = replace(_GEMINI_3, max_output=1_048_576)

GEMINI_MODELS: dict[str, Gemini] = {
    "gemini-2.0-flash": _GEMINI_2_0,
    "gemini-2.0-flash-lite": _GEMINI_2_0,
    "gemini-2.5-pro": replace(_GEMINI_2_5, budgets=(128, 32_768), can_stop_thinking=False),
    "gemini-2.5-flash": _GEMINI_2_5,
    "gemini-2.5-flash-lite": replace(_GEMINI_2_5, budgets=(512, 24_576)),
    "gemini-3-pro": replace(_GEMINI_3, levels=("LOW", "HIGH")),
    "gemini-3-flash": _FLASH_3,
    "gemini-3.1-pro": _GEMINI_3,
    "gemini-3.1-flash-lite": _FLASH_3,
    "gemini-3.5-flash": _FLASH_3,
    "gemini-3.5-flash-lite": _FLASH_3,
    "gemini-3.6-flash": _FLASH_3,
    "gemini-3.7-flash": replace(_GEMINI_3, can_stop_thinking=True),
    "gemini-3.8-flash": replace(_GEMINI_3, can_stop_thinking=True),
    "gemini-4-argon": _GEMINI_4,
    "gemini-4-carbon": _GEMINI_4,
    "gemini-4-hydrogen": replace(_GEMINI_4, levels=(*_LOW_TO_HIGH, "XHIGH")),
    "gemini-pro-latest": _GEMINI_3,
    "gemini-flash-latest": _GEMINI_3,
    "gemini-flash-lite-latest": _FLASH_3,
    "gemma-3-27b-it": replace(_GEMINI_2_0, instructions=False),
}
_SUFFIX = re.compile(r"-(preview|exp|customtools|\d{2}-\d{2,4}|\d{3})(?=-|$)")


def find_gemini(name: str) -> Gemini | None:
    """Return a model's abilities; None for a name that the API does not know."""
    return GEMINI_MODELS.get(_SUFFIX.sub("", name))
