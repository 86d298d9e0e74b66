import json

import pytest

from addon.formats.base import RequestLine
from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.dialects import DIALECTS
from addon.neutral import (
    ClientRequestError,
    Extra,
    LogprobsConfig,
    Message,
    ReasoningConfig,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
    Tool,
    UnsupportedFeature,
)

USER = Message("user", (TextPart("hi"),))
MODELS = {
    "openai": "gpt-4.1",
    "deepseek": "deepseek-v4-pro",
    "qwen": "qwen3.8-max",
    "glm": "glm-5.3",
    "openrouter": "anthropic/claude-sonnet-5.5",
    "mistral": "mistral-large-4",
    "groq": "openai/gpt-oss-120b",
    "xai": "grok-4.7",
    "moonshot": "kimi-k3",
    "google": "gemini-3.8-flash",
    "local": "qwen3-coder",
}


def rendered(dialect="openai", model=None, **fields):
    request = Request(model="m", source_format="anthropic", messages=(USER,), **fields)
    return FORMAT.render_request(request, model or MODELS.get(dialect, "m"), dialect)


def render(dialect="openai", model=None, **fields):
    return json.loads(rendered(dialect, model, **fields).body)


def losses(dialect="openai", model=None, **fields):
    return [loss.field for loss in rendered(dialect, model, **fields).losses]


def test_the_least_request():
    assert render() == {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
    request = rendered()
    assert request.path == "/chat/completions"
    assert request.losses == ()


def test_the_messages_come_last():
    everything = rendered(
        system=(SystemMessage((TextPart("s"),)),),
        tools=(Tool("f"),),
        stream=True,
        max_output_tokens=9,
        response_format=ResponseFormat("json_object"),
    )
    assert list(json.loads(everything.body))[-1] == "messages"


def test_a_stream_tells_its_usage():
    assert render(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in render(dialect="mistral", stream=True)
    assert "stream_options" not in render()


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        ("openai", "max_completion_tokens"),
        ("groq", "max_completion_tokens"),
        ("xai", "max_completion_tokens"),
        ("deepseek", "max_tokens"),
        ("openrouter", "max_tokens"),
        ("local", "max_tokens"),
        ("somebody-else", "max_tokens"),
    ],
)
def test_the_limit_has_two_names(dialect, name):
    body = render(dialect, max_output_tokens=77)
    assert body[name] == 77
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1


def test_the_limit_is_held_to_the_provider_s():
    assert render("glm", max_output_tokens=10**6)["max_tokens"] == 131_072
    assert losses("glm", max_output_tokens=10**6) == ["max_tokens"]


SAMPLING = Sampling(0.5, 0.9, None, 7, 0.1, 0.2)


@pytest.mark.parametrize(
    ("model", "effort", "kept"),
    [
        ("gpt-4.1", None, True),
        ("gpt-4o-mini", None, True),
        ("o3", None, False),
        ("gpt-5", None, False),
        ("gpt-5", "minimal", False),
        ("gpt-5.1", None, True),
        ("gpt-5.1", "low", False),
        ("gpt-5.5", None, False),
        ("gpt-5.5", "none", True),
        ("gpt-6-sol", None, False),
        ("gpt-6-luna", "none", True),
        ("gpt-6-astra", "none", False),
        ("gpt-9-something", None, False),
        ("my-deployment", None, True),
    ],
)
def test_thinking_openai_models_refuse_a_temperature(model, effort, kept):
    reasoning = ReasoningConfig(effort=effort) if effort else None
    body = render(model=model, sampling=SAMPLING, stop=("x",), reasoning=reasoning)
    assert ("temperature" in body) is kept
    assert ("top_p" in body) is kept
    reasons = model not in ("gpt-4.1", "gpt-4o-mini", "my-deployment")
    assert ("presence_penalty" in body) is not reasons
    assert ("stop" in body) is not reasons
    lost = losses(model=model, sampling=SAMPLING, stop=("x",), reasoning=reasoning)
    assert ("temperature" in lost) is not kept


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("glm", "presence_penalty"),
        ("glm", "seed"),
        ("google", "frequency_penalty"),
        ("moonshot", "temperature"),
        ("xai", "presence_penalty"),
        ("qwen", "frequency_penalty"),
    ],
)
def test_what_a_provider_refuses_is_listed(dialect, field):
    assert field not in render(dialect, sampling=SAMPLING)
    assert field in losses(dialect, sampling=SAMPLING)


def test_values_are_brought_into_range():
    hot = Sampling(temperature=1.8)
    assert render("mistral", sampling=hot)["temperature"] == 1.5
    assert render("glm", sampling=hot)["temperature"] == 1.0
    assert losses("glm", sampling=hot) == ["temperature"]
    assert render("glm", stop=("a", "b"))["stop"] == ["a"]
    assert losses("openai", stop=("a", "b", "c", "d", "e")) == ["stop"]
    assert losses("openai", sampling=Sampling(top_p=-1)) == ["top_p"]


def test_names_and_knobs_that_few_know():
    assert render("mistral", sampling=SAMPLING)["random_seed"] == 7
    assert "seed" not in render("mistral", sampling=SAMPLING)
    top_k = Sampling(top_k=40)
    assert render("local", sampling=top_k)["top_k"] == 40
    assert render("openrouter", sampling=top_k)["top_k"] == 40
    assert losses("openai", sampling=top_k) == ["top_k"]


def test_several_answers_and_probabilities_are_refused_by_name():
    assert render(count=2)["n"] == 2
    assert render(logprobs=LogprobsConfig(3))["top_logprobs"] == 3
    with pytest.raises(UnsupportedFeature, match="n:"):
        rendered("deepseek", count=2)
    with pytest.raises(UnsupportedFeature, match="logprobs:"):
        rendered("groq", logprobs=LogprobsConfig())


