"""Connections to providers, kept open between calls and shared by all agents.

Nothing is added to a call, followed or kept: no cookies, no redirects, no headers, none of which
may happen to a call that carries somebody's key.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address

import certifi
import httpcore2
import httpx2
import msgspec

from addon.engine.http1 import Answer, Choose, Connection, HttpProxy, dial
from addon.engine.turns import Turns
from addon.formats.base import Headers
from addon.neutral import DetourError
from addon.providers import Timeouts

IDLE_EXPIRY = 60.0
"""Seconds for which an unused connection is kept: shorter than any router forgets it in silence."""
STALE_WINDOW = 2.0
"""Seconds within which a reused connection shows that the provider had closed it meanwhile."""
MOST_IDLE = 100
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS = re.compile(r"[\r\n\0]")


class TlsSettings(msgspec.Struct, frozen=True):
    """Whom to trust."""

    certificate_authorities: str | None = None
    """PEM file to trust instead of the system's and certifi's authorities."""
    certificate_directory: str | None = None
    """Folder of hashed PEM files to trust likewise."""
    insecure: bool = False
    """Trust anybody."""

    def context(self) -> ssl.SSLContext:
        """Return the context for connections to providers, which others may have as well.

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
            return _usual_trust()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@lru_cache(1)
def _usual_trust() -> ssl.SSLContext:
    """Trust the system's and certifi's authorities: 50 ms, in which a proxy answers nobody."""
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


class _Place(msgspec.Struct, frozen=True):
    """Where a URL leads."""

    scheme: str
    host: str
    port: int
    authority: str
    """How the host is called in a request."""
    target: str
    is_local: bool
    """Whether it is on this machine, which no proxy could reach."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a connection is good for."""
        return self.scheme, self.host, self.port


class ClientPool:
    """Opens calls over pooled HTTP/1.1 connections."""

    def __init__(
        self,
        tls: TlsSettings | ssl.SSLContext | None = None,
        proxy: ProxySettings | None = None,
        choose: Choose | None = None,
    ) -> None:
        """Prepare.

        Args:
            tls: Whom to trust.
            proxy: A proxy between here and the providers.
            choose: Picks from the addresses of a host those that may be connected to, or raises.
        """
        self.turns = Turns()
        self._tls = tls if isinstance(tls, ssl.SSLContext) else (tls or TlsSettings()).context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._choose = choose
        self._proxy = None if proxy is None else _proxy(proxy, self._tls)
        self._idle: dict[tuple[str, str, int], deque[tuple[float, Connection]]] = {}
        """Connections that nobody uses, and until when they are kept; the youngest last."""
        self._busy: set[Connection] = set()
        self._closed = False

    async def open(
        self, method: str, url: str, headers: Headers, body: bytes, timeouts: Timeouts
    ) -> Response:
        """Send a request and return once the answer's headers are there; the body is not read.

        A connection that the provider closed while it lay idle is replaced by a new one, once:
        the request cannot have been looked at.

        Raises:
            httpcore2.NetworkError: The provider cannot be reached.
            httpcore2.TimeoutException: It takes longer than it may.
            httpcore2.ProtocolError: It does not speak HTTP.
            httpcore2.UnsupportedProtocol: It is to be called neither by https nor by http.
            httpx2.InvalidURL: The URL is none.
            DetourError: A header cannot be sent.
        """
        place = _place(url)
        proxy = None if place.is_local else self._proxy
        request = write_request(method, place, headers, body, proxy)
        connection = self._take(place.origin)
        if connection is not None:
            clock = asyncio.get_running_loop().time
            began = clock()
            try:
                return await self._send(connection, place, request, timeouts)
            except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
                if clock() - began > STALE_WINDOW:
                    raise
        tls = self._tls if place.scheme == "https" else None
        connection = await dial(place.host, place.port, tls, proxy, timeouts.connect, self._choose)
        return await self._send(connection, place, request, timeouts)

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        for connection in self._busy:
            connection.abort()
        self._busy.clear()
        for kept in self._idle.values():
            for _, connection in kept:
                connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # asyncio closes a socket one turn later

    async def _send(
        self, connection: Connection, place: _Place, request: bytes, timeouts: Timeouts
    ) -> Response:
        self._busy.add(connection)
        try:
            answer = await connection.send(request, timeouts.idle)
        except BaseException:
            self._busy.discard(connection)
            raise
        return Response(answer, lambda: self._keep(place.origin, connection))

    def _take(self, origin: tuple[str, str, int]) -> Connection | None:
        """Return the connection that was used last: others are the likelier to have been closed."""
        kept = self._idle.get(origin)
        now = asyncio.get_running_loop().time()
        while kept:
            until, connection = kept.pop()
            if connection.is_free and now < until:
                return connection
            connection.abort()
        return None

    def _keep(self, origin: tuple[str, str, int], connection: Connection) -> None:
        """Keep a connection for the next call, where it can serve one."""
        self._busy.discard(connection)
        if not connection.is_free or self._closed:
            connection.abort()
            return
        now = asyncio.get_running_loop().time()
        for name, kept in list(self._idle.items()):
            while kept and (kept[0][0] <= now or not kept[0][1].is_free):
                kept.popleft()[1].abort()
            if not kept:
                del self._idle[name]
        if sum(map(len, self._idle.values())) < MOST_IDLE:
            self._idle.setdefault(origin, deque()).append((now + IDLE_EXPIRY, connection))
        else:
            connection.abort()


