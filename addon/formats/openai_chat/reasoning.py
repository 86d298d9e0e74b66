"""How long the model is to think: one wish, and the words that a dozen providers have for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from addon.formats.openai_chat.dialects import Dialect, EffortStyle
from addon.neutral import Effort, LossList, ReasoningConfig
from addon.wire.openai_models import OpenAIModel, openai_model

_ORDER: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_EFFORT_FROM_BUDGET: tuple[tuple[int, Effort], ...] = (
    (1023, "minimal"),
    (2048, "low"),
    (8192, "medium"),
    (24_576, "high"),
)
_QWEN_BUDGETS: dict[Effort, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_768,
}
_GLM_ALWAYS_THINKING = re.compile(r"glm-5\.3")
_GLM_EFFORTS = re.compile(r"glm-5\.2|glm-[6-9]")
_KIMI_EFFORTS = re.compile(r"kimi-k[3-9]")
_KIMI_SWITCH = re.compile(r"kimi-k2\.[56]")
_KIMI_THINKING = re.compile(r"kimi-k2(\.7|-thinking)|kimi-thinking")
_GEMINI_MAY_STOP = re.compile(r"gemini-2\.5-flash")
_MISTRAL_EFFORTS = re.compile(
    r"large-4|medium-(3\.5|2604|latest)|small-(4|2603|latest)|magistral.*latest"
)
_GROK_EFFORTS: tuple[tuple[re.Pattern[str], tuple[Effort, ...]], ...] = (
    (re.compile(r"non-reasoning"), ()),
    (re.compile(r"grok-3-mini"), ("none", "low", "high")),
    (re.compile(r"grok-4\.3|grok-latest"), ("none", "low", "medium", "high")),
    (re.compile(r"grok-4\.[56]"), ("low", "medium", "high")),
    (re.compile(r"grok-4\.[789]|grok-[5-9]"), ("low", "medium", "high", "xhigh")),
)

type Fields = dict[str, Any]


class _Wish(msgspec.Struct, frozen=True):
    """A wish on its way through one provider's style."""

    effort: Effort | None
    """None: think, no matter how long."""
    config: ReasoningConfig
    model: str
    losses: LossList

    def nearest(self, allowed: tuple[Effort, ...]) -> Effort | None:
        """Return the allowed effort that comes nearest, from below if there is one."""
        effort = self.effort
        if effort is None or effort in allowed:
            return effort
        candidates: list[Effort] = [known for known in allowed if known != "none"]
        chosen = candidates[0]
        for known in candidates:
            if _ORDER.index(known) <= _ORDER.index(effort):
                chosen = known
        self.approximate(f"`{chosen}`")
        return chosen

    def translated(self, words: dict[Effort, Effort]) -> Effort | None:
        """Return the effort in a provider's own words, for those it has other words for."""
        if self.effort is None:
            return None
        effort = words.get(self.effort, self.effort)
        if effort != self.effort:
            self.approximate(f"`{effort}`")
        return effort

    def approximate(self, words: str) -> None:
        self.losses.approximated("reasoning_effort", f"`{self.effort}` as {words}")


def render_reasoning(
    dialect: Dialect,
    model: str,
    config: ReasoningConfig | None,
    losses: LossList,
    *,
    forced: bool,
    tools: bool,
) -> Fields:
    """Return the fields that say how long the model is to think.

    Args:
        dialect: The provider's.
        model: The provider's name of the model.
        config: The agent's wish; None leaves the provider its default.
        losses: Receives what the provider cannot do.
        forced: Whether a tool call is forced, which several models refuse while thinking.
        tools: Whether function tools are offered.
    """
    style = dialect.effort
    if style == "openai":
        config = _openai_with_tools(openai_model(model), config, losses, tools=tools)
    elif forced and _must_stop_thinking(style, model):
        if config is None or wished_effort(config) != "none":
            losses.dropped("reasoning_effort", "the model cannot think when a call is forced")
        config = ReasoningConfig(effort="none", enabled=False)
    if config is None:
        return {}
    wish = _Wish(wished_effort(config), config, model, losses)
    if wish.effort is None and config.enabled is None:
        return {}
    return _STYLES[style](wish)


def forceable(dialect: Dialect, model: str) -> Literal["any", "required", "nothing"]:
    """Tell which forced tool choices a model bears, given that some always think."""
    if dialect.effort != "kimi":
        return "any"
    if _KIMI_EFFORTS.search(model):
        return "required"
    return "nothing" if _KIMI_THINKING.search(model) else "any"


def wished_effort(config: ReasoningConfig) -> Effort | None:
    """Return the wish as an effort; None when it says no more than that thinking is wanted."""
    if config.enabled is False:
        return "none"
    if config.effort is not None:
        return config.effort
    if config.budget_tokens is None:
        return None
    for most, effort in _EFFORT_FROM_BUDGET:
        if config.budget_tokens <= most:
            return effort
    return "xhigh"


def _must_stop_thinking(style: EffortStyle, model: str) -> bool:
    return style in ("deepseek", "qwen") or (
        style == "kimi" and _KIMI_SWITCH.search(model) is not None
    )


