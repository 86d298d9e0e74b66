"""A proxy with a chain of targets, each a strict provider that fails as it is told to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from addon.embedded import EmbeddedProvider
from addon.formats.base import FormatName
from tests.support.proxy import PROVIDER_KEY, Proxy, running_proxy

DEAD = "http://127.0.0.1:9"
UNREACHABLE = "[[unreachable]]"
"""The conduct of a target that nobody listens for."""
MODELS: Mapping[FormatName, str] = {
    "openai-chat": "glm-5.3",
    "openai-responses": "gpt-5.5",
    "anthropic": "claude-sonnet-5-5",
    "gemini": "gemini-3.8-flash",
}
SENTENCE = "one two three four five"
QUESTION = [{"role": "user", "content": f"[[say {SENTENCE}]]"}]


class Targets:
    """The proxy and whom its one rule, `chain`, tries: `t0`, `t1`, and so on."""

    def __init__(self, proxy: Proxy, providers: Sequence[EmbeddedProvider | None]) -> None:
        self.proxy = proxy
        self.providers = providers

    @property
    def asked(self) -> list[int]:
        """How many requests each target has got."""
        return [len(provider.requests) if provider else 0 for provider in self.providers]

    @property
    def tried(self) -> list[tuple[str, str]]:
        """The recorded attempts of the last call: the target, and the kind of its failure."""
        attempts = self.summary["attempts"]
        return [(one["provider"], one.get("error", "").partition(":")[0]) for one in attempts]

    @property
    def summary(self) -> dict[str, Any]:
        """What is shown of the last call."""
        return self.proxy.flows[-1].metadata["detour.summary"]

    async def words(self, **more: Any) -> list[str]:
        """Ask by the official client and return the pieces of the streamed answer."""
        async with self.proxy.openai() as client:
            answer = await client.chat.completions.create(
                model="gpt-5.1", messages=QUESTION, stream=True, **more
            )
            pieces = [
                chunk.choices[0].delta.content
                async for chunk in answer
                if chunk.choices and chunk.choices[0].delta.content
            ]
        await self.proxy.quiet()
        return pieces

    async def text(self, **more: Any) -> str:
        """Ask by the official client and return the text of the whole answer."""
        return "".join(await self.words(**more))


@contextlib.asynccontextmanager
async def chain_of(
    *conducts: str,
    formats: Sequence[FormatName] = ("openai-chat", "anthropic", "gemini"),
    fallback: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] = {},
    others: Mapping[str, Mapping[str, Any]] = {},
    when: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Targets]:
    """Run a proxy with one target for each conduct.

    Args:
        conducts: How each target answers, see `EmbeddedProvider.conduct`.
        formats: In which format each target is called, over and over where these are fewer.
        fallback: What the rule says about failures.
        settings: More settings of each target.
        others: More settings of single ones, by name.
        when: When the rule applies.
        options: More for `running_proxy`.
    """
    async with contextlib.AsyncExitStack() as stack:
        entries: dict[str, Any] = {}
        targets: list[str] = []
        providers: list[EmbeddedProvider | None] = []
        for number, conduct in enumerate(conducts):
            provider = None
            if conduct != UNREACHABLE:
                provider = await stack.enter_async_context(EmbeddedProvider(conduct=conduct))
            providers.append(provider)
            spoken = formats[number % len(formats)]
            version = "/v1" if spoken.startswith("openai") else ""
            entries[f"t{number}"] = {
                "base_url": (provider.base_url if provider else DEAD) + version,
                "formats": [spoken],
                "api_key": PROVIDER_KEY,
                **settings,
                **others.get(f"t{number}", {}),
            }
            targets.append(f"t{number}:{MODELS[spoken]}")
        rule: dict[str, Any] = {"name": "chain", "use": targets}
        rule |= {"fallback": fallback} if fallback else {}
        rule |= {"when": when} if when else {}
        text = json.dumps({"version": 1, "providers": entries, "rules": [rule]})
        proxy = await stack.enter_async_context(running_proxy(text, **options))
        yield Targets(proxy, providers)
