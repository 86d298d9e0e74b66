import json

import pytest

from addon.formats.anthropic import FORMAT
from addon.neutral import (
    CacheBreakpoint,
    Extra,
    LogprobsConfig,
    Message,
    NativeTool,
    ReasoningConfig,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolGrammar,
    ToolResultPart,
    UnsupportedFeature,
    WebSearchTool,
)

USER = Message("user", (TextPart("hi"),))
LS = Tool("ls", "list", {"type": "object", "properties": {}})
READ = Tool("read", None, None)
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN_SCHEMA = {"type": "object", "additionalProperties": {"type": "string"}}


def render(model="claude-sonnet-5", **fields):
    fields.setdefault("messages", (USER,))
    request = Request(model="gpt-5", source_format="openai-chat", **fields)
    rendered = FORMAT.render_request(request, model, "anthropic")
    assert rendered.path == "/v1/messages"
    assert dict(rendered.headers)["anthropic-version"] == "2023-06-01"
    return json.loads(rendered.body), {loss.field: loss.action for loss in rendered.losses}


def test_the_smallest_request():
    body, losses = render(model="claude-opus-4-8")
    assert body == {
        "model": "claude-opus-4-8",
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "cache_control": {"type": "ephemeral"},
    }
    assert losses == {}


def test_instructions_keep_their_order_and_lose_blanks():
    body, _ = render(
        system=(
            SystemMessage((TextPart("one"), TextPart(" "))),
            SystemMessage((TextPart("two"),), role="developer"),
        )
    )
    assert [block["text"] for block in body["system"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("model", "wanted", "sent", "lossy"),
    [
        ("claude-opus-5-5", None, 128_000, False),
        ("claude-haiku-4-5", None, 64_000, False),
        ("claude-haiku-4-5", 100, 100, False),
        ("claude-haiku-4-5", 100_000, 64_000, True),
    ],
)
def test_the_output_limit_is_always_said(model, wanted, sent, lossy):
    body, losses = render(model=model, max_output_tokens=wanted)
    assert body["max_tokens"] == sent
    assert ("max_tokens" in losses) == lossy


def test_the_output_limit_stays_above_the_thinking_budget():
    body, losses = render(
        model="claude-haiku-4-5", max_output_tokens=1000, reasoning=ReasoningConfig(effort="high")
    )
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 4096}
    assert body["max_tokens"] == 5096
    assert losses["max_tokens"] == "approximated"


def test_effort_on_an_adaptive_model():
    body, _ = render(reasoning=ReasoningConfig(effort="medium"))
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "medium"}


def test_thinking_with_a_budget_yields_to_a_forced_call():
    body, losses = render(
        model="claude-haiku-4-5",
        tools=(LS,),
        tool_choice=ToolChoice("required"),
        reasoning=ReasoningConfig(effort="low"),
    )
    assert "thinking" not in body
    assert losses["reasoning_effort"] == "dropped"


def test_thinking_with_a_budget_yields_to_a_loop_without_thoughts():
    messages = (
        USER,
        Message("assistant", (ToolCallPart("a", "ls", "{}"),)),
        Message("tool", (ToolResultPart("a", (TextPart("x"),)),)),
    )
    reasoning = ReasoningConfig(effort="low")
    body, losses = render("claude-haiku-4-5", messages=messages, tools=(LS,), reasoning=reasoning)
    assert "thinking" not in body
    assert "reasoning_effort" in losses
    body, losses = render("claude-opus-4-8", messages=messages, tools=(LS,), reasoning=reasoning)
    assert body["thinking"]["type"] == "adaptive"


