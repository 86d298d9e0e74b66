"""What OpenAI's own models accept through Chat Completions, and mostly through Responses too.

Reasoning models refuse most sampling parameters, each generation differently. Facts of 2026-11 from
the AI SDK's catalogue, corrected by the live probes of pydantic-ai.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from addon.neutral import Effort


class OpenAIModel(msgspec.Struct, frozen=True, kw_only=True):
    """The abilities of one family."""

    efforts: tuple[Effort, ...] = ()
    """Values of `reasoning_effort`, from least to most; empty: the field is refused."""
    default_effort: Effort | None = None
    """What an absent `reasoning_effort` means."""
    reasoning: bool = True
    """Whether it thinks at all; if so, penalties and stop sequences are refused."""
    sampling: Literal["always", "without_thinking", "never"] = "never"
    """When `temperature` and `top_p` are accepted."""
    tools_while_thinking: bool = True
    """Whether function tools and thinking go together in this API."""
    breakpoints: bool = False
    """Whether `prompt_cache_breakpoint` is known."""
    verbosity: bool = True
    searches: bool = False
    """Whether `web_search_options` is known."""


_UP_TO_HIGH: tuple[Effort, ...] = ("none", "low", "medium", "high")
_UP_TO_XHIGH: tuple[Effort, ...] = ("none", "low", "medium", "high", "xhigh")
_LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")

_PLAIN = OpenAIModel(reasoning=False, sampling="always", verbosity=False)
_O_SERIES = OpenAIModel(efforts=_LOW_TO_HIGH, default_effort="medium", verbosity=False)
_CHAT_LATEST = OpenAIModel(efforts=("medium",), default_effort="medium")
_GPT_5_PRO = OpenAIModel(efforts=("medium", "high", "xhigh"), default_effort="medium")
_GPT_5_2 = OpenAIModel(efforts=_UP_TO_XHIGH, default_effort="none", sampling="without_thinking")
_GPT_5_5 = OpenAIModel(efforts=_UP_TO_XHIGH, default_effort="medium", sampling="without_thinking")
_GPT_6 = msgspec.structs.replace(_GPT_5_5, breakpoints=True)
NEWEST = OpenAIModel(
    efforts=("low", "medium", "high", "xhigh"), default_effort="medium", breakpoints=True
)
"""Also for names younger than the table: what every recent family accepts."""

_FAMILIES: tuple[tuple[re.Pattern[str], OpenAIModel], ...] = tuple(
    (re.compile(pattern), model)
    for pattern, model in (
        (r"search-(preview|api)", msgspec.structs.replace(_PLAIN, searches=True)),
        (r"gpt-(3|4|audio|oss-safeguard)|chatgpt-4o|davinci|babbage", _PLAIN),
        (r"\bo1-(mini|preview)", OpenAIModel(verbosity=False)),
        (r"\bo[134]\b", _O_SERIES),
        (r"gpt-5(\.\d)?-chat", _CHAT_LATEST),
        (r"gpt-5-pro", OpenAIModel(efforts=("high",), default_effort="high")),
        (r"gpt-5\.\d-pro", _GPT_5_PRO),
        (r"gpt-5\.1", msgspec.structs.replace(_GPT_5_2, efforts=_UP_TO_HIGH)),
        (r"gpt-5\.[234]", _GPT_5_2),
        (r"gpt-5\.5", _GPT_5_5),
        (r"gpt-5\.6", msgspec.structs.replace(_GPT_6, tools_while_thinking=False)),
        (
            r"gpt-5(?!\.)",
            OpenAIModel(efforts=("minimal", *_LOW_TO_HIGH), default_effort="medium"),
        ),
        (r"gpt-6(\.1)?-(astra|sol)", NEWEST),
        (r"gpt-6", _GPT_6),
        (r"gpt-\d", NEWEST),
    )
)
"""The first that matches; none says `max`, which this API refuses on every model."""

UNKNOWN = OpenAIModel(
    reasoning=False, sampling="always", efforts=("minimal", *_UP_TO_XHIGH[1:]), searches=True
)
"""For names that are not OpenAI's (deployments, gateways): everything is passed on."""


def openai_model(name: str) -> OpenAIModel:
    """Return the abilities of a model by its name."""
    return next((model for pattern, model in _FAMILIES if pattern.search(name)), UNKNOWN)
