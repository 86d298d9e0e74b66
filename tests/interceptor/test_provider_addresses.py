"""Every provider is called at its own host, in each of its formats, with its own key."""

import ssl

import pytest

from addon.embedded import EmbeddedProvider
from addon.providers import BUILT_IN
from addon.wire.codec import encode
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context

PATHS = {"openai-chat": "/chat/completions", "openai-responses": "/responses"}
QUESTION = [{"role": "user", "content": "[[say Hi.]]"}]
ASKED = {
    "openai-chat": ("https://api.openai.com/v1/chat/completions", {"messages": QUESTION}),
    "openai-responses": (
        "https://api.openai.com/v1/responses",
        {"input": QUESTION, "store": False},
    ),
    "anthropic": (
        "https://api.anthropic.com/v1/messages",
        {"messages": QUESTION, "max_tokens": 9},
    ),
    "gemini": (
        "https://generativelanguage.googleapis.com/v1beta/models/MODEL:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "[[say Hi.]]"}]}]},
    ),
}
BEARER, ANTHROPIC, GOOGLE, AZURE = "authorization", "x-api-key", "x-goog-api-key", "api-key"
REGIONS = {
    ("openai", "us"): {
        "openai-chat": "https://us.api.openai.com/v1/chat/completions",
        "openai-responses": "https://us.api.openai.com/v1/responses",
    },
    ("openai", "eu"): {
        "openai-chat": "https://eu.api.openai.com/v1/chat/completions",
        "openai-responses": "https://eu.api.openai.com/v1/responses",
    },
    ("deepseek", "beta"): {"openai-chat": "https://api.deepseek.com/beta/chat/completions"},
    ("qwen", "intl"): {
        "openai-chat": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
        "openai-responses": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/responses",
        "anthropic": "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages",
    },
    ("qwen", "us"): {
        "openai-chat": "https://dashscope-us.aliyuncs.com/compatible-mode/v1/chat/completions",
        "openai-responses": "https://dashscope-us.aliyuncs.com/compatible-mode/v1/responses",
        "anthropic": "https://dashscope-us.aliyuncs.com/apps/anthropic/v1/messages",
    },
    ("glm", "coding-plan"): {
        "openai-chat": "https://open.bigmodel.cn/api/coding/paas/v4/chat/completions",
        "anthropic": "https://open.bigmodel.cn/api/anthropic/v1/messages",
    },
    ("zai", "coding-plan"): {
        "openai-chat": "https://api.z.ai/api/coding/paas/v4/chat/completions",
        "anthropic": "https://api.z.ai/api/anthropic/v1/messages",
    },
    ("xai", "us"): {
        "openai-chat": "https://us.api.x.ai/v1/chat/completions",
        "openai-responses": "https://us.api.x.ai/v1/responses",
    },
    ("moonshot", "cn"): {
        "openai-chat": "https://api.moonshot.cn/v1/chat/completions",
        "openai-responses": "https://api.moonshot.cn/v1/responses",
        "anthropic": "https://api.moonshot.cn/anthropic/v1/messages",
    },
}
KEYED = [name for name, provider in BUILT_IN.items() if provider.key_variables and provider.models]


class Everywhere(EmbeddedProvider):
    """Serves each API below whatever path a provider has put it, and remembers the addresses.

    Models of others that are called in Anthropic's format are Claude to it.
    """

    def __init__(self, certificate: ssl.SSLContext) -> None:
        super().__init__(certificate=certificate)
        self.called: list[str] = []

    async def _respond(self, request, connection):
        self.called.append(f"https://{request.header('host')}{request.path}")
        for end in ("/chat/completions", "/responses", "/messages"):
            if request.path.endswith(end):
                request.path = f"/v1{end}"
        if request.path == "/v1/messages":
            model = encode(request.json()["model"])
            request.body = request.body.replace(model, b'"claude-sonnet-5-5"')
        if key := request.header(AZURE):
            request.headers.append((BEARER, f"Bearer {key}"))
        await super()._respond(request, connection)


def all_hosts():
    urls = [url for expected in REGIONS.values() for url in expected.values()]
    urls += [url for provider in BUILT_IN.values() for url in provider.base_urls.values()]
    return sorted({url.split("/")[2] for url in urls if url.startswith("https")})


@pytest.fixture
async def everywhere():
    async with Everywhere(server_context(*all_hosts())) as provider:
        yield provider


async def call(proxy, target, format):
    """Ask for a target by name, as an agent that speaks the format."""
    url, body = ASKED[format]
    headers = {"authorization": f"Bearer {AGENT_KEY}", "anthropic-version": "2023-06-01"}
    async with proxy.client(headers=headers) as client:
        body = body if format == "gemini" else {**body, "model": target}
        answer = await client.post(url.replace("MODEL", target), json=body)
    assert answer.status_code == 200, answer.text
    assert "Hi." in answer.text


