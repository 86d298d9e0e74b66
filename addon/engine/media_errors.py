"""Why a medium could not be fetched, in words that a person can act on.

No text here repeats more of an address than its host: the rest may be secret.
"""

from __future__ import annotations

import socket
import ssl
from typing import override

import httpcore2

from addon.engine.failures import causes
from addon.neutral import ClientRequestError


class MediaError(ClientRequestError):
    """A medium in an agent's request cannot be had."""

    def __init__(self, host: str, reason: str) -> None:
        message = f"Detour could not fetch a medium from {host} for the provider: {reason}."
        super().__init__(message, code="media_not_fetched")


class PrivateAddressError(Exception):
    """A host has no address that may be connected to."""

    @override
    def __str__(self) -> str:
        return "it is not in the open internet (media.allow_private in rules.yaml would allow that)"


EXPECTED = (
    PrivateAddressError,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    OSError,
)
"""Exceptions that a fetch ends in for the host's reasons, not ours."""


def describe(failure: Exception) -> str:
    """Say what went wrong."""
    for cause in causes(failure):
        match cause:
            case PrivateAddressError():
                return str(cause)
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted ({cause.verify_message})"
            case socket.gaierror():
                return "its name cannot be resolved"
            case TimeoutError() | httpcore2.TimeoutException():
                return "it took too long"
            case _:
                pass
    return "it could not be reached, or broke off"
