"""Connections to providers, kept open between calls and shared by all agents.

The pool under httpx2 is used without httpx2's client: that would keep cookies, follow redirects and
add headers of its own, none of which may happen to a call that carries somebody's key.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, TypedDict, cast

import certifi
import httpcore2
import httpx2
import msgspec

from addon.engine.network import Network, Stream, dialled
from addon.engine.turns import Turns
from addon.formats.base import Headers
from addon.providers import Timeouts

IDLE_EXPIRY = 60.0
"""Seconds for which an unused connection is kept: shorter than any router forgets it in silence."""
STALE_WINDOW = 2.0
"""Seconds within which a reused connection shows that the provider had closed it meanwhile."""
MOST_IDLE = 100
_TRANSFER_ENCODING = b"transfer-encoding"

# mitmproxy has everything logged down to DEBUG and hands every record to each of its addons; the
# pool has a dozen things to say about a call: a millisecond of CPU, and headers of answers in it.
logging.getLogger("httpcore2").setLevel(logging.INFO)


class TlsSettings(msgspec.Struct, frozen=True):
    """Whom to trust."""

    certificate_authorities: str | None = None
    """PEM file to trust instead of the system's and certifi's authorities."""
    certificate_directory: str | None = None
    """Folder of hashed PEM files to trust likewise."""
    insecure: bool = False
    """Trust anybody."""

    def context(self) -> ssl.SSLContext:
        """Build the context for connections to providers.

        Raises:
            OSError: The file cannot be read.
        """
        if self.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.certificate_authorities or self.certificate_directory:
            context = ssl.create_default_context(
                cafile=self.certificate_authorities, capath=self.certificate_directory
            )
        else:
            # The environment is not asked: its SSL_CERT_FILE often is mitmproxy's own authority.
            context = httpx2.create_ssl_context(trust_env=False)
            context.load_verify_locations(certifi.where())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class ProxySettings(msgspec.Struct, frozen=True):
    """A proxy between here and the providers, as companies have one."""

    url: str
    """Such as `http://proxy.example:3128`."""
    authorization: str | None = None
    """What it wants as `Proxy-Authorization`."""


class _Limits(TypedDict):
    max_connections: int | None
    max_keepalive_connections: int
    keepalive_expiry: float


class ClientPool:
    """Opens calls over pooled HTTP/1.1 connections."""

    def __init__(self, tls: TlsSettings | None = None, proxy: ProxySettings | None = None) -> None:
        self.turns = Turns()
        context = (tls or TlsSettings()).context()
        limits: _Limits = {
            "max_connections": None,
            "max_keepalive_connections": MOST_IDLE,
            "keepalive_expiry": IDLE_EXPIRY,
        }
        self._direct = httpcore2.AsyncConnectionPool(
            ssl_context=context, network_backend=Network(), **limits
        )
        self._remote = self._direct
        if proxy is not None:
            credential = proxy.authorization
            self._remote = httpcore2.AsyncHTTPProxy(
                proxy.url,
                proxy_headers={"Proxy-Authorization": credential} if credential else None,
                ssl_context=context,
                proxy_ssl_context=context if proxy.url.startswith("https:") else None,
                network_backend=Network(),
                **limits,
            )

    async def open(
        self, method: str, url: str, headers: Headers, body: bytes, timeouts: Timeouts
    ) -> httpcore2.Response:
        """Send a request and return once the answer's headers are there; the body is not read.

        A connection that the provider closed while it lay idle is replaced by a new one, once:
        the request cannot have been looked at.

        Raises:
            httpcore2.NetworkError: The provider cannot be reached.
            httpcore2.TimeoutException: It takes longer than it may.
            httpcore2.ProtocolError: It does not speak HTTP.
            httpx2.InvalidURL: The URL is none.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        dialled.set(False)
        request = make_request(method, url, headers, body)
        pool = self._direct if _is_local(request.url.host.decode()) else self._remote
        request.extensions = {"timeout": {"connect": timeouts.connect, "write": timeouts.idle}}
        try:
            return await pool.handle_async_request(request)
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
            if dialled.get() or clock() - began > STALE_WINDOW:
                raise
            return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._direct.aclose()
        await self._remote.aclose()


async def body_of(response: httpcore2.Response) -> AsyncGenerator[bytes]:
    """Yield the body of an answer in pieces that are never empty.

    Raises:
        httpcore2.NetworkError: The provider breaks off.
        httpcore2.ProtocolError: It does not speak HTTP.
    """
    stream = cast("dict[str, Any]", response.extensions).get("network_stream")
    encodings = [value for name, value in response.headers if name.lower() == _TRANSFER_ENCODING]
    if isinstance(stream, Stream) and [value.lower() for value in encodings] == [b"chunked"]:
        async with aclosing(stream.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
    async with aclosing(response.aiter_stream()) as chunks:
        async for chunk in chunks:
            yield chunk


def _is_local(host: str) -> bool:
    """Tell whether a host is this machine, which no proxy could reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def make_request(method: str, url: str, headers: Headers, body: bytes = b"") -> httpcore2.Request:
    """Write a request in the words of the pool.

    Raises:
        httpx2.InvalidURL: The URL is none.
    """
    place, host = _place(url)
    fields = [(name.encode(), value.encode()) for name, value in headers]
    length = [(b"content-length", str(len(body)).encode())] if method != "GET" else []
    return httpcore2.Request(
        method,
        place,
        headers=[(b"host", host), *fields, *length],
        content=body,
    )


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[httpcore2.URL, bytes]:
    """Return a URL in the words of the pool, and what its host is called in a request."""
    place = httpx2.URL(url)
    target = httpcore2.URL(
        scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path
    )
    return target, place.netloc
