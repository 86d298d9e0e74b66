import pytest

from addon.formats.openai_chat.dialects import dialect
from addon.formats.openai_chat.reasoning import forceable, render_reasoning
from addon.neutral import LossList, ReasoningConfig
from addon.wire.openai_models import openai_model


def render(provider, model, config, *, forced=False, tools=False):
    losses = LossList()
    if isinstance(config, str):
        config = ReasoningConfig(effort=config)
    fields = render_reasoning(dialect(provider), model, config, losses, forced=forced, tools=tools)
    return fields, [loss.action for loss in losses.to_tuple()]


def effort(word):
    return {"reasoning_effort": word}


OFF, ON = {"thinking": {"type": "disabled"}}, {"thinking": {"type": "enabled"}}
GLM = {"thinking": {"type": "enabled", "clear_thinking": False}}


@pytest.mark.parametrize(
    ("provider", "model", "wish", "fields", "losses"),
    [
        ("openai", "gpt-6-sol", "medium", effort("medium"), []),
        ("openai", "gpt-6-luna", "none", effort("none"), []),
        ("openai", "gpt-6-luna", "max", effort("xhigh"), ["approximated"]),
        ("openai", "gpt-6-astra", "none", effort("low"), ["approximated"]),
        ("openai", "gpt-5", "minimal", effort("minimal"), []),
        ("openai", "gpt-5", "xhigh", effort("high"), ["approximated"]),
        ("openai", "gpt-5.1", "minimal", effort("low"), ["approximated"]),
        ("openai", "gpt-5-pro", "low", effort("high"), ["approximated"]),
        ("openai", "gpt-5.4-pro", "low", effort("medium"), ["approximated"]),
        ("openai", "gpt-5.2-chat-latest", "high", effort("medium"), ["approximated"]),
        ("openai", "o3-mini", "none", effort("low"), ["approximated"]),
        ("openai", "gpt-4.1", "high", {}, ["dropped"]),
        ("deepseek", "deepseek-v4-pro", "none", OFF, []),
        ("deepseek", "deepseek-v4-pro", "minimal", ON | effort("low"), ["approximated"]),
        ("deepseek", "deepseek-v4-pro", "medium", ON | effort("high"), ["approximated"]),
        ("deepseek", "deepseek-v4-pro", "max", ON | effort("max"), []),
        ("qwen", "qwen3.8-max", "none", {"enable_thinking": False}, []),
        ("qwen", "q", "low", {"enable_thinking": True, "thinking_budget": 2048}, []),
        ("qwen", "q", "max", {"enable_thinking": True}, []),
        ("glm", "glm-5.3", "none", GLM | effort("low"), ["approximated"]),
        ("glm", "glm-5.3", "medium", GLM | effort("high"), ["approximated"]),
        ("glm", "glm-5.3", "xhigh", GLM | effort("max"), ["approximated"]),
        ("glm", "glm-5.2", "medium", GLM | effort("medium"), []),
        ("zai", "glm-4.7", "none", OFF, []),
        ("zai", "glm-4.7", "high", GLM, ["approximated"]),
        ("moonshot", "kimi-k3", "low", effort("low"), []),
        ("moonshot", "kimi-k3", "none", effort("low"), ["approximated"]),
        ("moonshot", "kimi-k2.6", "none", OFF, []),
        ("moonshot", "kimi-k2.6", "high", ON, []),
        ("moonshot", "kimi-k2.7-code", "high", {}, ["dropped"]),
        ("openrouter", "x/y", "high", {"reasoning": {"effort": "high"}}, []),
        ("openrouter", "x/y", "max", {"reasoning": {"effort": "xhigh"}}, ["approximated"]),
        ("openrouter", "x/y", "none", {"reasoning": {"effort": "none"}}, []),
        ("xai", "grok-4.7", "xhigh", effort("xhigh"), []),
        ("xai", "grok-4.5", "none", effort("low"), ["approximated"]),
        ("xai", "grok-4.3", "none", effort("none"), []),
        ("xai", "grok-4-fast", "high", {}, ["dropped"]),
        ("groq", "openai/gpt-oss-120b", "none", effort("low"), ["approximated"]),
        ("groq", "qwen/qwen3.8-27b", "none", effort("none"), []),
        ("groq", "qwen/qwen3.8-27b", "high", effort("default"), ["approximated"]),
        ("groq", "llama-3.3-70b", "high", {}, ["dropped"]),
        ("mistral", "mistral-large-4", "low", effort("high"), ["approximated"]),
        ("mistral", "mistral-large-4", "none", effort("none"), []),
        ("mistral", "codestral-latest", "low", {}, ["dropped"]),
        ("google", "gemini-2.5-flash", "none", effort("none"), []),
        ("google", "gemini-3.8-flash", "none", effort("low"), ["approximated"]),
        ("google", "gemini-3.8-flash", "max", effort("high"), ["approximated"]),
        ("local", "gpt-oss", "minimal", effort("low"), ["approximated"]),
        ("local", "gpt-oss", "none", effort("none"), []),
        ("anthropic", "claude", "high", {}, ["dropped"]),
    ],
)
def test_one_wish_has_many_words(provider, model, wish, fields, losses):
    assert render(provider, model, wish) == (fields, losses)


