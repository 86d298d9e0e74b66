"""Keys in what mitmproxy keeps of a call: found, and hidden."""

from __future__ import annotations

from mitmproxy import http

from addon.interceptor import access

HIDDEN = "(hidden by Detour)"

_PROTOCOLS = "sec-websocket-protocol"
_KEY_PROTOCOL = "openai-insecure-api-key."
"""In a browser, the name of a protocol is the only place for the key of a WebSocket."""

SECRET_HEADERS = frozenset(
    (
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    )
)
_SECRET_NAMES = frozenset(name.encode() for name in SECRET_HEADERS)


def hide_secrets(message: http.Message) -> None:
    """Replace every key in a message that is not going to be sent any more."""
    for name in SECRET_HEADERS:
        if name in message.headers:
            message.headers[name] = HIDDEN
    if _KEY_PROTOCOL in (access.header(message, _PROTOCOLS) or ""):
        message.headers[_PROTOCOLS] = HIDDEN
    if isinstance(message, http.Request) and "key=" in message.path:
        query = [(k, HIDDEN if k == "key" else v) for k, v in message.query.items(multi=True)]
        message.query = query


def secrets_in(request: http.Request) -> tuple[str, ...]:
    """Return the keys that came with a request."""
    found: list[str] = []
    for name, value in request.headers.fields:
        lowered = name.lower()
        if lowered in _SECRET_NAMES:
            found.append(value.decode("utf-8", "surrogateescape"))
        elif lowered == b"sec-websocket-protocol":
            protocols = (one.strip() for one in value.decode("latin-1").split(","))
            found += (one.removeprefix(_KEY_PROTOCOL) for one in protocols if _KEY_PROTOCOL in one)
    if "key=" in request.path:
        found += [value for name, value in request.query.items(multi=True) if name == "key"]
    return tuple(found)