@pytest.mark.parametrize(
    ("model", "sampling", "sent", "lost"),
    [
        ("claude-haiku-4-5", Sampling(temperature=0.2), {"temperature": 0.2}, set()),
        ("claude-haiku-4-5", Sampling(temperature=1.7), {"temperature": 1.0}, {"temperature"}),
        (
            "claude-haiku-4-5",
            Sampling(temperature=0.2, top_p=0.9, top_k=3),
            {"temperature": 0.2, "top_k": 3},
            {"top_p"},
        ),
        ("claude-sonnet-5", Sampling(temperature=0.2, top_p=0.9), {}, {"temperature", "top_p"}),
        ("claude-sonnet-5", Sampling(temperature=1), {}, set()),
        (
            "claude-haiku-4-5",
            Sampling(seed=1, presence_penalty=0.5, frequency_penalty=0),
            {},
            {"seed", "presence_penalty"},
        ),
        ("deepseek-v4-pro", Sampling(temperature=0.2, top_p=0.9), None, set()),
    ],
)
def test_sampling_by_generation(model, sampling, sent, lost):
    body, losses = render(model=model, sampling=sampling)
    found = {key: body[key] for key in ("temperature", "top_p", "top_k") if key in body}
    assert found == ({"temperature": 0.2, "top_p": 0.9} if sent is None else sent)
    assert set(losses) == lost


def test_no_sampling_while_thinking():
    body, losses = render(
        model="claude-haiku-4-5",
        sampling=Sampling(temperature=0.2),
        reasoning=ReasoningConfig(effort="low"),
    )
    assert "temperature" not in body
    assert losses["temperature"] == "dropped"


def test_blank_stop_sequences_are_dropped():
    body, losses = render(stop=("END", " \n"))
    assert body["stop_sequences"] == ["END"]
    assert "stop" in losses


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        ({"count": 2}, "n"),
        ({"logprobs": LogprobsConfig(3)}, "logprobs"),
        ({"extras": (Extra("modalities", ["audio"], essential=True),)}, "modalities"),
        ({"tools": (Tool("a.b"),)}, "tools.name"),
    ],
)
def test_what_the_agent_would_miss_is_refused(fields, feature):
    with pytest.raises(UnsupportedFeature) as caught:
        render(**fields)
    assert caught.value.feature == feature


def test_what_the_agent_will_not_miss_is_listed():
    body, losses = render(
        extras=(Extra("prediction", {}),),
        verbosity="low",
        tools=(LS, NativeTool("openai-responses", "image_generation", {})),
    )
    assert losses == {
        "prediction": "dropped",
        "verbosity": "dropped",
        "tools.image_generation": "dropped",
    }
    assert "prediction" not in body


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("tool", "ls"), None, {"type": "tool", "name": "ls"}),
        (ToolChoice("tool", "gone"), None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), True, {"type": "auto"}),
    ],
)
def test_tool_choice(choice, parallel, expected):
    body, _ = render(tools=(LS, READ), tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == expected


def test_a_forced_call_is_asked_for_in_words_where_it_is_refused():
    body, losses = render("claude-opus-5-5", tools=(LS,), tool_choice=ToolChoice("tool", "ls"))
    assert body["tool_choice"] == {"type": "auto"}
    assert "`ls`" in body["messages"][-1]["content"]
    assert losses["tool_choice"] == "approximated"


def test_allowed_tools_hide_the_others():
    body, losses = render(tools=(LS, READ), tool_choice=ToolChoice("required", allowed=("read",)))
    assert [tool["name"] for tool in body["tools"]] == ["read"]
    assert body["tool_choice"] == {"type": "any"}
    assert losses == {"tool_choice.allowed_tools": "approximated"}


def test_a_history_with_calls_needs_some_tool():
    messages = (USER, Message("assistant", (ToolCallPart("a", "ls", "{}"),)))
    body, losses = render(messages=messages)
    assert len(body["tools"]) == 1
    assert body["tool_choice"] == {"type": "none"}
    assert losses["tools"] == "emulated"


def test_a_custom_tool_is_offered_as_a_function():
    tool = Tool("patch", "edit", kind="custom", grammar=ToolGrammar("lark", "start: x"))
    body, losses = render(tools=(tool,))
    (wire,) = body["tools"]
    assert wire["description"].startswith("edit")
    assert "start: x" in wire["description"]
    assert wire["input_schema"]["required"] == ["input"]
    assert losses["tools.custom"] == "emulated"


def test_web_search_is_run_by_the_provider():
    body, _ = render(tools=(WebSearchTool(context_size="low", country="DE"),))
    assert body["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "max_uses": 1,
            "user_location": {"type": "approximate", "country": "DE"},
        }
    ]


