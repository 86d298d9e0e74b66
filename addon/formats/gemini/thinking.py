"""How long a Gemini may think, in the words of its generation.

Gemini 3 and later take a `thinkingLevel`, 2.5 a `thinkingBudget` in tokens, never both
(https://ai.google.dev/gemini-api/docs/thinking). Where a wish cannot be met, the nearest setting is
taken and listed.
"""

from __future__ import annotations

from typing import Any

from addon.formats.gemini.models import GeminiModel
from addon.neutral import Effort, LossList, ReasoningConfig

EFFORT_ORDER: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_BUDGET_FROM_EFFORT: dict[Effort, int] = {
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 32_768,
}


def render_thinking(
    reasoning: ReasoningConfig | None, model: GeminiModel, losses: LossList
) -> dict[str, Any]:
    """Choose the fields of `thinkingConfig`; empty for none.

    Thoughts are asked for unless the agent does not want to see them: the API shows none otherwise.
    """
    reasoning = reasoning or ReasoningConfig()
    if model.thinking == "none":
        if _wants_thinking(reasoning) and (reasoning.effort or reasoning.enabled):
            losses.dropped("reasoning_effort", "the model does not think")
        return {}
    setting = (
        _level(reasoning, model, losses)
        if model.thinking == "level"
        else _budget(reasoning, model, losses)
    )
    if reasoning.visible is not False and setting.get("thinkingBudget") != 0:
        setting["includeThoughts"] = True
    return setting


def _wants_thinking(reasoning: ReasoningConfig) -> bool:
    return reasoning.effort != "none" and reasoning.enabled is not False


def _level(reasoning: ReasoningConfig, model: GeminiModel, losses: LossList) -> dict[str, Any]:
    wanted = reasoning.effort
    if not _wants_thinking(reasoning):
        wanted = "none"
    elif wanted is None and reasoning.budget_tokens is not None:
        wanted = effort_from_budget(reasoning.budget_tokens)
        losses.approximated("thinking.budget_tokens", f"the model takes a level: {wanted}")
    if wanted is None:
        return {}
    chosen = _nearest(wanted, model.levels)
    if chosen != wanted:
        losses.approximated("reasoning_effort", f"the model knows no `{wanted}`; `{chosen}` is set")
    return {"thinkingLevel": chosen}


def _budget(reasoning: ReasoningConfig, model: GeminiModel, losses: LossList) -> dict[str, Any]:
    least, greatest = model.budgets
    if not _wants_thinking(reasoning):
        if least:
            losses.approximated("reasoning_effort", f"the model thinks for {least} tokens at least")
        return {"thinkingBudget": least}
    wanted = reasoning.budget_tokens
    if wanted is None:
        if reasoning.effort is None:
            return {}
        minimal = reasoning.effort == "minimal" and least > 0
        return {
            "thinkingBudget": least
            if minimal
            else min(_BUDGET_FROM_EFFORT[reasoning.effort], greatest)
        }
    return {"thinkingBudget": min(max(wanted, least, model.shortest_budget), greatest)}


def effort_from_budget(tokens: int) -> Effort:
    """Name the effort that a thinking budget amounts to."""
    if tokens <= 2048:
        return "low"
    if tokens <= 8192:
        return "medium"
    return "high" if tokens <= 24_576 else "xhigh"


def _nearest(wanted: Effort, known: tuple[Effort, ...]) -> Effort:
    """Return the lowest known level that is not below the wanted one, else the highest."""
    rank = EFFORT_ORDER.index(wanted)
    for level in known:
        if EFFORT_ORDER.index(level) >= rank:
            return level
    return known[-1]
