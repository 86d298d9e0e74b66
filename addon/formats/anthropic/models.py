"""What each Claude generation accepts.

The API refuses with 400 what a generation does not know, so a renderer must know it first. Facts of
2026-11 from the vendor's SDK (`anthropic` 2.11.0), live probes published by pydantic-ai and
litellm's model table; the API itself tells them at `GET /v1/models/{id}` (`capabilities`).

Models of other makers behind Anthropic-format endpoints (DeepSeek, GLM, Kimi, ...) take
`OTHER_MAKER`: the plain protocol without anything that only a Claude generation has.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

from addon.neutral import Effort

type ThinkingStyle = Literal["none", "budget", "adaptive"]

DATE_DIGITS = 8
_SUFFIX_STARTS = ("", "-", "@", ":", "[")

LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")
LOW_TO_MAX: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")


class ClaudeModel(msgspec.Struct, frozen=True, kw_only=True):
    """The abilities of one generation."""

    other_maker: bool = False
    """Whether it is no Claude at all, but another maker's model behind the same format."""
    max_output_tokens: int = 128_000
    thinking: ThinkingStyle = "adaptive"
    thinking_default_on: bool = True
    """Whether the model thinks when the request does not mention thinking."""
    can_disable_thinking: Literal["always", "up_to_high_effort", "never"] = "always"
    between_tools_thinking: bool = False
    """Whether the lowest setting is called `between_tools` instead of `disabled`."""
    efforts: tuple[Effort, ...] = LOW_TO_MAX
    """Values of `output_config.effort`; empty: the field is refused."""
    forced_tool_choice: bool = True
    """Whether `tool_choice` may be `any` or `tool`."""
    sampling: bool = False
    """Whether `temperature`, `top_p`, `top_k` are accepted at all."""
    both_sampling: bool = False
    """Whether `temperature` and `top_p` may stand together."""
    prefill: bool = False
    """Whether the conversation may end with an assistant turn."""
    mid_system: bool = False
    """Whether the model obeys a `system` message amid the conversation."""
    structured_output: bool = True
    """Whether `output_config.format` is accepted."""
    bound_thinking: bool = False
    """Whether a signed thought is refused where what stands before it has changed."""


_BUDGET_200K = ClaudeModel(
    max_output_tokens=64_000,
    thinking="budget",
    thinking_default_on=False,
    efforts=(),
    sampling=True,
    prefill=True,
)
_CLAUDE_4_6 = ClaudeModel(
    thinking_default_on=False, efforts=("low", "medium", "high", "max"), sampling=True
)
_ALWAYS_THINKING = ClaudeModel(
    can_disable_thinking="never", forced_tool_choice=False, mid_system=True, bound_thinking=True
)
_CLAUDE_4 = msgspec.structs.replace(_BUDGET_200K, structured_output=False)
_CLAUDE_4_OPUS = msgspec.structs.replace(_CLAUDE_4, max_output_tokens=32_000)
_CLAUDE_3 = ClaudeModel(
    max_output_tokens=4096,
    thinking="none",
    thinking_default_on=False,
    efforts=(),
    sampling=True,
    both_sampling=True,
    prefill=True,
    structured_output=False,
)

OTHER_MAKER = ClaudeModel(
    other_maker=True,
    max_output_tokens=32_000,
    thinking="budget",
    thinking_default_on=False,
    efforts=(),
    sampling=True,
    both_sampling=True,
    prefill=True,
    structured_output=False,
)

_FAMILIES: tuple[tuple[str, ClaudeModel], ...] = (
    ("claude-opus-5-5", _ALWAYS_THINKING),
    (
        "claude-sonnet-5-5",
        ClaudeModel(
            can_disable_thinking="never",
            between_tools_thinking=True,
            forced_tool_choice=False,
            bound_thinking=True,
        ),
    ),
    (
        "claude-haiku-5-5",
        ClaudeModel(can_disable_thinking="up_to_high_effort", bound_thinking=True),
    ),
    ("claude-fable-5-2", _ALWAYS_THINKING),
    ("claude-fable-5-1", _ALWAYS_THINKING),
    ("claude-mythos-5-2", _ALWAYS_THINKING),
    ("claude-mythos-5-1", msgspec.structs.replace(_ALWAYS_THINKING, bound_thinking=False)),
    ("claude-fable-5", ClaudeModel(can_disable_thinking="never", mid_system=True)),
    ("claude-mythos-5", ClaudeModel(can_disable_thinking="never", mid_system=True)),
    ("claude-opus-5", ClaudeModel(can_disable_thinking="up_to_high_effort", mid_system=True)),
    ("claude-sonnet-5", ClaudeModel()),
    ("claude-opus-4-8", ClaudeModel(thinking_default_on=False, mid_system=True)),
    ("claude-opus-4-7", ClaudeModel(thinking_default_on=False)),
    ("claude-opus-4-6", _CLAUDE_4_6),
    ("claude-sonnet-4-6", _CLAUDE_4_6),
    ("claude-opus-4-5", msgspec.structs.replace(_BUDGET_200K, efforts=LOW_TO_HIGH)),
    ("claude-sonnet-4-5", _BUDGET_200K),
    ("claude-haiku-4-5", _BUDGET_200K),
    ("claude-opus-4-1", _CLAUDE_4_OPUS),
    ("claude-opus-4-0", _CLAUDE_4_OPUS),
    ("claude-opus-4", _CLAUDE_4_OPUS),
    ("claude-sonnet-4-0", _CLAUDE_4),
    ("claude-sonnet-4", _CLAUDE_4),
    ("claude-3-7", _CLAUDE_4),
    ("claude-3-5", msgspec.structs.replace(_CLAUDE_3, max_output_tokens=8192)),
    ("claude-3", _CLAUDE_3),
    ("claude-2", _CLAUDE_3),
)

NEWEST = ClaudeModel(can_disable_thinking="never", forced_tool_choice=False, bound_thinking=True)
"""For Claude names younger than the table: what every recent generation accepts."""


@lru_cache(maxsize=1024)
def claude_model(name: str) -> ClaudeModel:
    """Return the abilities of a model by its name at any provider.

    Dates, `-latest`, `@version` and vendor prefixes (`anthropic/claude-...`,
    `us.anthropic.claude-...`, dots for dashes) do not matter.
    """
    start = name.find("claude-")
    if start < 0:
        return OTHER_MAKER
    bare = name[start:].replace(".", "-")
    for prefix, model in _FAMILIES:
        if bare.startswith(prefix) and _ends_family(bare, prefix):
            return model
    return NEWEST


def _ends_family(name: str, prefix: str) -> bool:
    """Tell `claude-opus-5` and `claude-opus-5-20260401` from a later `claude-opus-5-7`."""
    if prefix.startswith(("claude-2", "claude-3")):
        return True
    rest = re.split(r"[-@:\[]", name[len(prefix) :].removeprefix("-"), maxsplit=1)[0]
    return name[len(prefix) : len(prefix) + 1] in _SUFFIX_STARTS and not (
        rest.isdigit() and len(rest) < DATE_DIGITS
    )
