"""How the providers of Chat Completions differ in what they accept.

One entry a provider, each a difference from `Dialect`'s defaults, which describe a server that
takes the plain protocol of 2023 and little more. Facts of 2026-11 from the documentation of the
providers, from recorded traffic and from live probes published by pydantic-ai and litellm.
"""

from __future__ import annotations

from typing import Literal

import msgspec

type EffortStyle = Literal[
    "unsupported",
    "openai",
    "deepseek",
    "qwen",
    "glm",
    "kimi",
    "openrouter",
    "grok",
    "groq",
    "mistral",
    "gemini",
    "local",
]

OPENAI_ONLY = frozenset(
    (
        "audio",
        "function_call",
        "functions",
        "logit_bias",
        "metadata",
        "modalities",
        "moderation",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "verbosity",
        "web_search_options",
    )
)
"""Parameters that other providers mostly do not know."""

_PENALTIES = frozenset(("presence_penalty", "frequency_penalty"))
_LOGPROBS = frozenset(("logprobs", "top_logprobs"))


class Dialect(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What one provider accepts."""

    refused: frozenset[str] = OPENAI_ONLY
    """Parameters that it answers with an error, or ignores without a word."""
    developer_role: bool = False
    """Whether it knows the role `developer`; else `system` is written."""
    merged_system: bool = False
    """Whether it takes one leading system message only."""
    message_names: bool = True
    """Whether messages may carry a `name`."""
    text_lists: bool = True
    """Whether text may be given as a list of parts; else parts are joined."""
    prefix_flag: bool = False
    """Whether an answer to be continued must be marked `prefix: true`."""
    images: Literal["any", "inline", "none"] = "any"
    """`inline`: no addresses, since it does not fetch them."""
    files: bool = False
    audio: bool = False
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    most_output_tokens: int | None = None
    hottest: float = 2.0
    """The highest temperature."""
    stop_limit: int | None = None
    """How many stop sequences; None: no limit known."""
    seed_name: str = "seed"
    top_k: bool = False
    several_answers: bool = False
    """Whether `n` may be above 1."""
    stream_options: bool = True
    """Whether it knows `stream_options`; without it usage comes unasked."""
    effort: EffortStyle = "unsupported"
    echo: Literal["none", "recommended", "required"] = "none"
    """Whether `reasoning_content` of earlier turns is to be returned; `required` on every message
    with tool calls, where a blank stands for thoughts that are gone."""
    thoughts_name: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    reasoning_details: bool = False
    """Whether thoughts come and go as OpenRouter's `reasoning_details`."""
    thought_signatures: bool = False
    """Whether calls carry Google's signature, for which a documented word may stand."""
    required_choice: bool = True
    """Whether `tool_choice` may be `required`."""
    named_choice: bool = True
    """Whether `tool_choice` may name a tool."""
    allowed_tools: bool = False
    """Whether `tool_choice` may list the allowed tools."""
    custom_tools: bool = False
    strict_tools: bool = False
    schemas: Literal["plain", "no_meta", "no_references", "moonshot"] = "plain"
    """How tool schemas are to be simplified."""
    parallel_default: bool = True
    """What an absent `parallel_tool_calls` means."""
    tool_stream: bool = False
    """Whether arguments are streamed only on request."""
    json_schema: Literal["always", "alone", "never"] = "always"
    """Whether a schema may be asked for; `alone`: not with tools or a stream."""
    json_mode: Literal["json_object", "json_schema"] = "json_object"
    """How JSON of any shape is asked for; `json_schema`: by one that every object meets."""
    web_search: Literal["none", "openai", "glm", "qwen", "openrouter"] = "none"
    cache_markers: Literal["none", "prompt_cache_breakpoint", "cache_control"] = "none"
    call_ids: Literal["40", "64", "nine"] = "64"
    """The longest tool-call id; `nine`: exactly nine letters or digits."""
    service_tiers: frozenset[str] = frozenset()
    user_name: Literal["safety_identifier", "user", "none"] = "none"
    verbosity: bool = False


COMPATIBLE = Dialect(merged_system=True, text_lists=False, several_answers=True, effort="local")
"""Any server that nothing else is known about."""

_LOCAL = msgspec.structs.replace(COMPATIBLE, top_k=True)

_GLM = Dialect(
    refused=OPENAI_ONLY | _PENALTIES | _LOGPROBS | {"seed", "n", "parallel_tool_calls"},
    most_output_tokens=131_072,
    hottest=1.0,
    stop_limit=1,
    effort="glm",
    echo="recommended",
    schemas="no_references",
    tool_stream=True,
    json_schema="never",
    web_search="glm",
)

DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(  # https://platform.openai.com/docs/api-reference/chat/create
        refused=frozenset(),
        developer_role=True,
        files=True,
        audio=True,
        max_tokens_name="max_completion_tokens",
        stop_limit=4,
        several_answers=True,
        effort="openai",
        allowed_tools=True,
        custom_tools=True,
        strict_tools=True,
        web_search="openai",
        cache_markers="prompt_cache_breakpoint",
        call_ids="40",
        service_tiers=frozenset(("auto", "default", "flex", "scale", "priority", "fast")),
        user_name="safety_identifier",
        verbosity=True,
    ),
    "anthropic": Dialect(  # https://docs.anthropic.com/en/api/openai-sdk
        refused=OPENAI_ONLY | _PENALTIES | _LOGPROBS | {"seed", "n", "response_format"},
        hottest=1.0,
        json_schema="never",
    ),
    "google": Dialect(  # https://ai.google.dev/gemini-api/docs/openai
        refused=OPENAI_ONLY | _PENALTIES | _LOGPROBS | {"seed"},
        message_names=False,
        stop_limit=5,
        audio=True,
        effort="gemini",
        thought_signatures=True,
        schemas="no_meta",
    ),
    "deepseek": Dialect(  # https://api-docs.deepseek.com/api/create-chat-completion
        refused=OPENAI_ONLY | {"n"},
        text_lists=False,
        images="none",
        stop_limit=16,
        effort="deepseek",
        echo="required",
        json_schema="never",
    ),
    "qwen": Dialect(  # https://www.alibabacloud.com/help/en/model-studio/use-qwen-by-calling-api
        refused=(OPENAI_ONLY - {"prompt_cache_key"}) | {"user", "frequency_penalty"},
        hottest=1.99,
        top_k=True,
        audio=True,
        several_answers=True,
        effort="qwen",
        echo="recommended",
        required_choice=False,
        parallel_default=False,
        web_search="qwen",
        cache_markers="cache_control",
    ),
    "glm": _GLM,
    "zai": _GLM,
    "openrouter": Dialect(  # https://openrouter.ai/docs/api-reference/parameters
        refused=frozenset(("audio", "moderation", "function_call", "functions")),
        developer_role=True,
        files=True,
        audio=True,
        top_k=True,
        effort="openrouter",
        echo="recommended",
        thoughts_name="reasoning",
        reasoning_details=True,
        strict_tools=True,
        web_search="openrouter",
        cache_markers="cache_control",
        user_name="user",
        verbosity=True,
    ),
    "mistral": Dialect(  # https://docs.mistral.ai/api/#tag/chat
        refused=(OPENAI_ONLY - {"metadata", "prediction", "prompt_cache_key"})
        | _LOGPROBS
        | {"user", "stream_options", "top_k"},
        message_names=False,
        prefix_flag=True,
        audio=True,
        hottest=1.5,
        seed_name="random_seed",
        several_answers=True,
        stream_options=False,
        effort="mistral",
        schemas="no_meta",
        call_ids="nine",
    ),
    "groq": Dialect(  # https://console.groq.com/docs/openai
        refused=(OPENAI_ONLY - {"service_tier"}) | _LOGPROBS | {"n", "top_k"},
        developer_role=True,
        message_names=False,
        max_tokens_name="max_completion_tokens",
        stop_limit=4,
        effort="groq",
        json_schema="alone",
        service_tiers=frozenset(("auto", "flex")),
        user_name="user",
    ),
    "xai": Dialect(  # https://docs.x.ai/docs/api-reference
        refused=OPENAI_ONLY - {"prompt_cache_key", "logit_bias"},
        developer_role=True,
        message_names=False,
        max_tokens_name="max_completion_tokens",
        several_answers=True,
        effort="grok",
        user_name="user",
    ),
    "moonshot": Dialect(  # https://platform.kimi.ai/docs/api/chat
        refused=(OPENAI_ONLY - {"prompt_cache_key"}) | _PENALTIES | {"n", "temperature", "top_p"},
        text_lists=False,
        images="inline",
        stop_limit=5,
        effort="kimi",
        echo="required",
        schemas="moonshot",
    ),
    "local": _LOCAL,  # vLLM, and whatever else runs here
    # https://github.com/ggml-org/llama.cpp/tree/master/tools/server - it ignores a named choice
    "llama.cpp": msgspec.structs.replace(_LOCAL, named_choice=False, echo="recommended"),
    "ollama": msgspec.structs.replace(  # https://docs.ollama.com/api/openai-compatibility
        COMPATIBLE,
        images="inline",
        several_answers=False,
        echo="recommended",
        thoughts_name="reasoning",
        required_choice=False,
        named_choice=False,
    ),
    # https://lmstudio.ai/docs/developer/openai-compat - it refuses both with status 400
    "lm-studio": msgspec.structs.replace(_LOCAL, named_choice=False, json_mode="json_schema"),
}


def dialect(name: str) -> Dialect:
    """Return what the provider called `name` accepts."""
    return DIALECTS.get(name, COMPATIBLE)
