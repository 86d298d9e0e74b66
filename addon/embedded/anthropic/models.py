"""What each Claude generation accepts, as this provider enforces it.

Written down apart from the tables of the translation on purpose: the checker must not share the
checked one's mistakes. Facts of 2026-11 (vendor SDK, published live probes); where sources differ
the stricter one is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

LOW_TO_MAX = ("low", "medium", "high", "xhigh", "max")
_DATED = re.compile(r"-(\d{8}|latest)$")


@dataclass(frozen=True, kw_only=True)
class Claude:
    """The abilities of one model."""

    context: int = 1_000_000
    max_output: int = 128_000
    thinking: tuple[str, ...] = ("adaptive",)
    """Accepted values of `thinking.type`."""
    thinks_by_default: bool = True
    disabling_needs_high_effort_or_less: bool = False
    efforts: tuple[str, ...] = LOW_TO_MAX
    forced_tools: bool = True
    sampling: bool = False
    prefill: bool = False
    system_messages: bool = False
    """Whether a message of role `system` is accepted within the conversation."""
    bound_thinking: bool = False
    """Whether a thinking block is valid behind the very prefix only that it was written for."""
    shows_thinking: bool = False
    """Whether the thinking text is shown when `thinking.display` is not given."""
    fast: bool = False


_ALWAYS_THINKING = Claude(forced_tools=False, system_messages=True)
_SWITCHABLE = Claude(thinking=("adaptive", "disabled"), system_messages=True)
_CLAUDE_4_6 = Claude(
    thinking=("adaptive", "enabled", "disabled"),
    thinks_by_default=False,
    efforts=("low", "medium", "high", "max"),
    sampling=True,
    shows_thinking=True,
    fast=True,
)
_CLAUDE_4_5 = Claude(
    context=200_000,
    max_output=64_000,
    thinking=("enabled", "disabled"),
    thinks_by_default=False,
    efforts=(),
    sampling=True,
    prefill=True,
    shows_thinking=True,
)

CLAUDE_MODELS: dict[str, Claude] = {
    "claude-opus-5-5": replace(_ALWAYS_THINKING, bound_thinking=True, fast=True),
    "claude-sonnet-5-5": replace(
        _ALWAYS_THINKING, thinking=("adaptive", "between_tools"), bound_thinking=True
    ),
    "claude-haiku-5-5": replace(
        _SWITCHABLE, disabling_needs_high_effort_or_less=True, bound_thinking=True
    ),
    "claude-fable-5-2": replace(_ALWAYS_THINKING, bound_thinking=True, fast=True),
    "claude-mythos-5-2": replace(_ALWAYS_THINKING, bound_thinking=True),
    "claude-fable-5-1": replace(_ALWAYS_THINKING, bound_thinking=True),
    "claude-mythos-5-1": _ALWAYS_THINKING,
    "claude-fable-5": replace(_ALWAYS_THINKING, forced_tools=True),
    "claude-mythos-5": replace(_ALWAYS_THINKING, forced_tools=True),
    "claude-opus-5": replace(_SWITCHABLE, disabling_needs_high_effort_or_less=True, fast=True),
    "claude-sonnet-5": _SWITCHABLE,
    "claude-opus-4-8": replace(_SWITCHABLE, thinks_by_default=False, fast=True),
    "claude-opus-4-7": replace(
        _SWITCHABLE, thinks_by_default=False, system_messages=False, fast=True
    ),
    "claude-opus-4-6": _CLAUDE_4_6,
    "claude-sonnet-4-6": replace(_CLAUDE_4_6, fast=False),
    "claude-opus-4-5": replace(_CLAUDE_4_5, efforts=("low", "medium", "high")),
    "claude-sonnet-4-5": _CLAUDE_4_5,
    "claude-haiku-4-5": _CLAUDE_4_5,
}


def find_claude(name: str) -> Claude | None:
    """Return a model's abilities; None for a name that the API does not know."""
    return CLAUDE_MODELS.get(_DATED.sub("", name))
