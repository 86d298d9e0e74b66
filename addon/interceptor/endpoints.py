"""What a request calls: which format it speaks, at whose address, and how errors look there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec
from mitmproxy import http
from mitmproxy.net.http import url

from addon.formats import FORMATS, format_for_path
from addon.formats.base import FormatName, RequestLine
from addon.formats.endpoints import MODELS, model_asked_about, other_endpoint
from addon.interceptor.access import header
from addon.providers import BUILT_IN

_OTHER_WORDS = ("anthropic", "google")
"""Providers at whose hosts OpenAI's paths mean something else."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One address of one provider, as the agent called it."""

    host: str
    method: str
    line: RequestLine
    provider: str
    """Id of the provider that the agent means; empty where nobody is known under the host."""
    format: FormatName | None
    """The format it speaks; None for addresses that Detour cannot translate."""
    name: str
    """What rules call it: `chat`, `messages`, `embeddings`, ...; empty for addresses unknown."""
    error_format: FormatName
    """The format in which an error is understood here."""

    @property
    def place(self) -> str:
        """Method and address in short, for messages."""
        return f"{self.method} {self.line.path}"


def endpoint_of(request: http.Request, provider_for_host: Callable[[str], str | None]) -> Endpoint:
    """Say what a request calls."""
    path, _, query = request.path.partition("?")
    host = host_of(request)
    provider = provider_for_host(host) or ""
    found = format_for_path(path) if request.method == "POST" else None
    spoken, name = found or (None, "")
    if spoken not in FORMATS:
        spoken, name = None, ""
    if spoken is None and model_asked_about(request.method, path) is not None:
        name = MODELS
    elif spoken is None and provider not in _OTHER_WORDS:
        name = other_endpoint(path)
    return Endpoint(
        host=host,
        method=request.method,
        line=RequestLine(path, query),
        provider=provider,
        format=spoken,
        name=name,
        error_format=spoken or _native_format(provider),
    )


def host_of(request: http.Request) -> str:
    """Name the host that the agent means, also where it connected to a mere address."""
    authority = request.host_header
    return _host(authority) if authority else request.host.lower().rstrip(".")


@lru_cache(maxsize=256)
def _host(authority: str) -> str:
    """Return the host of an authority, of which there are few."""
    host, _ = url.parse_authority(authority, check=False)
    return host.lower().rstrip(".")


def is_upgrade(request: http.Request) -> bool:
    """Tell whether a request asks for a WebSocket."""
    return (header(request, "upgrade") or "").lower() == "websocket"


def _native_format(provider: str) -> FormatName:
    known = BUILT_IN.get(provider)
    names: list[FormatName] = [*known.base_urls] if known else []
    return next(name for name in (*names, *FORMATS) if name in FORMATS)