def test_who_is_behind_the_call():
    assert render(user_id="u1")["safety_identifier"] == "u1"
    assert render("groq", user_id="u1")["user"] == "u1"
    assert losses("mistral", user_id="u1") == ["user"]
    long = render(user_id="user_" + "x" * 200)["safety_identifier"]
    assert len(long) == 64
    assert long == render(user_id="user_" + "x" * 200)["safety_identifier"]


def test_tiers_and_verbosity():
    assert render(service_tier="flex")["service_tier"] == "flex"
    assert losses("deepseek", service_tier="flex") == ["service_tier"]
    assert render(model="gpt-6-sol", verbosity="low")["verbosity"] == "low"
    assert losses(model="gpt-4.1", verbosity="low") == ["verbosity"]
    assert losses("deepseek", verbosity="low") == ["verbosity"]


SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
WISH = ResponseFormat("json_schema", "n", SCHEMA, True, "d")


def test_json_by_schema():
    body = render(response_format=WISH)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True},
    }
    nameless = ResponseFormat("json_schema", schema=SCHEMA)
    assert render(response_format=nameless)["response_format"]["json_schema"] == {
        "name": "output",
        "schema": SCHEMA,
    }


def test_schemas_that_openai_would_not_enforce_are_sent_without_strict():
    loose = ResponseFormat("json_schema", "n", {"type": "object", "properties": {"a": {}}}, True)
    body = render(response_format=loose)
    assert body["response_format"]["json_schema"]["strict"] is False
    assert losses(response_format=loose) == ["response_format.strict"]


@pytest.mark.parametrize("dialect", ["deepseek", "glm"])
def test_json_by_words_where_schemas_are_unknown(dialect):
    body = render(dialect, response_format=WISH)
    assert body["response_format"] == {"type": "json_object"}
    assert body["messages"][0]["role"] == "system"
    assert json.dumps(SCHEMA).replace(" ", "") in body["messages"][0]["content"]
    assert losses(dialect, response_format=WISH) == ["response_format"]


def test_groq_takes_schemas_neither_with_tools_nor_in_a_stream():
    assert render("groq", response_format=WISH)["response_format"]["type"] == "json_schema"
    streamed = render("groq", response_format=WISH, stream=True)
    assert streamed["response_format"] == {"type": "json_object"}
    with_tools = render("groq", response_format=WISH, tools=(Tool("f"),))
    assert "response_format" not in with_tools
    assert "JSON Schema" in with_tools["messages"][0]["content"]


def test_json_of_any_shape():
    wish = ResponseFormat("json_object")
    assert render("deepseek", response_format=wish)["response_format"] == {"type": "json_object"}
    assert "JSON" in render("anthropic", response_format=wish)["messages"][0]["content"]
    assert "response_format" not in render(response_format=ResponseFormat("text"))


def test_other_formats_extras_are_dropped_or_refused():
    assert losses(extras=(Extra("mcp_servers", []),)) == ["mcp_servers"]
    with pytest.raises(UnsupportedFeature, match="container"):
        rendered(extras=(Extra("container", {}, essential=True),))


def test_own_extras_go_to_those_who_know_them():
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "metadata": {"a": "b"}}
    )
    request = FORMAT.parse_request(body.encode(), RequestLine())
    openai = json.loads(FORMAT.render_request(request, "gpt-4.1", "openai").body)
    assert openai["metadata"] == {"a": "b"}
    deepseek = FORMAT.render_request(request, "deepseek-v4-pro", "deepseek")
    assert "metadata" not in json.loads(deepseek.body)
    assert [loss.field for loss in deepseek.losses] == ["metadata"]


def test_a_request_nested_too_deeply_is_refused():
    schema: dict = {"type": "object"}
    for _ in range(5000):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(ClientRequestError, match="nested too deeply"):
        rendered(tools=(Tool("f", input_schema=schema, strict=True),))


EVERYTHING = {
    "system": (SystemMessage((TextPart("s"),), "developer"),),
    "tools": (Tool("f", "d", SCHEMA, True),),
    "sampling": Sampling(0.5, 0.9, 40, 7, 0.1, 0.2),
    "stop": ("a",),
    "max_output_tokens": 50,
    "reasoning": ReasoningConfig(effort="medium"),
    "response_format": WISH,
    "stream": True,
    "user_id": "u",
    "service_tier": "flex",
    "verbosity": "low",
    "parallel_tool_calls": False,
}
KNOWN = frozenset(
    [
        *("model", "messages", "tools", "tool_choice", "stream", "stream_options", "max_tokens"),
        *("max_completion_tokens", "temperature", "top_p", "top_k", "seed", "random_seed", "stop"),
        *("presence_penalty", "frequency_penalty", "response_format", "parallel_tool_calls"),
        *("user", "safety_identifier", "service_tier", "verbosity", "reasoning_effort"),
        *("reasoning", "thinking", "enable_thinking", "thinking_budget", "tool_stream"),
    ]
)


@pytest.mark.parametrize("dialect", [*DIALECTS, "somebody-else"])
def test_every_dialect_says_known_words_only_and_lists_the_rest(dialect):
    answer = rendered(dialect, **EVERYTHING)
    body = json.loads(answer.body)
    assert body.keys() <= KNOWN
    assert body.keys() & DIALECTS.get(dialect, DIALECTS["local"]).refused <= {
        "service_tier",
        "verbosity",
    }
    assert answer == rendered(dialect, **EVERYTHING)
    if dialect != "openai":
        assert answer.losses
