"""Finding the key for a provider.

The places, in order: `api_key` in rules.yaml, then the environment and the `.env` files. A key
that rules.yaml takes from a variable (`${NAME}`) is looked for under that name only, so that a
forgotten variable never makes Detour use another account's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import override

from addon.neutral import DetourError, ErrorInfo
from addon.providers.provider import NO_KEY, Provider


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
        """
        if provider.api_key is not None:
            key = provider.api_key.reveal().strip()
            return None if key == NO_KEY else key
        if variable := self._variable(provider):
            return self._environment[variable].strip()
        raise MissingKeyError(provider)

    def source(self, provider: Provider) -> str:
        """Say where `find` gets the key from: a variable's name, `rules.yaml` or `none`.

        Raises:
            MissingKeyError: There is no key.
        """
        if provider.api_key is not None:
            return NO_KEY if provider.api_key.reveal() == NO_KEY else "rules.yaml"
        if variable := self._variable(provider):
            return variable
        raise MissingKeyError(provider)

    def _variable(self, provider: Provider) -> str | None:
        names = provider.key_variables
        return next((name for name in names if self._environment.get(name, "").strip()), None)

    @override
    def __repr__(self) -> str:
        """Show no key."""
        return "<KeyRing>"
