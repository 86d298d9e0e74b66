"""Which addresses lie in the open internet.

An agent's request may hold anything, also what a web page has told it to write. What is fetched on
its behalf must therefore not lead into the network that Detour stands in: to this machine, to
routers, or to the metadata of a cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as IPv6-only networks write them (RFC 6052)."""


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that anybody could reach from anywhere."""
    return all(
        found.is_global and not found.is_multicast for found in _meanings(ip_address(address))
    )


def _meanings(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Yield an address, or the IPv4 addresses that it stands for."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    meant = [found for found in inner if found is not None]
    yield from meant or [address]
