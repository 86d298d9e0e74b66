"""Typed access to what mitmproxy leaves untyped."""

from __future__ import annotations

from typing import Any, cast

from mitmproxy import ctx, http
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.view import View
from mitmproxy.connection import Client
from mitmproxy.options import Options
from mitmproxy.proxy.server import ConnectionHandler

from addon.formats.base import Headers


def header(message: http.Message, name: str) -> str | None:
    """Return the value of a header; several of one name are joined by commas.

    mitmproxy's own look-up takes five times as long, and a call asks often.

    Args:
        message: Where to look.
        name: In small letters.
    """
    wanted = name.encode()
    found = [value for key, value in message.headers.fields if key.lower() == wanted]
    return b", ".join(found).decode("utf-8", "surrogateescape") if found else None


def all_headers(message: http.Message) -> Headers:
    """Return the headers as they came."""
    return tuple(
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for name, value in message.headers.fields
    )


def set_option(options: Options, name: str, value: object) -> None:
    """Change one of mitmproxy's options."""
    cast("Any", options).update(**{name: value})


def is_default(options: Options, name: str) -> bool:
    """Tell whether an option exists and has mitmproxy's own value."""
    return name in options and not cast("Any", options).has_changed(name)


def decide_next_layer() -> NextLayer:
    """Return mitmproxy's own addon that chooses layers."""
    return cast("NextLayer", _addon("nextlayer"))


def connection_handler(client: Client) -> ConnectionHandler:
    """Return what serves an agent's connection.

    Raises:
        KeyError: The connection is closed.
    """
    connections = cast("dict[str, ConnectionHandler]", _proxyserver().connections)
    return connections[client.id]


def view() -> View | None:
    """Return the flows that mitmweb or the console show; None in mitmdump."""
    return cast("View | None", _addon("view"))


def _proxyserver() -> Any:  # noqa: ANN401 - its connections are half typed
    return _addon("proxyserver")


def _addon(name: str) -> object:
    return cast("Any", ctx.master.addons).get(name)
