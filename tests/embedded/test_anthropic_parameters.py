"""Every rule about the parameters of a Messages request: what breaks it, and what does not."""

from typing import Any

import pytest

from addon.embedded.anthropic.validation import check_messages_request
from addon.embedded.refusal import Refusal
from tests.support.provider import VERSION, WRITE_FILE, messages_body, text, user

OPUS = "claude-opus-5-5"
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def check(headers: dict[str, str] | None = None, **fields: Any) -> None:
    body = messages_body(user("hi"), **fields)
    check_messages_request(body, {**VERSION, **(headers or {})}, b"secret")


def form(schema: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def marked(count: int, ttl: str | None = None) -> list[dict[str, Any]]:
    mark = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    return [text(f"part {number}", cache_control=mark) for number in range(count)]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"frequency_penalty": 1}, "frequency_penalty: Extra inputs are not permitted"),
    ({"max_tokens": None}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 64_001}, "max_tokens: 64001 > 64000"),
    ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"metadata": {"tag": "x"}}, "metadata.tag: Extra inputs are not permitted"),
    ({"metadata": {"user_id": "a" * 513}}, "metadata.user_id: Input should be at most 512"),
    ({"metadata": {"user_id": "a@b.org"}}, "appears to contain an email"),
    ({"stop_sequences": ["\n"]}, "each stop sequence must contain non-whitespace"),
    ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
    ({"service_tier": "flex"}, "service_tier: Input should be 'auto' or 'standard_only'"),
    ({"speed": "fast"}, "speed: 'fast' is not supported"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"system": [{"type": "image", "source": {}}]}, "Input tag 'image' found using 'type'"),
    ({"system": [text("")]}, "system: text content blocks must be non-empty"),
    ({"system": 3}, "system: Input should be a valid list"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"temperature": 1, "top_p": 0.9}, "cannot both be specified"),
    ({"temperature": 1, "model": OPUS}, "`temperature` is not supported on claude-opus-5-5"),
    ({"top_k": 5, "model": "claude-opus-4-7"}, "`top_k` is not supported"),
    (
        {"temperature": 0.5, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "may only be set to 1 when thinking is enabled",
    ),
    ({"top_p": 0.5, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "0.95"),
    ({"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "must be unset"),
    ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1023}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        "`max_tokens` must be greater than `thinking.budget_tokens`",
    ),
    ({"thinking": {"type": "adaptive"}}, "'adaptive' is not supported"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "model": OPUS},
        "'enabled' is not supported",
    ),
    ({"thinking": {"type": "disabled"}, "model": OPUS}, "'disabled' is not supported"),
    (
        {
            "thinking": {"type": "disabled"},
            "output_config": {"effort": "max"},
            "model": "claude-haiku-5-5",
        },
        "'disabled' is not supported with effort 'max'",
    ),
    (
        {
            "thinking": {"type": "between_tools"},
            "output_config": {"effort": "xhigh"},
            "model": "claude-sonnet-5-5",
        },
        "'between_tools' is not supported with effort",
    ),
    (
        {"thinking": {"type": "adaptive", "block_binding": {}}, "model": OPUS},
        "block_binding: Extra inputs are not permitted",
    ),
    ({"output_config": {"effort": "high"}}, "does not support the effort parameter"),
    ({"output_config": {"effort": "none"}, "model": OPUS}, "output_config.effort: Input should be"),
    (
        {"output_config": {"effort": "xhigh"}, "model": "claude-opus-4-6"},
        "'xhigh' is not supported on claude-opus-4-6",
    ),
    (
        {"output_config": {"format": {"type": "json_object"}}},
        "Input tag 'json_object' found using 'type'",
    ),
    (form({"type": "object", "properties": {}}), "'additionalProperties' must be explicitly set"),
    (
        form({**CLOSED, "properties": {"a": {"type": "string", "minLength": 2}}}),
        "For 'string' type, property 'minLength' is not supported",
    ),
    (
        form({**CLOSED, "properties": {"a": {"type": "string", "format": "color"}}}),
        "format 'color' is not supported",
    ),
    (
        form({**CLOSED, "properties": {"a": {"type": "array", "minItems": 2}}}),
        "'minItems' values other than 0 or 1",
    ),
    (
        form(
            {
                "$defs": {
                    "node": {
                        "type": "object",
                        "properties": {"next": {"$ref": "#/$defs/node"}},
                        "additionalProperties": False,
                    }
                },
                "$ref": "#/$defs/node",
            }
        ),
        "Recursive schemas are not supported",
    ),
    (
        form(
            {
                **CLOSED,
                "properties": {f"p{number}": {"type": "null"} for number in range(25)},
                "required": [],
            }
        ),
        "too many optional parameters (25)",
    ),
    ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [{**WRITE_FILE, "parameters": {}}]}, "parameters: Extra inputs"),
    ({"tools": [{**WRITE_FILE, "name": "a b"}]}, "tools.0.custom.name: Input should be a string"),
    ({"tools": [{**WRITE_FILE, "name": "a" * 129}]}, "tools.0.custom.name"),
    ({"tools": [{**WRITE_FILE, "input_schema": {}}]}, "input_schema.type: Field required"),
    (
        {"tools": [{**WRITE_FILE, "input_schema": {"type": "array"}}]},
        "input_schema.type: Input should be 'object'",
    ),
    (
        {"tools": [{**WRITE_FILE, "input_schema": {"type": "object", "anyOf": [{}]}}]},
        "does not support oneOf, allOf, or anyOf at the top level",
    ),
    (
        {
            "tools": [
                {
                    **WRITE_FILE,
                    "input_schema": {"type": "object", "properties": {"a": {"type": "text"}}},
                }
            ]
        },
        "JSON schema is invalid: 'text' is not a type",
    ),
    ({"tools": [{**WRITE_FILE, "strict": True}]}, "'additionalProperties' must be explicitly"),
    ({"tools": [WRITE_FILE, WRITE_FILE]}, "Tool names must be unique"),
    ({"tools": [{"type": "function", "name": "f"}]}, "Input tag 'function' found"),
    ({"tools": [{"type": "web_search_20250305", "name": "search"}]}, "should be 'web_search'"),
    ({"tools": [{**WRITE_FILE, "defer_loading": True}]}, "At least one tool must have"),
    ({"tool_choice": {"type": "auto"}}, "may only be specified while providing tools"),
    ({"tools": [WRITE_FILE], "tool_choice": "auto"}, "tool_choice: Input should be a valid dict"),
    (
        {"tools": [WRITE_FILE], "tool_choice": {"type": "tool", "name": "g"}},
        "Tool 'g' not found in provided tools",
    ),
    (
        {"tools": [WRITE_FILE], "tool_choice": {"type": "any"}, "model": OPUS},
        "'any' is not supported on claude-opus-5-5",
    ),
    (
        {
            "tools": [WRITE_FILE],
            "tool_choice": {"type": "any"},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        "Thinking may not be enabled when tool_choice forces tool use",
    ),
    ({"system": marked(5)}, "A maximum of 4 blocks with cache_control may be provided. Found 5"),
    ({"system": marked(4), "cache_control": {"type": "ephemeral"}}, "Found 5"),
    ({"system": [*marked(1), *marked(1, "1h")]}, "must not come after a ttl='5m'"),
    ({"system": marked(1), "cache_control": {"type": "ephemeral", "ttl": "1h"}}, "ttl='1h'"),
    ({"system": [text("a", cache_control={"type": "persistent"})]}, "should be 'ephemeral'"),
    ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
    ({"model": ""}, "model: Input should be at least 1 characters long"),
]

