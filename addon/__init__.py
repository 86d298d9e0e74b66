"""Detour: an unmodified AI agent's calls, answered by another provider.

The Python API translates without any network or proxy:

    rendered = translate_request(body, source="openai-chat", target="anthropic", model="claude-...")
    status, headers, body = translate_response(200, headers, body, "anthropic", "openai-chat")
    stream = StreamTranslator(source="anthropic", target="openai-chat", request=agent_body)
"""

from typing import TYPE_CHECKING

from addon.neutral import ClientRequestError, DetourError, UnsupportedFeature

if TYPE_CHECKING:
    from addon.translation import (
        RenderedRequest,
        StreamTranslator,
        translate_request,
        translate_response,
    )

__version__ = "0.1.0"

__all__ = [
    "ClientRequestError",
    "DetourError",
    "RenderedRequest",
    "StreamTranslator",
    "UnsupportedFeature",
    "__version__",
    "translate_request",
    "translate_response",
]


def __getattr__(name: str) -> object:
    """Import the translation on first use: a part of the package must not need all of it."""
    if name in ("RenderedRequest", "StreamTranslator", "translate_request", "translate_response"):
        from addon import translation

        return getattr(translation, name)
    raise AttributeError(f"module 'addon' has no attribute {name!r}")
