import logging

import msgspec
import pytest

from addon.neutral import UnsupportedFeature
from addon.providers import BUILT_IN, Destination, KeyRing, Provider, Secret

KEY = "sk-very-secret"


def make(**changes):
    fields = {"id": "p", "title": "P", "base_urls": {"openai-chat": "http://h/v1"}} | changes
    return Provider(**fields)


def test_the_agents_own_format_wins_where_it_is_offered():
    deepseek = BUILT_IN["deepseek"]
    assert deepseek.format_for("anthropic") == "anthropic"
    assert deepseek.format_for("openai-chat") == "openai-chat"


def test_otherwise_the_first_format_that_detour_speaks_is_used():
    google = BUILT_IN["google"]
    assert google.format_for("anthropic", {"openai-chat", "anthropic"}) == "openai-chat"
    assert google.format_for("anthropic", {"openai-chat", "anthropic", "gemini"}) == "gemini"
    assert BUILT_IN["anthropic"].format_for("openai-chat") == "anthropic"


def test_a_provider_that_detour_cannot_talk_to_is_refused_by_name():
    provider = make(base_urls={"gemini": "http://h"})
    with pytest.raises(UnsupportedFeature, match=r"^p: it offers gemini, which"):
        provider.format_for("openai-chat", {"openai-chat"})


@pytest.mark.parametrize(
    ("provider", "format", "expected"),
    [
        ("openai", "openai-chat", ("authorization", f"Bearer {KEY}")),
        ("openai", "openai-responses", ("authorization", f"Bearer {KEY}")),
        ("anthropic", "anthropic", ("x-api-key", KEY)),
        ("google", "gemini", ("x-goog-api-key", KEY)),
        ("google", "openai-chat", ("authorization", f"Bearer {KEY}")),
        ("deepseek", "anthropic", ("x-api-key", KEY)),
        ("openrouter", "anthropic", ("authorization", f"Bearer {KEY}")),
        ("zai", "anthropic", ("authorization", f"Bearer {KEY}")),
    ],
)
def test_the_key_goes_where_the_provider_wants_it(provider, format, expected):
    assert BUILT_IN[provider].auth_headers(format, KEY) == (expected,)


def test_extra_headers_come_with_the_key_and_without_one():
    provider = make(headers=(("x-team", Secret("research")),))
    assert provider.auth_headers("openai-chat", None) == (("x-team", "research"),)
    assert provider.auth_headers("openai-chat", KEY)[1] == ("x-team", "research")


def test_keys_do_not_show_in_anything_that_is_printed(caplog):
    secret = Secret(KEY)
    provider = make(api_key=secret, headers=(("x-token", Secret(KEY)),))
    destination = Destination(provider, "openai-chat", "http://h/v1", "m")
    ring = KeyRing({"P_KEY": KEY})
    shown = [secret, provider, destination, ring, [provider], {"p": destination}]
    logging.getLogger("test").warning("%s %r", provider, destination)
    printed = " ".join([*map(repr, shown), *map(str, shown), f"{secret} {provider}", caplog.text])
    assert KEY not in printed
    assert "<Provider p>" in printed
    with pytest.raises(TypeError):
        msgspec.json.encode(provider)


def test_a_secret_is_worth_its_text():
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"
    assert Secret("a").reveal() == "a"
