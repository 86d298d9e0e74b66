"""What is said of calls to a provider that is switched off."""

from __future__ import annotations

from typing import override

from addon.neutral import DetourError, ErrorInfo


class DisabledProvider(DetourError):
    """A call is to go to a provider that is switched off."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"the provider {provider} is disabled in rules.yaml; `detour providers enable"
            f" {provider}` enables it"
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("permission", str(self), code="provider_disabled")
