"""Finding the key for a provider.

The places, in order: `api_key` in rules.yaml, then the environment and the `.env` files. A key
that rules.yaml takes from a variable (`${NAME}`) is looked for under that name only, so that a
forgotten variable never makes Detour use another account's key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import override

from addon.neutral import DetourError, ErrorInfo
from addon.providers.provider import NO_KEY, Provider

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
        return f"give providers.{provider.id}.api_key in rules.yaml, or none if it needs no key"
    first, *others = provider.key_variables
    also = f" (or {', '.join(others)})" if others else ""
    return f"set {first}{also} in the environment or in .env beside rules.yaml"


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


class KeyRing:
    """Knows where the keys are.

    Args:
        environment: The variables to look in, see `load_environment`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def find(self, provider: Provider) -> str | None:
        """Return the provider's key, or None where none is to be sent.

        Raises:
            MissingKeyError: It needs one and there is none.
            UnusableKeyError: What stands there cannot be a key.
        """
        key, source = self._look_up(provider)
        if key == NO_KEY:
            return None
        if not _KEY.fullmatch(key):
            raise UnusableKeyError(provider, source)
        return key

    def source(self, provider: Provider) -> str:
        """Say where `find` gets the key from: a variable's name, `rules.yaml` or `none`.

        Raises:
            MissingKeyError: There is no key.
        """
        key, source = self._look_up(provider)
        return NO_KEY if key == NO_KEY else source

    def _look_up(self, provider: Provider) -> tuple[str, str]:
        if provider.api_key is not None:
            return provider.api_key.reveal().strip(), "rules.yaml"
        for name in provider.key_variables:
            if key := self._environment.get(name, "").strip():
                return key, name
        raise MissingKeyError(provider)

    @override
    def __repr__(self) -> str:
        """Show no key."""
        return "<KeyRing>"
