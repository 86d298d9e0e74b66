"""What went wrong between Detour and a provider, in words that a person can act on.

No text here repeats a header or a body, so none can hold a key.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

import httpcore2
import httpx2

from addon.engine.call import Call
from addon.engine.encodings import EncodingError
from addon.engine.silence import ProviderTimeoutError
from addon.neutral import DetourError, ErrorInfo
from addon.providers import Provider

_CLOSED = re.compile("closed|disconnected")
"""How the HTTP client words it that a connection has ended; all else is bad HTTP."""

EXPECTED = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpx2.InvalidURL,
    ProviderTimeoutError,
    DetourError,
    ssl.SSLError,
    OSError,
)
"""Exceptions that a conversation with a provider ends in for the provider's reasons, not ours."""


def explain(failure: Exception, call: Call) -> ErrorInfo:
    """Say what the agent should be told about one of the `EXPECTED` exceptions."""
    place = f"{call.destination.provider.title} ({_host(call.rendered.url)})"
    match failure:
        case ProviderTimeoutError():
            return ErrorInfo("timeout", _timeout_message(failure, place), code="timeout")
        case EncodingError():
            return ErrorInfo("server_error", f"{place} sent an unreadable answer: {failure}")
        case DetourError():
            return failure.to_error_info()
        case httpcore2.ConnectTimeout():
            seconds = f"{call.timeouts.connect:g}"
            return _unreachable(f"{place} did not accept a connection within {seconds} s.")
        case httpcore2.WriteTimeout() | httpcore2.ReadTimeout():
            return ErrorInfo("timeout", f"{place} stopped taking the request.", code="timeout")
        case httpx2.InvalidURL() | httpcore2.UnsupportedProtocol():
            provider = call.destination.provider.id
            return ErrorInfo(
                "server_error",
                f"The base_url of provider {provider} is not a URL that can be called: {failure}. "
                "Correct it in rules.yaml.",
            )
        case httpcore2.ConnectError() | ssl.SSLError():
            provider = call.destination.provider
            return _unreachable(connect_message(failure, place) + _remedy(provider))
        case httpcore2.ProtocolError() if not _CLOSED.search(str(failure)):
            return ErrorInfo("server_error", f"{place} does not speak HTTP: {failure}")
        case httpcore2.NetworkError() | httpcore2.ProtocolError() | OSError():
            return ErrorInfo("cut", f"{place} closed the connection before its answer was whole.")
        case _:
            return _unreachable(f"{place} could not be reached.")


def _remedy(provider: Provider) -> str:
    if provider.id != "local" or provider.servers:
        return ""
    return (
        " Start llama.cpp, Ollama, LM Studio or vLLM at its usual port, or give base_url of"
        " providers.local in rules.yaml."
    )


def _unreachable(message: str) -> ErrorInfo:
    return ErrorInfo("unreachable", message, code="upstream_unreachable")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "unreadable address"


def _timeout_message(failure: ProviderTimeoutError, place: str) -> str:
    seconds = f"{failure.seconds:g} s"
    remedy = f"Raise timeouts.{failure.limit} of the provider in rules.yaml if it may take longer."
    match failure.limit:
        case "first_byte":
            return f"{place} did not begin to answer within {seconds}. {remedy}"
        case "idle":
            return f"{place} sent nothing for {seconds} in the middle of its answer. {remedy}"
        case "total":
            return f"{place} was not done after {seconds}. {remedy}"


def connect_message(failure: Exception, place: str) -> str:
    """Say why a connection to a place has come to nothing, and what to do about it."""
    for cause in causes(failure):
        match cause:
            case ssl.SSLCertVerificationError():
                return (
                    f"The certificate of {place} is not trusted: {cause.verify_message}. If it "
                    "belongs to a gateway of your own, start with --set "
                    "ssl_verify_upstream_trusted_ca=FILE, where FILE is its authority."
                )
            case ssl.SSLError():
                return (
                    f"{place} does not speak TLS as expected ({cause.reason}). If it is a plain "
                    "HTTP server, its base_url in rules.yaml must begin with http://."
                )
            case httpcore2.ProxyError():
                return f"The proxy on the way does not connect to {place}: {cause}."
            case socket.gaierror():
                return (
                    f"The name of {place} cannot be resolved. Check base_url in rules.yaml and the "
                    "network."
                )
            case OSError() if cause.errno == errno.ECONNREFUSED:
                return f"{place} refused the connection: nothing listens there."
            case _:
                pass
    return f"{place} could not be reached. Check base_url in rules.yaml and the network."


def causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield the exception and everything that led to it, groups (of parallel tries) unpacked."""
    waiting: list[BaseException] = [failure]
    seen: set[int] = set()
    while waiting:
        exception = waiting.pop(0)
        if id(exception) in seen:
            continue
        seen.add(id(exception))
        yield exception
        if isinstance(exception, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", exception).exceptions
        waiting += [link for link in (exception.__cause__, exception.__context__) if link]
