"""Connections to the hosts of media, which must not lead where only this network can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import override

import httpcore2

from addon.engine.addresses import is_public
from addon.engine.clients import ProxySettings, TlsSettings
from addon.engine.media_errors import PrivateAddressError
from addon.engine.network import Address, Network, Stream, connect, renamed, resolve

type Permits = Callable[[str], bool]
"""Tells whether an IP address may be connected to."""


class MediaConnections:
    """Opens connections, by the settings that those to providers have as well."""

    def __init__(
        self, tls: TlsSettings, proxy: ProxySettings | None, permits: Permits = is_public
    ) -> None:
        """Prepare.

        Args:
            tls: Whom to trust.
            proxy: A proxy between here and the internet. It resolves names by itself, so that
                nobody here can tell where a name leads that is unknown here.
            permits: Which addresses are open to all; others need `allow_private`.
        """
        self._tls = tls.context()
        self._proxy = proxy
        self._permits = permits

    def pool(self, *, allow_private: bool) -> httpcore2.AsyncConnectionPool:
        """Make a pool for one medium and the places that it redirects to."""
        if self._proxy is None:
            permits = _anywhere if allow_private else self._permits
            network = _GuardedNetwork(permits)
            return httpcore2.AsyncConnectionPool(ssl_context=self._tls, network_backend=network)
        credential = self._proxy.authorization
        return httpcore2.AsyncHTTPProxy(
            self._proxy.url,
            proxy_headers={"Proxy-Authorization": credential} if credential else None,
            ssl_context=self._tls,
            proxy_ssl_context=self._tls if self._proxy.url.startswith("https:") else None,
            network_backend=Network(),
        )

    async def check_host(self, host: str, port: int) -> None:
        """Refuse a host that is known here to be private, where a proxy would connect to it.

        Without a proxy, the addresses that are really connected to are looked at instead.

        Raises:
            PrivateAddressError: It is.
        """
        if self._proxy is None:
            return
        try:
            found = await resolve(host, port)
        except OSError:
            return
        if not all(self._permits(address) for address, _ in found):
            raise PrivateAddressError


class _GuardedNetwork(Network):
    """Connects to permitted addresses only: to those very ones that have been looked at."""

    def __init__(self, permits: Permits) -> None:
        self._permits = permits

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Open a connection.

        Raises:
            PrivateAddressError: No address of the host may be connected to.
        """
        with renamed(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                return Stream(*await connect(host, port, self._choose))

    def _choose(self, found: list[Address]) -> list[Address]:
        permitted = [place for place in found if self._permits(place[0])]
        if not permitted:
            raise PrivateAddressError
        return permitted


def _anywhere(address: str) -> bool:
    del address
    return True