@pytest.mark.parametrize(
    ("budget", "word"),
    [
        (500, "minimal"),
        (1024, "low"),
        (2048, "low"),
        (8192, "medium"),
        (16_000, "high"),
        (99_999, "xhigh"),
    ],
)
def test_budgets_become_efforts(budget, word):
    config = ReasoningConfig(budget_tokens=budget, enabled=True)
    fields, _ = render("openrouter", "x/y", ReasoningConfig(effort=word))
    assert fields == {"reasoning": {"effort": word}}
    assert render("openrouter", "x/y", config)[0] == {"reasoning": {"max_tokens": budget}}
    assert render("qwen", "q", config)[0]["thinking_budget"] == budget
    expected = word if word != "minimal" else "low"
    assert render("openai", "gpt-5.5", config)[0] == effort(expected)


def test_no_thinking_and_thinking_of_any_length():
    assert render("openai", "gpt-5.5", ReasoningConfig(enabled=False))[0] == effort("none")
    assert render("openai", "gpt-5.5", ReasoningConfig(enabled=True)) == ({}, [])
    assert render("deepseek", "d", ReasoningConfig(enabled=True)) == (ON, [])
    hidden = ReasoningConfig(enabled=True, visible=False)
    assert render("openrouter", "x", hidden)[0] == {"reasoning": {"enabled": True, "exclude": True}}
    for provider in ("openai", "deepseek", "glm", "local", "anthropic"):
        assert render(provider, "m", None) == ({}, [])
        assert render(provider, "m", ReasoningConfig(visible=True)) == ({}, [])


def test_gpt_5_6_takes_tools_only_when_it_does_not_think():
    assert render("openai", "gpt-5.6-sol", None, tools=True) == (effort("none"), ["approximated"])
    assert render("openai", "gpt-5.6-sol", "none", tools=True) == (effort("none"), [])
    assert render("openai", "gpt-5.6-sol", "high") == (effort("high"), [])
    assert render("openai", "gpt-6-sol", None, tools=True) == ({}, [])


def test_which_calls_can_be_forced():
    assert forceable(dialect("moonshot"), "kimi-k3") == "required"
    assert forceable(dialect("moonshot"), "kimi-k2.6") == "any"
    assert forceable(dialect("moonshot"), "kimi-k2-thinking") == "nothing"
    assert forceable(dialect("openai"), "gpt-5") == "any"


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("gpt-4o-2024-08-06", False),
        ("ft:gpt-4o-mini:org::id", False),
        ("gpt-3.5-turbo", False),
        ("o1", True),
        ("o4-mini-2025-04-16", True),
        ("gpt-5-nano", True),
        ("gpt-6.1-terra", True),
        ("gpt-7", True),
        ("azure-deployment", False),
    ],
)
def test_families_are_told_by_name(name, reasons):
    assert openai_model(name).reasoning is reasons


def test_only_some_families_know_cache_breakpoints():
    assert openai_model("gpt-5.6-sol").breakpoints
    assert openai_model("gpt-6-sol").breakpoints
    assert not openai_model("gpt-5.5").breakpoints
