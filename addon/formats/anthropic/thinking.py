"""How long a Claude may think, in the words of its generation.

OpenAI's `reasoning_effort` becomes `thinking` and `output_config.effort`. The generations differ
in everything: whether thinking is adaptive or has a token budget, whether it can be switched off,
which efforts exist (`models`). Where a wish cannot be met, the nearest setting is taken and listed.

`display: "summarized"` is asked for wherever thinking is adaptive: without it newer models deliver
thoughts, and the words between tool calls, as empty blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from addon.formats.anthropic.content import NAME
from addon.formats.anthropic.models import ClaudeModel
from addon.neutral import (
    Effort,
    LossList,
    Message,
    ReasoningConfig,
    ReasoningPart,
    ToolCallPart,
)

MINIMUM_BUDGET = 1024

BUDGET_FROM_EFFORT: dict[Effort, int] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 2048,
    "high": 4096,
    "xhigh": 8192,
    "max": 16384,
}

EFFORT_ORDER: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Thinking(msgspec.Struct, frozen=True):
    """The fields that a request gets."""

    thinking: dict[str, Any] | None = None
    effort: str | None = None
    """For `output_config.effort`."""

    @property
    def active(self) -> bool:
        """Whether the request asks for thinking."""
        return self.thinking is not None and self.thinking["type"] in ("enabled", "adaptive")

    @property
    def budget(self) -> int:
        """Tokens set aside for thinking, which the output limit must exceed; 0 for none."""
        return self.thinking.get("budget_tokens", 0) if self.thinking else 0


def render_thinking(
    reasoning: ReasoningConfig | None, model: ClaudeModel, losses: LossList
) -> Thinking:
    """Choose the thinking fields for a model."""
    if model.thinking == "none":
        if reasoning is not None and _wants_thinking(reasoning):
            losses.dropped("reasoning_effort", "the model does not think")
        return Thinking()
    if reasoning is None:
        return Thinking(_adaptive()) if model.thinking_default_on else Thinking()
    if not _wants_thinking(reasoning):
        return _disabled(model, losses)
    if model.thinking == "budget":
        return Thinking(_budget(reasoning))
    return Thinking(_adaptive(), _effort(reasoning, model, losses))


def loop_lacks_thoughts(messages: Iterable[Message]) -> bool:
    """Tell whether the tool loop under way has calls whose signed thoughts are gone.

    Models with a thinking budget refuse to go on with such a loop while thinking is on.
    """
    lacks = False
    signed = False
    answering = False
    for message in messages:
        if message.role == "user" and not answering:
            lacks = signed = False
        elif message.role == "tool":
            signed = False
            answering = True  # what the user adds to the results belongs to the loop
        elif message.role == "assistant":
            answering = False
            for part in message.parts:
                if isinstance(part, ReasoningPart):
                    signed = signed or (part.state is not None and part.state.format == NAME)
                elif isinstance(part, ToolCallPart) and not signed:
                    lacks = True
    return lacks


def _wants_thinking(reasoning: ReasoningConfig) -> bool:
    return reasoning.effort != "none" and reasoning.enabled is not False


def _adaptive() -> dict[str, Any]:
    return {"type": "adaptive", "display": "summarized"}


def _budget(reasoning: ReasoningConfig) -> dict[str, Any]:
    tokens = reasoning.budget_tokens or BUDGET_FROM_EFFORT[reasoning.effort or "medium"]
    return {"type": "enabled", "budget_tokens": max(tokens, MINIMUM_BUDGET)}


def _disabled(model: ClaudeModel, losses: LossList) -> Thinking:
    if not model.thinking_default_on:
        return Thinking()
    if model.between_tools_thinking:
        losses.approximated("reasoning_effort", "the model's least thinking is between tool calls")
        return Thinking({"type": "between_tools"})
    if model.can_disable_thinking == "never":
        losses.approximated("reasoning_effort", "the model always thinks; its lowest effort is set")
        return Thinking(_adaptive(), model.efforts[0] if model.efforts else None)
    return Thinking({"type": "disabled"})


def _effort(reasoning: ReasoningConfig, model: ClaudeModel, losses: LossList) -> str | None:
    wanted = reasoning.effort
    if wanted is None and reasoning.budget_tokens is not None:
        wanted = effort_from_budget(reasoning.budget_tokens)
        losses.approximated("thinking.budget_tokens", f"the model takes an effort: {wanted}")
    if wanted is None or not model.efforts:
        return None
    if wanted in model.efforts:
        return wanted
    chosen = _nearest(wanted, model.efforts)
    losses.approximated("reasoning_effort", f"the model knows no `{wanted}`; `{chosen}` is set")
    return chosen


def effort_from_budget(tokens: int) -> Effort:
    """Name the effort that a thinking budget amounts to."""
    if tokens <= 2048:
        return "low"
    if tokens <= 8192:
        return "medium"
    return "high" if tokens <= 24576 else "xhigh"


def _nearest(wanted: Effort, known: tuple[Effort, ...]) -> Effort:
    """Return the highest known effort that is not above the wanted one, else the lowest."""
    rank = EFFORT_ORDER.index(wanted)
    below: list[Effort] = [effort for effort in known if EFFORT_ORDER.index(effort) <= rank]
    return below[-1] if below else known[0]
