"""Who may ask: hosts that a page elsewhere cannot stand for, and writes that come from our pages.

The token is checked by mitmproxy's own `AuthRequestHandler`. It alone would not keep a page of
another site, open in the same browser, from using the cookie: its name could be made to lead to
this machine (DNS rebinding), or it could send a form here.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Container, Mapping
from urllib.parse import urlsplit

from addon.dashboard.failures import ApiError

CSRF_HEADER = "X-Detour-CSRF"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says, pages and API alike."""


def check_host(host: str, names: Container[str]) -> None:
    """Refuse requests that name this machine by a name which anybody could have given it.

    Args:
        host: The header, with or without a port.
        names: What the server was told to listen on; addresses and `localhost` are fine anyway.

    Raises:
        ApiError: It is another name.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name == "localhost" or name in names or _is_address(name):
        return
    raise ApiError(
        403,
        f"this server is not to be called {name or 'nothing'}",
        remedy="use its address, such as 127.0.0.1",
    )


def check_write(headers: Mapping[str, str], host: str, csrf: str) -> None:
    """Refuse a write that does not come from the pages of this server, or from a script.

    Args:
        headers: Of the request.
        host: What the request calls this server.
        csrf: What it must name.

    Raises:
        ApiError: It may come from elsewhere.
    """
    origin = headers.get("Origin")
    if origin is not None and urlsplit_netloc(origin) != host.lower():
        raise ApiError(403, "this request comes from a page of another site")
    if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise ApiError(403, "this request comes from a page of another site")
    given = headers.get(CSRF_HEADER, "").encode()
    if not hmac.compare_digest(given, csrf.encode()):
        remedy = "take it from GET status; it is another one after each start"
        raise ApiError(403, f"the header {CSRF_HEADER} is missing or stale", remedy=remedy)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "the body must be JSON (Content-Type: application/json)")


def urlsplit_netloc(origin: str) -> str:
    """Return host and port of an origin; empty where there are none, as for `null`."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
