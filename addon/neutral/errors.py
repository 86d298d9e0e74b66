"""What can go wrong, and whose fault it is.

`ErrorInfo` is an error as data: parsed from a provider's answer, rendered for the agent. The
exceptions say whose fault a failure was; each knows the `ErrorInfo` an agent should see.
"""

from __future__ import annotations

from typing import Literal, override

import msgspec

type ErrorKind = Literal[
    "invalid_request",
    "unsupported",
    "authentication",
    "permission",
    "billing",
    "not_found",
    "conflict",
    "too_large",
    "context_length",
    "content_policy",
    "rate_limit",
    "overloaded",
    "timeout",
    "unreachable",
    "cut",
    "server_error",
]


class ErrorInfo(msgspec.Struct, frozen=True):
    """One error in neutral words."""

    kind: ErrorKind
    message: str
    """Plain words for a person; never holds a key."""
    status: int | None = None
    """HTTP status that the provider sent; None when there was none."""
    code: str | None = None
    """The provider's own code."""
    param: str | None = None
    """The field of the agent's request that is at fault."""
    retry_after: float | None = None
    """Seconds after which another try makes sense."""
    request_id: str | None = None
    """The provider's name for the failed call, for its support desk."""


class DetourError(Exception):
    """Base of all errors that Detour raises on purpose."""

    def to_error_info(self) -> ErrorInfo:
        """Say what the agent should see."""
        return ErrorInfo("server_error", str(self))


class ClientRequestError(DetourError):
    """The agent sent something that its own format does not allow."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        """The field at fault, as a path such as `messages[2].role`."""
        self.code = code
        """A word that agents of the format act on, where there is one."""

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("invalid_request", str(self), code=self.code, param=self.param)


class UnsupportedFeature(DetourError):
    """The agent sent content that the target format has no way to express."""

    def __init__(self, feature: str, reason: str) -> None:
        super().__init__(f"{feature}: {reason}")
        self.feature = feature
        """The field or content at fault, in the agent's words, such as `input_audio`."""
        self.reason = reason

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("unsupported", str(self), param=self.feature)


class ProviderResponseError(DetourError):
    """A provider's answer could not be read."""

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("server_error", str(self), status=502, code="unreadable_response")
