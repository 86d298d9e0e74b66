"""One connection to a server, step by step, so that the step that fails can be named."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from addon.engine.clients import TlsSettings

PATIENCE = 5.0
"""Seconds that each server has, all steps together."""
_PORTS = {"http": 80, "https": 443}


class Place(msgspec.Struct, frozen=True):
    """Where a server is."""

    scheme: str
    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class Trouble(Exception):
    """A server cannot be reached."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def place_of(url: str) -> Place:
    """Return where a URL leads."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return Place(parts.scheme, parts.hostname or "", port)


async def reach(place: Place) -> float:
    """Open a connection, with TLS where that is spoken, and return the seconds that it took.

    Raises:
        Trouble: It cannot be opened; says which step fails, and what to do.
    """
    began = time.monotonic()
    _, writer = await _open(place)
    writer.close()
    return time.monotonic() - began


async def ask_the_time(place: Place) -> tuple[datetime, datetime] | None:
    """Return what time a server says it is, and what time it was here; None where it says none.

    Raises:
        Trouble: It cannot be reached.
    """
    reader, writer = await _open(place)
    try:
        request = f"HEAD / HTTP/1.1\r\nhost: {place.host}\r\nconnection: close\r\n\r\n"
        sent = datetime.now().astimezone()
        writer.write(request.encode())
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        here = sent + (datetime.now().astimezone() - sent) / 2
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "date":
                return parsedate_to_datetime(value.strip()), here
    except (
        OSError,
        TimeoutError,
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
        ValueError,
    ):
        return None
    finally:
        writer.close()
    return None


async def _open(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = place.host, place.port
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        remedy = "Look whether this machine is online, and whether base_url is spelt right."
        raise Trouble(f"the name {host} cannot be resolved", remedy) from None
    except TimeoutError:
        raise Trouble(
            f"nobody says where {host} is", "Look at this machine's DNS servers."
        ) from None
    context = TlsSettings().context() if place.scheme == "https" else None
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        message = f"{host} shows a certificate that nobody vouches for ({error.verify_message})"
        remedy = (
            "If your company's proxy opens connections, name its authority: `detour serve -- --set "
            "ssl_verify_upstream_trusted_ca=FILE`. A wrong clock does this, too."
        )
        raise Trouble(message, remedy) from None
    except (ssl.SSLError, ConnectionResetError):
        message = f"{host}:{port} does not speak TLS, or breaks off"
        raise Trouble(message, "Look at base_url: https:// or http://, and which port?") from None
    except ConnectionRefusedError:
        remedy = "Start that server." if place.is_local else "Look at base_url, and at firewalls."
        raise Trouble(f"nobody listens at {host}:{port}", remedy) from None
    except TimeoutError:
        remedy = "Look at firewalls; behind a proxy: `detour serve -- --mode upstream:URL`."
        raise Trouble(f"{host}:{port} does not answer within {PATIENCE:g} s", remedy) from None
    except OSError as error:
        remedy = "Look whether this machine is online; `--no-network` leaves this out."
        raise Trouble(
            f"{host}:{port} cannot be reached ({error.strerror or error})", remedy
        ) from None
