import json

import pytest

from addon import ClientRequestError, DetourError, UnsupportedFeature, translate_request

CHAT = b'{"model":"gpt-5","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":5}'


def test_the_place_and_the_body_are_those_of_the_provider():
    rendered = translate_request(CHAT, "openai-chat", "anthropic", model="claude-opus-4-8")
    assert rendered.method == "POST"
    assert rendered.url == "https://api.anthropic.com/v1/messages"
    assert dict(rendered.headers)["anthropic-version"]
    assert json.loads(rendered.body)["model"] == "claude-opus-4-8"
    assert rendered.losses == ()


def test_without_a_model_the_agents_name_is_kept():
    assert json.loads(translate_request(CHAT, "openai-chat", "anthropic").body)["model"] == "gpt-5"


def test_a_provider_that_offers_the_format_is_called_in_it():
    rendered = translate_request(
        CHAT, "openai-chat", "openai-chat", model="deepseek-v4-pro", provider="deepseek"
    )
    assert rendered.url == "https://api.deepseek.com/v1/chat/completions"
    assert json.loads(rendered.body)["model"] == "deepseek-v4-pro"


def test_no_header_holds_a_key():
    rendered = translate_request(CHAT, "openai-chat", "anthropic")
    names = {name for name, _ in rendered.headers}
    assert not names & {"authorization", "x-api-key"}


@pytest.mark.parametrize(
    ("body", "provider", "error"),
    [
        (b"{", None, ClientRequestError),
        (CHAT, "nobody", DetourError),
        (CHAT, "groq", DetourError),
        (CHAT[:-1] + b',"n":2}', None, UnsupportedFeature),
    ],
)
def test_what_cannot_be_done_is_said(body, provider, error):
    with pytest.raises(error):
        translate_request(body, "openai-chat", "anthropic", provider=provider)


def test_a_refused_feature_is_named():
    with pytest.raises(UnsupportedFeature) as caught:
        translate_request(CHAT[:-1] + b',"n":2}', "openai-chat", "anthropic")
    assert caught.value.feature == "n"
