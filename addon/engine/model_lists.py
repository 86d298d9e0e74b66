"""Asks providers which models they have, and remembers what they said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing

import msgspec

from addon.engine.clients import ClientPool, body_of
from addon.engine.failures import EXPECTED
from addon.engine.headers import USER_AGENT, merge
from addon.formats import FORMATS
from addon.formats.base import FormatName, Headers
from addon.neutral import DetourError
from addon.providers import Provider, Timeouts
from addon.wire.model_lists import ListedModel, read_models

logger = logging.getLogger(__name__)

SHELF_LIFE = 3600.0
"""Seconds for which a list is believed; servers on this machine are asked anew much sooner."""
LOCAL_SHELF_LIFE = 5.0
PATIENCE = 8.0
"""Seconds that a provider has to give its list."""
LARGEST = 16 << 20

_TIMEOUTS = Timeouts(connect=3, first_byte=PATIENCE, idle=PATIENCE, total=PATIENCE)
_HEADERS: Headers = (
    ("user-agent", USER_AGENT),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
)
_PATHS: dict[FormatName, str] = {
    "openai-chat": "/models",
    "openai-responses": "/models",
    "anthropic": "/v1/models?limit=1000",
    "gemini": "/v1beta/models?pageSize=1000",
}
_PREFERENCE: tuple[FormatName, ...] = ("openai-chat", "openai-responses", "gemini", "anthropic")
"""Which of a provider's addresses to ask: the list of OpenAI's kind is the one that all keep."""


class ListError(DetourError):
    """A provider does not give its list of models."""


class _Kept(msgspec.Struct, frozen=True):
    until: float
    models: tuple[ListedModel, ...]


async def fetch_models(
    provider: Provider,
    key: str | None,
    clients: ClientPool,
    headers: Headers = (),
    patience: float = PATIENCE,
) -> tuple[ListedModel, ...]:
    """Ask a provider for its models.

    Args:
        provider: Whom to ask.
        key: Its key, or None where it needs none.
        clients: How to reach it.
        headers: Sent as well; such as the agent's own key.
        patience: Seconds that it may take.

    Raises:
        ListError: It cannot be reached, refuses, or gives no list.
    """
    if not provider.base_urls:
        raise ListError(f"{provider.id} has no address")
    format: FormatName = min(provider.base_urls, key=_PREFERENCE.index)
    url = provider.base_urls[format].rstrip("/") + _PATHS[format]
    version = (("anthropic-version", "2023-06-01"),) if format == "anthropic" else ()
    sent = merge(
        _HEADERS,
        version,
        headers,
        provider.auth_headers(format, key),
    )
    try:
        async with asyncio.timeout(patience):
            status, body = await _get(url, sent, clients)
    except TimeoutError:
        raise ListError(f"{provider.title} did not give its models in {patience:g} s") from None
    except EXPECTED as error:
        raise ListError(f"{provider.title} cannot be reached: {type(error).__name__}") from None
    if status != 200:
        told = FORMATS[format].parse_error(status, (), body)
        raise ListError(f"{provider.title} answers {status}: {told.message}")
    try:
        return read_models(body)
    except ValueError:
        raise ListError(f"{provider.title} gives no list of models") from None


async def _get(url: str, headers: Headers, clients: ClientPool) -> tuple[int, bytes]:
    response = await clients.open("GET", url, headers, b"", _TIMEOUTS)
    try:
        body = bytearray()
        async with aclosing(body_of(response)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > LARGEST:
                    raise ListError("the list of models is too long")
        return response.status, bytes(body)
    finally:
        await response.aclose()


class ModelLists:
    """Lists of models, asked for once in a while."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], _Kept] = {}

    async def of(
        self, provider: Provider, key: str | None, clients: ClientPool
    ) -> tuple[ListedModel, ...]:
        """Return a provider's models: an earlier list where the provider gives none now.

        Raises:
            ListError: There never was one.
        """
        clock = asyncio.get_running_loop().time
        place = (provider.id, *provider.base_urls.values(), str(hash(key)))
        kept = self._kept.get(place)
        if kept is not None and clock() < kept.until:
            return kept.models
        life = LOCAL_SHELF_LIFE if provider.id == "local" else SHELF_LIFE
        try:
            models = await fetch_models(provider, key, clients)
        except ListError:
            if kept is None:
                raise
            models = kept.models
        self._kept[place] = _Kept(clock() + life, models)
        return models

    async def of_all(
        self, asked: Iterable[tuple[Provider, str | None]], clients: ClientPool
    ) -> dict[str, tuple[ListedModel, ...] | ListError]:
        """Ask several providers at once; those that fail have their error in place of a list."""
        providers = list(asked)
        found = await asyncio.gather(
            *(self.of(provider, key, clients) for provider, key in providers),
            return_exceptions=True,
        )
        lists: dict[str, tuple[ListedModel, ...] | ListError] = {}
        for (provider, _), result in zip(providers, found, strict=True):
            if isinstance(result, ListError | tuple):
                lists[provider.id] = result
            else:
                raise result
        return lists
