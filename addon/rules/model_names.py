"""Choosing a provider by the name of the model that the agent asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from addon.providers import Provider

_FAMILIES: tuple[tuple[str, str], ...] = (
    ("openai", r"(gpt|chatgpt|codex|o[1-9])(-|$)"),
    ("anthropic", r"claude-"),
    ("google", r"(models/)?gemini-"),
    ("deepseek", r"deepseek-"),
    ("qwen", r"(qwen|qwq|qvq)[0-9.-]"),
    ("zai", r"glm-"),
    ("glm", r"glm-"),
    ("mistral", r"(mistral|ministral|magistral|codestral|devstral|pixtral)-"),
    ("xai", r"grok-"),
    ("moonshot", r"(kimi|moonshot)-"),
)
"""Providers and the names of the models that they alone make."""

_OWNERS = tuple((name, re.compile(pattern)) for name, pattern in _FAMILIES)


def explicit_target(
    model: str, providers: Mapping[str, Provider], called: str | None
) -> tuple[str, str] | None:
    """Read a model name that says where to go: `zai:glm-5.3` or `zai/glm-5.3`.

    A slash is part of the name where the provider that the agent calls has such names itself.

    Args:
        model: What the agent asks for.
        providers: The providers, by id.
        called: Id of the provider that the agent calls.

    Returns:
        The provider's id and its name of the model, or None.
    """
    for mark in ":/":
        name, found, rest = model.partition(mark)
        if found and rest and name in providers:
            owner = providers.get(called or "")
            if mark == "/" and owner and any("/" in known for known in owner.models):
                continue
            return name, rest
    return None


def makers(model: str) -> tuple[str, ...]:
    """Name the providers that make models with such a name."""
    return tuple(name for name, pattern in _OWNERS if pattern.match(model))


def owners(model: str, providers: Mapping[str, Provider]) -> Iterable[str]:
    """Name the providers that a model belongs to, the likeliest first.

    Those that list the model come before those that make models with such names.
    """
    for provider in providers.values():
        if model in provider.models or model in provider.servers:
            yield provider.id
    for name, pattern in _OWNERS:
        if name in providers and pattern.match(model):
            yield name