class Response:
    """An answer whose headers are there, and whose connection goes back to the pool afterwards."""

    def __init__(self, answer: Answer, keep: Callable[[], None]) -> None:
        self._answer = answer
        self._keep = keep
        self._left = False
        self.status = answer.status
        self.headers = answer.headers
        """Names as they were written, and values."""
        self.read = answer.read
        """Returns the next piece of the body; b"": it has ended."""
        self.write = answer.write
        """Sends something after a head of status 101."""

    def close(self) -> None:
        """Leave the connection to the next call, or close it where something is left to come."""
        if not self._left:
            self._left = True
            self._answer.close()
            self._keep()


def write_request(
    method: str, place: _Place, headers: Headers, body: bytes, proxy: HttpProxy | None = None
) -> bytes:
    """Write a request as it is sent.

    Raises:
        DetourError: A header cannot be sent.
    """
    target = place.target
    lines = [f"Host: {place.authority}"]
    if proxy is not None and place.scheme == "http":
        target = f"http://{place.authority}{target}"
        if proxy.authorization is not None:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
    for name, value in headers:
        if not _is_token(name) or _BREAKS.search(value):
            raise DetourError(f"The header {name!r} of the request to the provider cannot be sent.")
        lines.append(f"{name}: {value}")
    if method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join((f"{method} {target} HTTP/1.1", *lines, "", ""))
    return head.encode("utf-8", "surrogateescape") + body


@lru_cache(maxsize=1024)
def _is_token(name: str) -> bool:
    return _TOKEN.fullmatch(name) is not None


def _proxy(settings: ProxySettings, tls: ssl.SSLContext) -> HttpProxy:
    place = _place(settings.url)
    return HttpProxy(
        host=place.host,
        port=place.port,
        authorization=settings.authorization,
        tls=tls if place.scheme == "https" else None,
    )


@lru_cache(maxsize=256)
def _place(url: str) -> _Place:
    """Read a URL, of which there are few.

    Raises:
        httpx2.InvalidURL: It is none.
        httpcore2.UnsupportedProtocol: It leads elsewhere than to a web server.
    """
    parsed = httpx2.URL(url)
    if parsed.scheme not in ("http", "https"):
        raise httpcore2.UnsupportedProtocol(f"{parsed.scheme or 'no scheme'} is not https or http")
    if not parsed.raw_host:
        raise httpx2.InvalidURL("it names no host")
    host = parsed.raw_host.decode("ascii")
    return _Place(
        scheme=parsed.scheme,
        host=host,
        port=parsed.port or (443 if parsed.scheme == "https" else 80),
        authority=parsed.netloc.decode("ascii"),
        target=parsed.raw_path.decode("ascii"),
        is_local=_is_local(host),
    )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