ACCEPTED: list[dict[str, Any]] = [
    {"max_tokens": 0},
    {"max_tokens": 64_000, "model": "claude-haiku-4-5-20251001"},
    {"max_tokens": 128_000, "model": OPUS, "speed": "fast"},
    {"metadata": {"user_id": "a" * 512}},
    {"stop_sequences": ["END", "\n\nx"]},
    {"service_tier": "standard_only", "stream": True, "inference_geo": "us"},
    {"system": "Be brief."},
    {"system": [text("Be brief."), text("Be kind.", cache_control={"type": "ephemeral"})]},
    {"temperature": 0, "top_k": 40},
    {"top_p": 0.9, "model": "claude-opus-4-6"},
    {"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 1},
    {"thinking": {"type": "disabled"}},
    {"thinking": {"type": "adaptive", "display": "summarized"}, "model": OPUS},
    {
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "high"},
        "model": "claude-haiku-5-5",
    },
    {
        "thinking": {"type": "between_tools"},
        "output_config": {"effort": "low"},
        "model": "claude-sonnet-5-5",
    },
    {"output_config": {"effort": "max"}, "model": "claude-opus-4-6"},
    form(CLOSED),
    form({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, {"enum": [1]}]}}}),
    {"tools": [{**WRITE_FILE, "type": "custom", "eager_input_streaming": True}]},
    {"tools": [{**WRITE_FILE, "strict": True, "input_schema": CLOSED}]},
    {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]},
    {"tools": [WRITE_FILE], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    {"tools": [WRITE_FILE], "tool_choice": {"type": "tool", "name": "write_file"}},
    {"tools": [WRITE_FILE], "tool_choice": {"type": "none"}, "model": OPUS},
    {
        "tools": [WRITE_FILE],
        "tool_choice": {"type": "any"},
        "thinking": {"type": "adaptive"},
        "model": "claude-opus-5",
    },
    {"system": marked(3), "cache_control": {"type": "ephemeral"}},
    {"system": [*marked(1, "1h"), *marked(3)]},
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_refuses(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(**fields)
    assert message in str(refused.value)
    assert (refused.value.status, refused.value.kind) == (400, "invalid_request_error")


@pytest.mark.parametrize("fields", ACCEPTED, ids=lambda value: str(value)[:60])
def test_accepts(fields: dict[str, Any]) -> None:
    check(**fields)


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens"])
def test_demands_the_required_fields(name: str) -> None:
    body = messages_body(user("hi"))
    del body[name]
    with pytest.raises(Refusal, match=f"{name}: Field required"):
        check_messages_request(body, VERSION, b"")


def test_a_body_must_be_an_object() -> None:
    with pytest.raises(Refusal, match="body: Input should be a valid dictionary"):
        check_messages_request([], VERSION, b"")


@pytest.mark.parametrize("model", ["claude-opus-9", "gpt-5", "claude-3-opus", "claude-opus-5-5x"])
def test_an_unknown_model_is_not_found(model: str) -> None:
    with pytest.raises(Refusal, match=f"model: {model}") as refused:
        check(model=model)
    assert (refused.value.status, refused.value.kind) == (404, "not_found_error")


def test_a_version_is_demanded_and_known() -> None:
    with pytest.raises(Refusal, match="anthropic-version: header is required"):
        check_messages_request(messages_body(user("hi")), {}, b"")
    with pytest.raises(Refusal, match='"2024-01-01" is not a valid version'):
        check({"anthropic-version": "2024-01-01"})


def test_the_newest_version_takes_no_sampling_at_all() -> None:
    with pytest.raises(Refusal, match="temperature: not supported as of"):
        check({"anthropic-version": "2026-10-21"}, temperature=1)
    check({"anthropic-version": "2026-10-21"})


def test_a_beta_header_opens_the_beta_fields() -> None:
    check({"anthropic-beta": "context-management-2025-06-27"}, context_management={"edits": []})
    binding = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    check({"anthropic-beta": "thinking-binding-controls-2026-08-01"}, model=OPUS, thinking=binding)
    with pytest.raises(Refusal, match="block_binding: Extra inputs"):
        check({"anthropic-beta": "something-else"}, model=OPUS, thinking=binding)


def test_claude_codes_own_fields_need_a_beta() -> None:
    system = [text("Be kind.", cache_control={"type": "ephemeral", "scope": "global"})]
    check({"anthropic-beta": "prompt-caching-scope-2026-01-05"}, system=system)
    with pytest.raises(Refusal, match=r"system\.0\.cache_control\.scope: Extra inputs"):
        check(system=system)
    turns = [user("hi"), {"role": "system", "content": "So.", "output_config": {"effort": "low"}}]
    beta = {"anthropic-beta": "mid-conversation-output-config-2026-07-01"}
    check(beta, model=OPUS, messages=turns)
    with pytest.raises(Refusal, match=r"messages\.1\.output_config: Extra inputs"):
        check(model=OPUS, messages=turns)


def test_counting_tokens_takes_no_limit() -> None:
    body = messages_body(user("hi"))
    with pytest.raises(Refusal, match="max_tokens: Extra inputs are not permitted"):
        check_messages_request(body, VERSION, b"", counting=True)
    del body["max_tokens"]
    check_messages_request(body, VERSION, b"", counting=True)


def test_a_prompt_must_fit_the_context() -> None:
    words = "word " * 170_000
    with pytest.raises(Refusal, match=r"prompt is too long: \d+ tokens > 200000 maximum"):
        check(messages=[user(words)])
    check(messages=[user(words)], model=OPUS)
