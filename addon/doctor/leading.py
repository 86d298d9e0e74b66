"""Where the variables of a shell lead its programs."""

from __future__ import annotations

from urllib.parse import urlsplit

from addon.commands.options import Address
from addon.doctor.machine import Machine

PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY")
"""The lower case first: so do most programs read them."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - to be compared with


def proxy_of(machine: Machine) -> str:
    """Return the proxy that programs of this shell use for https; empty where they use none."""
    return next((v for n in PROXY_VARIABLES if (v := machine.environment.get(n))), "")


def leads_to_detour(machine: Machine) -> bool:
    """Tell whether programs of this shell go through the proxy at its address."""
    proxy = proxy_of(machine)
    return bool(proxy) and is_at(proxy, machine.listen)


def is_at(url: str, address: Address) -> bool:
    """Tell whether a URL names an address, in any of the ways to name this machine."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    same = host == address.host or (host in _LOOPBACK and address.host in _LOOPBACK)
    return same and port == address.port


def shown(url: str) -> str:
    """Return a URL without a password."""
    before, separator, rest = url.partition("://")
    place = (rest if separator else before).rpartition("@")[2]
    return f"{before}://{place}" if separator else place
