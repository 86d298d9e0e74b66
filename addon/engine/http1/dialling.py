"""Opening connections: whichever address of a host answers first, through proxies, with TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from itertools import chain, zip_longest

import httpcore2
import msgspec

from addon.engine.http1.connection import Connection

type Address = tuple[str, int]
type Choose = Callable[[list[Address]], list[Address]]
"""Picks from the addresses of a host those that may be connected to, or raises."""

HEAD_START = 0.25
"""Seconds that an address has to itself before the next one is tried as well."""
_REFUSALS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError)


class HttpProxy(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy on the way."""

    host: str
    port: int
    authorization: str | None = None
    """What it wants as `Proxy-Authorization`."""
    tls: ssl.SSLContext | None = None
    """Whom to trust in its place; None: it is spoken to in clear."""


async def dial(
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
    proxy: HttpProxy | None = None,
    patience: float | None = None,
    choose: Choose | None = None,
) -> Connection:
    """Open a connection to a host.

    Args:
        host: A name or an address.
        port: Where to.
        tls: Whom to trust; None: in clear. Through a proxy, that is left to whoever sends requests.
        proxy: What stands in between.
        patience: Seconds that all of it may take.
        choose: Picks from the addresses of the host those that may be connected to, or raises.

    Raises:
        httpcore2.ConnectTimeout: It takes longer.
        httpcore2.ConnectError: It fails, for the reason given as its cause; a `ProxyError` where
            the proxy refuses.
    """
    nearest = (proxy.host, proxy.port) if proxy is not None else (host, port)
    try:
        async with asyncio.timeout(patience):
            connection = await first_of(*nearest, choose)
            try:
                if proxy is not None and proxy.tls is not None:
                    await connection.start_tls(proxy.tls, proxy.host)
                if proxy is not None and tls is not None:
                    await _tunnel(connection, proxy, host, port)
                if tls is not None:
                    await connection.start_tls(tls, host)
            except BaseException:
                connection.abort()
                raise
            return connection
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from error
    except (OSError, EOFError, *_REFUSALS) as error:
        raise httpcore2.ConnectError(str(error)) from error


async def _open(host: str, port: int) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, host, port)
    return connection


async def _tunnel(connection: Connection, proxy: HttpProxy, host: str, port: int) -> None:
    """Have a proxy connect to a host.

    Raises:
        httpcore2.ProxyError: It does not want to.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    answer = await connection.send("\r\n".join((*lines, "", "")).encode(), None)
    if not 200 <= answer.status < 300:
        raise httpcore2.ProxyError(f"the proxy answered {answer.status}")
    connection.detach(answer)


async def first_of(host: str, port: int, choose: Choose | None = None) -> Connection:
    """Connect to the address of a host that answers first.

    Addresses are tried shortly after each other, the two kinds in turn, as RFC 8305 has it: where
    IPv6 leads nowhere, IPv4 must not have to wait. asyncio can do the same but not, before Python
    3.13.1, with the eager tasks that mitmproxy uses (cpython#124309).

    Args:
        host: A name or an address.
        port: Where to.
        choose: Which addresses may be connected to.

    Raises:
        OSError: None can be reached; the error of the first that was tried.
    """
    waiting = await resolve(host, port)
    if choose is not None:
        waiting = choose(waiting)
    tries: list[asyncio.Task[Connection]] = []
    try:
        while True:
            if waiting:
                tries.append(asyncio.create_task(_open(*waiting.pop(0))))
            if pending := [attempt for attempt in tries if not attempt.done()]:
                patience = HEAD_START if waiting else None
                await asyncio.wait(pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in tries:
                if attempt.done() and attempt.exception() is None:
                    tries.remove(attempt)
                    return attempt.result()
            if not waiting and all(attempt.done() for attempt in tries):
                tries[0].result()
    finally:
        for attempt in tries:
            attempt.cancel()
            attempt.add_done_callback(_discard)


def _discard(attempt: asyncio.Task[Connection]) -> None:
    """Close a connection that came too late."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().abort()


async def resolve(host: str, port: int) -> list[Address]:
    """Resolve a name: the addresses in the system's order, but the two kinds in turn."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = found[0][0]
    same = [place for family, _, _, _, place in found if family == first]
    other = [place for family, _, _, _, place in found if family != first]
    places = chain.from_iterable(zip_longest(same, other))
    return [(str(place[0]), int(place[1])) for place in places if place is not None]