def _openai_with_tools(
    model: OpenAIModel, config: ReasoningConfig | None, losses: LossList, *, tools: bool
) -> ReasoningConfig | None:
    """Turn thinking off where this API refuses it beside tools, also when it is the default."""
    if model.tools_while_thinking or not tools:
        return config
    if config is None or wished_effort(config) != "none":
        losses.approximated(
            "reasoning_effort", "this model takes tools in Chat only when it does not think"
        )
    return ReasoningConfig(effort="none")


def _openai(wish: _Wish) -> Fields:
    model = openai_model(wish.model)
    if not model.efforts:
        return _unsupported(wish)
    return _with_effort({}, wish.nearest(model.efforts))


def _deepseek(wish: _Wish) -> Fields:
    if wish.effort == "none":
        return {"thinking": {"type": "disabled"}}
    effort = wish.translated({"minimal": "low", "medium": "high", "xhigh": "high"})
    return _with_effort({"thinking": {"type": "enabled"}}, effort)


def _qwen(wish: _Wish) -> Fields:
    if wish.effort == "none":
        return {"enable_thinking": False}
    fields: Fields = {"enable_thinking": True}
    budget = wish.config.budget_tokens
    if budget is None and wish.effort is not None:
        budget = _QWEN_BUDGETS.get(wish.effort)
    if budget is not None:
        fields["thinking_budget"] = budget
    return fields


def _glm(wish: _Wish) -> Fields:
    thinking: Fields = {"thinking": {"type": "enabled", "clear_thinking": False}}
    if _GLM_ALWAYS_THINKING.search(wish.model):
        words: dict[Effort, Effort] = {"none": "low", "minimal": "low", "medium": "high"}
        return _with_effort(thinking, wish.translated({**words, "xhigh": "max"}))
    if wish.effort == "none":
        return {"thinking": {"type": "disabled"}}
    if _GLM_EFFORTS.search(wish.model):
        return _with_effort(thinking, wish.effort)
    if wish.effort is not None:
        wish.approximate("thinking of no set length")
    return thinking


def _kimi(wish: _Wish) -> Fields:
    if _KIMI_EFFORTS.search(wish.model):
        words: dict[Effort, Effort] = {"none": "low", "minimal": "low", "medium": "high"}
        return _with_effort({}, wish.translated({**words, "xhigh": "max"}))
    if _KIMI_SWITCH.search(wish.model):
        return {"thinking": {"type": "disabled" if wish.effort == "none" else "enabled"}}
    return _unsupported(wish)


def _openrouter(wish: _Wish) -> Fields:
    reasoning: Fields
    if wish.effort is None:
        reasoning = {"enabled": True}
    elif wish.config.effort is None and wish.config.budget_tokens is not None:
        reasoning = {"max_tokens": wish.config.budget_tokens}
    else:
        effort = wish.nearest(_ORDER[:-1])
        reasoning = {"effort": effort}
    if wish.config.visible is False:
        reasoning["exclude"] = True
    return {"reasoning": reasoning}


def _grok(wish: _Wish) -> Fields:
    efforts = next((known for name, known in _GROK_EFFORTS if name.search(wish.model)), ())
    if not efforts:
        return _unsupported(wish)
    return _with_effort({}, wish.nearest(efforts))


def _groq(wish: _Wish) -> Fields:
    if "gpt-oss" in wish.model:
        return _with_effort({}, wish.nearest(("low", "medium", "high")))
    if "qwen" in wish.model:
        if wish.effort not in ("none", None):
            wish.approximate("`default`")
        return {"reasoning_effort": "none" if wish.effort == "none" else "default"}
    return _unsupported(wish)


def _mistral(wish: _Wish) -> Fields:
    if not _MISTRAL_EFFORTS.search(wish.model):
        return _unsupported(wish)
    if wish.effort not in ("none", "high", None):
        wish.approximate("`high`")
    return {"reasoning_effort": "none" if wish.effort == "none" else "high"}


def _gemini(wish: _Wish) -> Fields:
    if wish.effort == "none" and _GEMINI_MAY_STOP.search(wish.model):
        return {"reasoning_effort": "none"}
    return _with_effort({}, wish.nearest(("low", "medium", "high")))


def _local(wish: _Wish) -> Fields:
    return _with_effort({}, wish.nearest(("none", "low", "medium", "high")))


def _with_effort(fields: Fields, effort: Effort | None) -> Fields:
    return fields if effort is None else {**fields, "reasoning_effort": effort}


def _unsupported(wish: _Wish) -> Fields:
    if wish.effort is not None:
        wish.losses.dropped("reasoning_effort", "the model has no such setting")
    return {}


_STYLES: dict[EffortStyle, Callable[[_Wish], Fields]] = {
    "unsupported": _unsupported,
    "openai": _openai,
    "deepseek": _deepseek,
    "qwen": _qwen,
    "glm": _glm,
    "kimi": _kimi,
    "openrouter": _openrouter,
    "grok": _grok,
    "groq": _groq,
    "mistral": _mistral,
    "gemini": _gemini,
    "local": _local,
}
