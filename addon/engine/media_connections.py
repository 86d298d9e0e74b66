"""Connections to the hosts of media, which must not lead where only this network can."""

from __future__ import annotations

from collections.abc import Callable

from addon.engine.addresses import is_public
from addon.engine.clients import ClientPool, ProxySettings, TlsSettings
from addon.engine.http1 import Address, resolve
from addon.engine.media_errors import PrivateAddressError

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

    def pool(self, *, allow_private: bool) -> ClientPool:
        """Make a pool for one medium and the places that it redirects to.

        Without a proxy it connects to permitted addresses only: to those very ones that have been
        looked at. Where a host has none, calls raise `PrivateAddressError`.
        """
        guarded = self._proxy is None and not allow_private
        return ClientPool(self._tls, self._proxy, self._choose if guarded else None)

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

    def _choose(self, found: list[Address]) -> list[Address]:
        permitted = [place for place in found if self._permits(place[0])]
        if not permitted:
            raise PrivateAddressError
        return permitted