def test_strict_tools_lose_their_guarantee_and_say_so():
    body, losses = render(tools=(Tool("ls", input_schema=SCHEMA, strict=True),))
    assert "strict" not in body["tools"][0]
    assert losses == {"tools.strict": "dropped"}


def test_a_schema_is_enforced_natively():
    body, losses = render(response_format=ResponseFormat("json_schema", "x", SCHEMA, strict=True))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert losses == {}


def test_a_schema_excludes_a_prefill():
    messages = (USER, Message("assistant", (TextPart("{"),)))
    wish = ResponseFormat("json_schema", "x", SCHEMA)
    body, _ = render("claude-haiku-4-5", messages=messages, response_format=wish)
    assert body["messages"][-1]["role"] == "user"
    body, _ = render("claude-haiku-4-5", messages=messages)
    assert body["messages"][-1]["role"] == "assistant"


def test_a_schema_beyond_the_subset_becomes_a_forced_tool():
    wish = ResponseFormat("json_schema", "x", OPEN_SCHEMA)
    body, losses = render(response_format=wish)
    assert body["tools"][0]["input_schema"] == OPEN_SCHEMA
    assert body["tool_choice"]["name"] == body["tools"][0]["name"]
    assert losses == {"response_format.json_schema": "emulated"}


@pytest.mark.parametrize(
    ("model", "tools"), [("claude-opus-5-5", ()), ("claude-sonnet-5", (LS,)), ("glm-5.3", (LS,))]
)
def test_a_schema_is_asked_for_in_words_where_nothing_else_is_left(model, tools):
    wish = ResponseFormat("json_schema", "x", OPEN_SCHEMA)
    body, losses = render(model, response_format=wish, tools=tools)
    assert "JSON Schema" in body["system"][-1]["text"]
    assert losses["response_format.json_schema"] == "emulated"


def test_json_mode_is_asked_for_in_words():
    body, losses = render(response_format=ResponseFormat("json_object"))
    assert "JSON object" in body["system"][-1]["text"]
    assert losses == {"response_format": "emulated"}


def test_the_agents_own_cache_marks_replace_the_automatic_one():
    marked = Message("user", (TextPart("hi", cache_breakpoint=CacheBreakpoint("1h")),))
    body, _ = render(messages=(marked,))
    assert "cache_control" not in body
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_at_most_four_marks_are_sent_and_the_last_ones_stay():
    parts = tuple(TextPart(str(n), cache_breakpoint=CacheBreakpoint()) for n in range(6))
    body, losses = render(messages=(Message("user", parts),))
    marked = [b["text"] for b in body["messages"][0]["content"] if "cache_control" in b]
    assert marked == ["2", "3", "4", "5"]
    assert losses["cache_control"] == "dropped"


def test_the_wish_for_a_long_lived_cache_is_kept():
    assert render(cache_ttl="1h")[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_other_makers_are_spared_what_only_claude_knows():
    body, _ = render("deepseek-v4-pro", service_tier="auto")
    assert "cache_control" not in body
    assert "service_tier" not in body


@pytest.mark.parametrize(
    ("user", "kept"),
    [("u-1", True), ("ann@example.com", False), ("+49 170 1234567", False), ("x" * 600, False)],
)
def test_user_ids_name_no_person(user, kept):
    body, losses = render(user_id=user)
    sent = body["metadata"]["user_id"]
    assert (sent == user) == kept
    assert len(sent) <= 512
    assert ("user" in losses) != kept


@pytest.mark.parametrize(
    ("tier", "sent"), [("auto", "auto"), ("default", "standard_only"), ("flex", None)]
)
def test_service_tiers(tier, sent):
    body, losses = render(service_tier=tier)
    assert body.get("service_tier") == sent
    assert ("service_tier" in losses) == (sent is None)


def test_rendering_twice_gives_the_same_bytes():
    request = Request(
        model="m",
        source_format="openai-chat",
        messages=(USER, Message("assistant", (ToolCallPart("x.y", "ls", '{"b":1,"a":2}'),))),
        tools=(LS, READ),
    )
    first = FORMAT.render_request(request, "claude-sonnet-5", "anthropic")
    assert FORMAT.render_request(request, "claude-sonnet-5", "anthropic") == first
