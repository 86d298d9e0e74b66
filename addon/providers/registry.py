"""The providers that Detour knows by itself.

Addresses and models of 2026-11; each entry names the page to check it against. The order of
`base_urls` is the order of preference when the agent's own format is not among them: the format
that the provider itself puts first. rules.yaml can change every entry and add more.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from addon.formats.base import FormatName
from addon.providers.provider import NO_KEY, Provider
from addon.providers.secret import Secret


def _openai(url: str) -> dict[FormatName, str]:
    return {"openai-responses": url, "openai-chat": url}


def _dashscope(host: str) -> dict[FormatName, str]:
    compatible = f"{host}/compatible-mode/v1"
    return {
        "openai-chat": compatible,
        "openai-responses": compatible,
        "anthropic": f"{host}/apps/anthropic",
    }


def _moonshot(host: str) -> dict[FormatName, str]:
    return {
        "openai-chat": f"{host}/v1",
        "openai-responses": f"{host}/v1",
        "anthropic": f"{host}/anthropic",
    }


_PROVIDERS = (
    Provider(  # https://platform.openai.com/docs/api-reference
        id="openai",
        title="OpenAI",
        base_urls=_openai("https://api.openai.com/v1"),
        regions={name: _openai(f"https://{name}.api.openai.com/v1") for name in ("us", "eu")},
        key_variables=("OPENAI_API_KEY",),
        models=("gpt-6-sol", "gpt-6.1-sol", "gpt-6-astra", "gpt-6.1-terra", "gpt-6-luna"),
    ),
    Provider(  # https://docs.anthropic.com/en/api/overview
        id="anthropic",
        title="Anthropic",
        base_urls={"anthropic": "https://api.anthropic.com"},
        key_variables=("ANTHROPIC_API_KEY",),
        models=("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-1"),
    ),
    Provider(  # https://ai.google.dev/gemini-api/docs/openai
        id="google",
        title="Google Gemini",
        base_urls={
            "gemini": "https://generativelanguage.googleapis.com",
            "openai-chat": "https://generativelanguage.googleapis.com/v1beta/openai",
        },
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
        models=("gemini-3.8-flash", "gemini-4-argon", "gemini-3.1-pro-preview"),
    ),
    Provider(  # https://api-docs.deepseek.com/guides/anthropic_api
        id="deepseek",
        title="DeepSeek",
        base_urls={
            "openai-chat": "https://api.deepseek.com/v1",
            "openai-responses": "https://api.deepseek.com/v1",
            "anthropic": "https://api.deepseek.com/anthropic",
        },
        regions={"beta": {"openai-chat": "https://api.deepseek.com/beta"}},
        key_variables=("DEEPSEEK_API_KEY",),
        models=("deepseek-v4-pro", "deepseek-flash"),
    ),
    Provider(  # https://www.alibabacloud.com/help/en/model-studio/
        id="qwen",
        title="Qwen (Alibaba Model Studio)",
        base_urls=_dashscope("https://dashscope.aliyuncs.com"),
        regions={
            "intl": _dashscope("https://dashscope-intl.aliyuncs.com"),
            "us": _dashscope("https://dashscope-us.aliyuncs.com"),
        },
        auth={"anthropic": "bearer"},
        key_variables=("DASHSCOPE_API_KEY", "QWEN_API_KEY"),
        models=("qwen3.8-max", "qwen3.8-flash", "qwen3-coder-plus", "qwen3-coder-flash"),
    ),
    Provider(  # https://docs.bigmodel.cn/cn/guide/develop/claude
        id="glm",
        title="GLM (Zhipu BigModel)",
        base_urls={
            "openai-chat": "https://open.bigmodel.cn/api/paas/v4",
            "anthropic": "https://open.bigmodel.cn/api/anthropic",
        },
        regions={
            "coding-plan": {
                "openai-chat": "https://open.bigmodel.cn/api/coding/paas/v4",
                "anthropic": "https://open.bigmodel.cn/api/anthropic",
            }
        },
        auth={"anthropic": "bearer"},
        key_variables=("ZHIPUAI_API_KEY", "ZHIPU_API_KEY", "GLM_API_KEY", "BIGMODEL_API_KEY"),
        models=("glm-5.3", "glm-5.3-flash", "glm-5.2"),
    ),
    Provider(  # https://docs.z.ai/devpack/tool/claude
        id="zai",
        title="Z.AI",
        base_urls={
            "openai-chat": "https://api.z.ai/api/paas/v4",
            "anthropic": "https://api.z.ai/api/anthropic",
        },
        regions={
            "coding-plan": {
                "openai-chat": "https://api.z.ai/api/coding/paas/v4",
                "anthropic": "https://api.z.ai/api/anthropic",
            }
        },
        auth={"anthropic": "bearer"},
        key_variables=("ZAI_API_KEY", "Z_AI_API_KEY"),
        models=("glm-5.3", "glm-5.3-flash", "glm-5.2"),
    ),
    Provider(  # https://openrouter.ai/docs/api-reference/overview
        id="openrouter",
        title="OpenRouter",
        base_urls={
            "openai-chat": "https://openrouter.ai/api/v1",
            "openai-responses": "https://openrouter.ai/api/v1",
            "anthropic": "https://openrouter.ai/api",
        },
        auth={"anthropic": "bearer"},
        key_variables=("OPENROUTER_API_KEY",),
        models=("openrouter/auto", "anthropic/claude-sonnet-5.5", "z-ai/glm-5.3"),
    ),
    Provider(  # https://docs.mistral.ai/api/
        id="mistral",
        title="Mistral",
        base_urls={
            "openai-chat": "https://api.mistral.ai/v1",
            "openai-responses": "https://api.mistral.ai/v1",
        },
        key_variables=("MISTRAL_API_KEY",),
        models=("mistral-large-4", "mistral-medium-latest", "codestral-latest", "devstral-latest"),
    ),
    Provider(  # https://console.groq.com/docs/openai
        id="groq",
        title="Groq",
        base_urls={
            "openai-chat": "https://api.groq.com/openai/v1",
            "openai-responses": "https://api.groq.com/openai/v1",
        },
        key_variables=("GROQ_API_KEY",),
        models=("openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3.8-27b"),
    ),
    Provider(  # https://docs.x.ai/docs/api-reference - Chat is called legacy there
        id="xai",
        title="xAI",
        base_urls=_openai("https://api.x.ai/v1"),
        regions={"us": _openai("https://us.api.x.ai/v1")},
        key_variables=("XAI_API_KEY", "GROK_API_KEY"),
        models=("grok-4.7", "grok-4.6", "grok-4.3"),
    ),
    Provider(  # https://platform.kimi.ai/docs
        id="moonshot",
        title="Moonshot (Kimi)",
        base_urls=_moonshot("https://api.moonshot.ai"),
        regions={"cn": _moonshot("https://api.moonshot.cn")},
        auth={"anthropic": "bearer"},
        key_variables=("MOONSHOT_API_KEY", "KIMI_API_KEY"),
        models=("kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code"),
    ),
    Provider(  # llama.cpp's address; for Ollama, vLLM or LM Studio set base_url in rules.yaml
        id="local",
        title="A server on this machine",
        base_urls={"openai-chat": "http://127.0.0.1:8080/v1"},
        api_key=Secret(NO_KEY),
    ),
    Provider(  # https://learn.microsoft.com/azure/ai-foundry/openai/ - a model is a deployment
        id="azure",
        title="Azure OpenAI",
        base_urls={},
        base_url_example="https://RESOURCE.openai.azure.com/openai/v1",
        auth={"openai-responses": "api-key", "openai-chat": "api-key"},
        key_variables=("AZURE_OPENAI_API_KEY",),
        dialect="openai",
    ),
)

BUILT_IN: dict[str, Provider] = {provider.id: provider for provider in _PROVIDERS}

LOCAL_DIALECTS = {"llama.cpp": "llama.cpp", "Ollama": "ollama", "LM Studio": "lm-studio"}
"""Programs for local models that have habits of their own, and what these are called."""

NOT_YET = {
    "vertex": "Google Vertex AI (its keys expire within the hour; a provider with its URL works)",
    "bedrock": "Amazon Bedrock (signed requests, a binary stream)",
}
"""Places that people ask for and that Detour cannot call by itself yet, and why."""


def hosts(provider: Provider) -> frozenset[str]:
    """Return the host names in a provider's base URLs, those of its regions included."""
    maps = (provider.base_urls, *provider.regions.values())
    urls = {url for urls in maps for url in urls.values()}
    return frozenset(filter(None, (urlsplit(url).hostname for url in urls)))


_PROVIDER_OF_HOST = {
    host: provider.id
    for provider in _PROVIDERS
    if provider.id != "local"
    for host in hosts(provider)
}


def provider_for_host(host: str) -> str | None:
    """Name the built-in provider that answers at a host, such as `openai` for `api.openai.com`."""
    return _PROVIDER_OF_HOST.get(host.lower().rstrip("."))
