"""What an agent asks, in neutral words.

Every field that an agent may leave out is None (or empty) when it did, so that a renderer can
tell "not said" from any default of its own.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from addon.neutral.parts import CacheBreakpoint, Part, TextPart, ToolCallKind

type Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
type Role = Literal["user", "assistant", "tool", "system"]


class SystemMessage(msgspec.Struct, frozen=True):
    """An instruction that stands before the conversation."""

    parts: tuple[TextPart, ...]
    role: Literal["system", "developer"] = "system"
    """OpenAI tells the two apart; elsewhere they mean the same."""


class Message(msgspec.Struct, frozen=True):
    """One turn, or a piece of one: adjacent messages of one role belong together.

    * `user` and `assistant` speak for themselves.
    * `tool` holds `ToolResultPart` only.
    * `system` is an instruction that stands amid the conversation (see `SystemMessage` for those
      before it); `developer` says that the agent used that word for it.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    developer: bool = False


class Recurring(tuple[Message, ...]):
    """Messages that are the very same objects whenever they come again.

    Agents send a conversation once more with every call; what was made of such a message can be
    found again by its identity.
    """

    __slots__ = ()


class ToolGrammar(msgspec.Struct, frozen=True):
    """The language in which a custom tool takes its input."""

    syntax: str
    """`lark` or `regex`."""
    definition: str


class Tool(msgspec.Struct, frozen=True):
    """A tool that the agent itself runs."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    """JSON Schema of the arguments, as the agent wrote it; None when it gave none."""
    strict: bool | None = None
    kind: ToolCallKind = "function"
    """`custom` tools take free text instead of JSON."""
    grammar: ToolGrammar | None = None
    cache_breakpoint: CacheBreakpoint | None = None


class NativeTool(msgspec.Struct, frozen=True):
    """A tool that exists in one format only, mostly one that the provider runs."""

    format: str
    kind: str
    """The wire's own name for it, used in loss lists."""
    data: dict[str, Any]


class WebSearchTool(msgspec.Struct, frozen=True):
    """The provider itself searches the web and cites what it found."""

    context_size: Literal["low", "medium", "high"] | None = None
    """How much the model may read."""
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    country: str | None = None
    timezone: str | None = None


class CodeExecutionTool(msgspec.Struct, frozen=True):
    """The provider itself runs code that the model writes, in a container of its own."""


type HostedTool = WebSearchTool | CodeExecutionTool
"""A tool that the provider runs, and that several providers have."""


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether, and which, tools the model must call."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    """The tool to call, for mode `tool`."""
    allowed: tuple[str, ...] | None = None
    """For modes `auto` and `required`: only these tools may be called."""


class Sampling(msgspec.Struct, frozen=True):
    """Knobs that change how tokens are drawn."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class ReasoningConfig(msgspec.Struct, frozen=True):
    """How long the model may think, and whether its thoughts are to be shown."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    enabled: bool | None = None
    """False: the agent wants no thinking; True: it wants some; None: it did not say."""
    visible: bool | None = None
    """Whether readable thoughts are wanted; None: it did not say."""


class ResponseFormat(msgspec.Struct, frozen=True):
    """The shape that the answer's text must have."""

    kind: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class LogprobsConfig(msgspec.Struct, frozen=True):
    """The agent wants the probabilities of the tokens drawn."""

    top: int | None = None


class Extra(msgspec.Struct, frozen=True):
    """A field of the agent's request that the hub has no word for.

    The format that parsed it says what it means to lose it, so that no other format needs to know
    the field: an `essential` one is refused by name, any other is dropped and listed as lost.
    """

    field: str
    value: Any
    essential: bool = False


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call for an answer."""

    model: str
    source_format: str
    """The format it was parsed from; only that format may interpret its `extras`."""
    system: tuple[SystemMessage, ...] = ()
    messages: tuple[Message, ...] = ()
    """The conversation; `Recurring` where it has begun to come again."""
    tools: tuple[Tool | HostedTool | NativeTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    max_output_tokens: int | None = None
    reasoning: ReasoningConfig | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    count: int = 1
    """How many answers are wanted."""
    logprobs: LogprobsConfig | None = None
    user_id: str | None = None
    """Tells the provider which end user is behind the call."""
    service_tier: str | None = None
    """OpenAI's words: `auto`, `default`, `flex`, `priority`."""
    cache_ttl: Literal["5m", "1h"] | None = None
    """How long the provider is asked to keep the prompt cached; None: it did not say."""
    verbosity: str | None = None
    """`low`, `medium`, `high`."""
    extras: tuple[Extra, ...] = ()
