"""Which endpoints beside those for answers a provider offers, at OpenAI's addresses.

Nothing is translated there: the request goes to the same address below the provider's base URL for
OpenAI's formats. Only Gemini's embeddings are at an address of their own. What is not in the table
is not sent; a provider that the table does not know is believed to have whatever a rule asks of it.
"""

from __future__ import annotations

from addon.providers.provider import Provider

type Paths = tuple[str, ...]
"""Beginnings of paths, after the base URL; all that lies below is meant as well."""

_ALL: Paths = ("",)
_USUAL: Paths = ("embeddings", "completions", "moderations", "audio", "images")
"""What rules that do not name an endpoint believe unknown servers to have."""

_OFFERED: dict[str, Paths] = {
    "openai": _ALL,
    "azure": (  # https://learn.microsoft.com/azure/ai-foundry/openai/latest
        "embeddings",
        "completions",
        "audio",
        "images",
        "videos",
        "files",
        "uploads",
        "batches",
        "vector_stores",
        "containers",
        "evals",
        "fine_tuning",
        "realtime",
    ),
    "anthropic": (),
    "google": ("embeddings",),  # https://ai.google.dev/api/embeddings
    "deepseek": (),
    "qwen": ("embeddings", "files", "batches"),  # https://help.aliyun.com/zh/model-studio
    "glm": (  # https://docs.bigmodel.cn/api-reference
        "embeddings",
        "moderations",
        "audio/speech",
        "audio/transcriptions",
        "images/generations",
        "files",
        "batches",
    ),
    "zai": ("images/generations", "audio/transcriptions"),  # https://docs.z.ai/api-reference
    "openrouter": ("embeddings", "completions"),  # https://openrouter.ai/docs/api-reference
    "mistral": (  # https://docs.mistral.ai/api
        "embeddings",
        "moderations",
        "audio/transcriptions",
        "files",
    ),
    "groq": (  # https://console.groq.com/docs/api-reference
        "audio",
        "files",
        "batches",
    ),
    "xai": (  # https://docs.x.ai/docs/api-reference
        "embeddings",
        "completions",
        "images/generations",
        "images/edits",
        "files",
        "batches",
        "realtime",
    ),
    "moonshot": ("files",),  # https://platform.kimi.ai/docs/api/files
    "local": _USUAL,
}


def offers(provider: Provider, path: str) -> bool:
    """Tell whether a provider may be sent what an agent sends to a path such as `embeddings`."""
    return _lies_below(_OFFERED.get(provider.id, _ALL), path)


def usually_offers(provider: Provider, path: str) -> bool:
    """Tell the same where nobody has said so: unknown servers have the usual endpoints only."""
    return _lies_below(_OFFERED.get(provider.id, _USUAL), path)


def _lies_below(offered: Paths, path: str) -> bool:
    return any(not start or path == start or path.startswith(f"{start}/") for start in offered)