def scheme(name, format):
    """Name the header that the provider's page asks for."""
    if format == "gemini":
        return GOOGLE
    return ANTHROPIC if format == "anthropic" and name in ("anthropic", "deepseek") else BEARER


async def check(everywhere, rules, environment, name, expected):
    hosts = dict.fromkeys(all_hosts(), ("127.0.0.1", everywhere.port))
    async with running_proxy(rules, hosts=hosts, environment=environment) as proxy:
        for format in expected:
            await call(proxy, f"{name}:{BUILT_IN[name].models[0]}", format)
    assert everywhere.called == list(expected.values())
    for format, request in zip(expected, everywhere.requests, strict=True):
        header = scheme(name, format)
        sent = (request.header(header) or "").removeprefix("Bearer ")
        assert sent == PROVIDER_KEY
        others = {BEARER, ANTHROPIC, GOOGLE, AZURE} - {header}
        assert not others & {key for key, _ in request.headers}


@pytest.mark.parametrize(
    ("name", "variable"),
    [(name, variable) for name in KEYED for variable in BUILT_IN[name].key_variables],
)
async def test_a_built_in_provider_needs_nothing_but_its_key(everywhere, name, variable):
    expected = {}
    for format, url in BUILT_IN[name].base_urls.items():
        path = PATHS.get(format, "/v1/messages")
        if format == "gemini":
            path = f"/v1beta/models/{BUILT_IN[name].models[0]}:generateContent"
        expected[format] = url + path
    environment = {variable: PROVIDER_KEY}
    await check(everywhere, "version: 1\ndefault: block\n", environment, name, expected)


@pytest.mark.parametrize(("name", "region"), REGIONS)
async def test_a_region_has_hosts_of_its_own(everywhere, name, region):
    rules = f"version: 1\nproviders: {{{name}: {{region: {region}}}}}\ndefault: block\n"
    environment = {BUILT_IN[name].key_variables[0]: PROVIDER_KEY}
    await check(everywhere, rules, environment, name, REGIONS[name, region])


def test_every_region_is_tried():
    regions = {(name, region) for name, one in BUILT_IN.items() for region in one.regions}
    assert set(REGIONS) == regions


@pytest.mark.parametrize(
    ("base", "more", "path", "query"),
    [
        ("openai/v1", "", "/openai/v1/chat/completions", ""),
        ("openai/v1", "api_version: preview", "/openai/v1/chat/completions", "api-version=preview"),
        (
            "openai/deployments/our-gpt",
            "api_version: 2024-10-21, formats: [openai-chat]",
            "/openai/deployments/our-gpt/chat/completions",
            "api-version=2024-10-21",
        ),
    ],
)
async def test_azure_is_called_by_deployment_and_version(base, more, path, query):
    host = "ours.openai.azure.com"
    async with Everywhere(server_context(host)) as azure:
        rules = (
            f"version: 1\nproviders:\n  azure: {{base_url: 'https://{host}/{base}', {more}}}\n"
            "rules: [{use: 'azure:our-gpt'}]\n"
        )
        async with running_proxy(
            rules,
            hosts={host: ("127.0.0.1", azure.port)},
            environment={"AZURE_OPENAI_API_KEY": PROVIDER_KEY},
        ) as proxy:
            await call(proxy, "whatever", "openai-chat")
        (request,) = azure.requests
    assert azure.called == [f"https://{host}{path}"]
    assert request.query == query
    assert request.header(AZURE) == PROVIDER_KEY
    assert request.json()["model"] == "our-gpt"


async def test_one_provider_may_have_an_address_for_each_format():
    hosts = ("chat.example", "claude.example")
    rules = """
version: 1
providers:
  gateway:
    base_url: {openai-chat: "https://chat.example/v1", anthropic: "https://claude.example"}
    api_key: ${GATEWAY_KEY}
default: block
"""
    async with (
        Everywhere(server_context(*hosts)) as gateway,
        running_proxy(
            rules,
            hosts=dict.fromkeys(hosts, ("127.0.0.1", gateway.port)),
            environment={"GATEWAY_KEY": PROVIDER_KEY},
        ) as proxy,
    ):
        for format in ("openai-chat", "anthropic", "gemini"):
            await call(proxy, "gateway:m", format)
    assert gateway.called == [
        "https://chat.example/v1/chat/completions",
        "https://claude.example/v1/messages",
        "https://chat.example/v1/chat/completions",
    ]
