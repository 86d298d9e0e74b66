"""The headers that carry the key of a call."""

from __future__ import annotations

from typing import override
from urllib.parse import parse_qs, urlsplit

from addon.formats.base import Headers, RequestLine
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.secrecy import HIDDEN
from addon.neutral import DetourError, ErrorInfo
from addon.providers import Destination, KeyRing

_CARRIERS = frozenset(("authorization", "x-api-key", "x-goog-api-key", "api-key"))


class StrangeHost(DetourError):
    """The agent's key is to go to a host that it was not meant for."""

    def __init__(self, destination: Destination, called: str) -> None:
        super().__init__(
            f"`api_key: pass` sends the agent's key to {destination.provider.id} only where the"
            f" agent calls it itself; this call was meant for {called}"
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("authentication", str(self), code="key_not_for_this_provider")


class KeyNotKept(DetourError):
    """The agent's key is to go along, but this is a replay."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(
            f"`api_key: pass` sends the agent's own key to {destination.provider.id}, and Detour"
            " keeps no keys: such a call cannot be sent again"
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("authentication", str(self), code="key_not_kept")


def key_headers(
    destination: Destination, keys: KeyRing, endpoint: Endpoint, headers: Headers
) -> Headers:
    """Return the headers that only the provider may see.

    Args:
        destination: Where the call goes.
        keys: The keys that we have.
        endpoint: What the agent called.
        headers: What the agent sent, its own key included.

    Raises:
        MissingKeyError: The provider needs a key, and there is none.
        StrangeHost: It is to get the agent's own key, which was meant for another host.
        KeyNotKept: It is to get the agent's own key, which is hidden by now.
    """
    provider = destination.provider
    ours = provider.auth_headers(destination.format, keys.find(provider))
    if not provider.passes_key:
        return ours
    check_host(destination, endpoint.host)
    theirs = agent_key(headers, endpoint.line)
    if any(value == HIDDEN for _, value in theirs):
        raise KeyNotKept(destination)
    return (*ours, *theirs)


def check_host(destination: Destination, called: str) -> None:
    """Hold back the agent's own key from a host that the agent did not call.

    Raises:
        StrangeHost: It is to get the agent's own key, which was meant for another host.
    """
    if destination.provider.passes_key and urlsplit(destination.base_url).hostname != called:
        raise StrangeHost(destination, called)


def agent_key(headers: Headers, line: RequestLine) -> Headers:
    """Find the agent's key: in a header, or where only Gemini's clients may put it."""
    found = tuple((name.lower(), value) for name, value in headers if name.lower() in _CARRIERS)
    in_query = parse_qs(line.query).get("key", ())
    return found or tuple(("x-goog-api-key", value) for value in in_query)
