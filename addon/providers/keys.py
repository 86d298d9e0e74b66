"""Finding the key for a provider.

The places, in order: `api_key` in rules.yaml, the environment and the `.env` files, the key store.
A key that rules.yaml takes from a variable (`${NAME}`) is looked for under that name only, and then
in the key store, so that a forgotten variable never makes Detour use another variable's key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol, override

from addon.neutral import DetourError, ErrorInfo
from addon.providers.provider import AGENT_KEY, NO_KEY, Provider

KEY_STORE = "key store"
"""What `KeyRing.source` says of keys in the key store."""

_KEY = re.compile(r"[!-~]+")


class MissingKeyError(DetourError):
    """There is no key for a provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider.id
        self.variables = provider.key_variables
        super().__init__(f"no key for {provider.id}: {_remedy(provider)}")

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("authentication", str(self), code="missing_provider_key")


def _remedy(provider: Provider) -> str:
    if not provider.key_variables:
        return (
            f"store it with `detour keys set {provider.id}`, or give"
            f" providers.{provider.id}.api_key in rules.yaml (none if it needs no key)"
        )
    first, *others = provider.key_variables
    also = f" (or {', '.join(others)})" if others else ""
    return (
        f"set {first}{also} in the environment or in .env beside rules.yaml, or store the key with"
        f" `detour keys set {provider.id}`"
    )


class UnusableKeyError(DetourError):
    """A key cannot be what the provider gave: no header can carry it."""

    def __init__(self, provider: Provider, source: str) -> None:
        super().__init__(
            f"the key for {provider.id} from {source} holds blanks or characters that no key has;"
            " paste it again"
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("authentication", str(self), code="unusable_provider_key")


class StoredKeys(Protocol):
    """Keys kept by name; see `KeyStore`."""

    def get(self, name: str) -> str | None:
        """Return the key of that name, or None where there is none.

        Raises:
            DetourError: It cannot be read.
        """
        ...


class KeyRing:
    """Knows where the keys are.

    Args:
        environment: The variables to look in, see `load_environment`.
        stored: The key store, asked last.
    """

    def __init__(self, environment: Mapping[str, str], stored: StoredKeys | None = None) -> None:
        self._environment = environment
        self._stored = stored

    def find(self, provider: Provider) -> str | None:
        """Return the provider's key, or None where none of ours is to be sent.

        Raises:
            MissingKeyError: It needs one and there is none.
            UnusableKeyError: What stands there cannot be a key.
            DetourError: The key store cannot be read.
        """
        key, source = self._look_up(provider)
        if key in (NO_KEY, AGENT_KEY):
            return None
        if not _KEY.fullmatch(key):
            raise UnusableKeyError(provider, source)
        return key

    def source(self, provider: Provider) -> str:
        """Say where the key comes from.

        Returns:
            The name of a variable, `rules.yaml`, `key store`, `the agent` or `none`.

        Raises:
            MissingKeyError: There is no key.
            DetourError: The key store cannot be read.
        """
        key, source = self._look_up(provider)
        return {NO_KEY: NO_KEY, AGENT_KEY: "the agent"}.get(key, source)

    def _look_up(self, provider: Provider) -> tuple[str, str]:
        if provider.api_key is not None:
            return provider.api_key.reveal().strip(), "rules.yaml"
        for name in provider.key_variables:
            if key := self._environment.get(name, "").strip():
                return key, name
        stored = self._stored if provider.asks_store else None
        if stored is not None and (key := stored.get(provider.id)):
            return key, KEY_STORE
        raise MissingKeyError(provider)

    @override
    def __repr__(self) -> str:
        """Show no key."""
        return "<KeyRing>"
