from urllib.parse import urlsplit

import pytest

from addon.formats.base import FORMAT_NAMES
from addon.providers import BUILT_IN, provider_for_host

IDS = [
    "openai",
    "anthropic",
    "google",
    "deepseek",
    "qwen",
    "glm",
    "zai",
    "openrouter",
    "mistral",
    "groq",
    "xai",
    "moonshot",
    "local",
    "azure",
]


def test_the_providers_of_the_contract_are_there_in_its_order():
    assert list(BUILT_IN) == IDS


@pytest.mark.parametrize("provider", BUILT_IN.values(), ids=lambda p: p.id)
def test_an_entry_is_complete(provider):
    assert provider.title
    assert provider.dialect == ("openai" if provider.id == "azure" else provider.id)
    assert bool(provider.base_urls) != bool(provider.base_url_example)
    assert set(provider.base_urls) <= set(FORMAT_NAMES)
    for name, url in provider.base_urls.items():
        parts = urlsplit(url)
        assert parts.scheme == ("http" if provider.id == "local" else "https")
        assert not url.endswith("/")
        if name in ("anthropic", "gemini"):
            assert "/v1" not in parts.path
    for urls in provider.regions.values():
        assert set(urls) <= set(provider.base_urls)
        assert all(
            provider_for_host(urlsplit(url).hostname) == provider.id for url in urls.values()
        )
    if provider.id != "local":
        assert provider.key_variables[0].endswith("_API_KEY")
    if provider.id not in ("local", "azure"):
        assert provider.default_model == provider.models[0]
        assert len(set(provider.models)) == len(provider.models)


def test_every_provider_can_be_called_in_a_format_that_detour_speaks():
    for provider in BUILT_IN.values():
        if provider.base_urls:
            assert provider.format_for("openai-chat") in provider.base_urls


def test_addresses_that_are_easily_got_wrong():
    assert BUILT_IN["openai"].base_urls["openai-chat"] == "https://api.openai.com/v1"
    assert BUILT_IN["zai"].base_urls["openai-chat"] == "https://api.z.ai/api/paas/v4"
    assert BUILT_IN["deepseek"].base_urls["anthropic"] == "https://api.deepseek.com/anthropic"
    assert BUILT_IN["openrouter"].base_urls["anthropic"] == "https://openrouter.ai/api"
    assert BUILT_IN["local"].base_urls == {"openai-chat": "http://127.0.0.1:8080/v1"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("API.OpenAI.com.", "openai"),
        ("api.anthropic.com", "anthropic"),
        ("generativelanguage.googleapis.com", "google"),
        ("dashscope-intl.aliyuncs.com", "qwen"),
        ("open.bigmodel.cn", "glm"),
        ("api.z.ai", "zai"),
        ("127.0.0.1", None),
        ("example.com", None),
        ("", None),
    ],
)
def test_a_host_names_its_provider(host, expected):
    assert provider_for_host(host) == expected


def test_no_two_providers_share_a_key_variable():
    variables = [name for provider in BUILT_IN.values() for name in provider.key_variables]
    assert len(set(variables)) == len(variables)
    assert {"GEMINI_API_KEY", "GOOGLE_API_KEY"} <= set(BUILT_IN["google"].key_variables)
    assert {"ZHIPUAI_API_KEY", "GLM_API_KEY"} <= set(BUILT_IN["glm"].key_variables)
