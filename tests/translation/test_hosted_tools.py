"""Tools that providers run themselves, each asked for in its own way."""

import json

import pytest

from addon import translate_request

SEARCH = {
    "openai-responses": {"type": "web_search"},
    "anthropic": {"type": "web_search_20260209", "name": "web_search"},
    "gemini": {"googleSearch": {}},
}
CODE = {
    "openai-responses": {"type": "code_interpreter", "container": {"type": "auto"}},
    "anthropic": {"type": "code_execution_20260521", "name": "code_execution"},
    "gemini": {"codeExecution": {}},
}
SENT = {
    "openai-responses": ("gpt-5.5", "web_search", "code_interpreter"),
    "anthropic": ("claude-opus-5-5", "web_search_20250305", "code_execution_20250825"),
    "gemini": ("gemini-3.8-flash", "googleSearch", "codeExecution"),
}


def ask(source, tools, **fields):
    question = {"role": "user", "content": "Look."}
    match source:
        case "openai-responses":
            body = {"model": "m", "input": "Look."}
        case "anthropic":
            body = {"model": "m", "max_tokens": 9, "messages": [question]}
        case _:
            body = {"model": "m", "contents": [{"parts": [{"text": "Look."}]}]}
    return json.dumps({**body, "tools": tools, **fields}).encode()


@pytest.mark.parametrize("source", SEARCH)
@pytest.mark.parametrize("target", SENT)
def test_what_several_providers_run_is_asked_for_in_their_words(source, target):
    model, *names = SENT[target]
    body = ask(source, [SEARCH[source], CODE[source]])
    if source == target:
        return
    rendered = translate_request(body, source, target, model)
    tools = json.loads(rendered.body)["tools"]
    assert [tool.get("type") or next(iter(tool)) for tool in tools] == names
    assert rendered.losses == () or {loss.field for loss in rendered.losses} == {"cache_control"}


@pytest.mark.parametrize("source", CODE)
def test_chat_runs_no_code(source):
    rendered = translate_request(ask(source, [CODE[source]]), source, "openai-chat", "gpt-4.1")
    assert "tools" not in json.loads(rendered.body)
    assert "tools.code_execution" in [loss.field for loss in rendered.losses]


def test_a_container_that_lives_at_openai_is_lost_by_name():
    tool = {"type": "code_interpreter", "container": "cntr_1"}
    rendered = translate_request(
        ask("openai-responses", [tool]), "openai-responses", "anthropic", "claude-opus-4-8"
    )
    assert "tools.container" in [loss.field for loss in rendered.losses]


def test_a_search_may_be_chosen():
    body = ask("openai-responses", [SEARCH["openai-responses"]], tool_choice={"type": "web_search"})
    rendered = translate_request(body, "openai-responses", "anthropic", "claude-opus-4-8")
    assert json.loads(rendered.body)["tool_choice"] == {"type": "tool", "name": "web_search"}
