"""Asking a proxy that runs already: is it there, and which authority does it sign with."""

from __future__ import annotations

import http.client
import socket

import click

from addon.authority import authority_certificate
from addon.commands.options import Address

TIMEOUT = 5.0
"""Seconds that a running proxy has to answer."""
_PEM = b"-----BEGIN CERTIFICATE-----"


def is_reachable(address: Address) -> bool:
    """Tell whether something listens there."""
    try:
        socket.create_connection(address, timeout=TIMEOUT).close()
    except OSError:
        return False
    return True


def check_reachable(address: Address) -> None:
    """Make sure that something listens.

    Raises:
        ClickException: Nothing does.
    """
    if not is_reachable(address):
        raise click.ClickException(
            f"no proxy answers at {address}. Start one with `detour serve --listen {address}`, "
            "or leave --proxy out and one is started for you."
        )


def running_authority(address: Address) -> bytes:
    """Return the certificate of the authority that the proxy at this address signs with.

    mitmproxy hands it out itself, under a host name that exists only behind it; it may run with
    another folder of certificates than the usual one, or on another machine. One that does not
    hand it out is taken to use the usual folder.
    """
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT)
    try:
        connection.request("GET", "http://mitm.it/cert/pem", headers={"Host": "mitm.it"})
        certificate = connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        certificate = b""
    finally:
        connection.close()
    return certificate if certificate.startswith(_PEM) else authority_certificate()
