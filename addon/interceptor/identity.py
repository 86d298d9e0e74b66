"""Who is calling: the user name in the proxy URL, which nobody is ever asked for.

`HTTPS_PROXY=http://planner@127.0.0.1:8080` makes every client send `Proxy-Authorization` when it
opens a tunnel. mitmproxy only looks at it when told to demand it, and then turns away whoever has
none; here it is a name, not a password.
"""

from __future__ import annotations

import base64
import binascii
from typing import cast

from mitmproxy import http

from addon.interceptor.access import header
from addon.rules import agent_name
from addon.views.metadata import AGENT
from addon.wire.reading import text

HEADER = "proxy-authorization"


class Identities:
    """Remembers the name that each connection gave."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def note(self, flow: http.HTTPFlow) -> None:
        """Take the name from a request to the proxy itself, and the header with it."""
        value = header(flow.request, HEADER)
        if value is None:
            return
        if name := user_name(value):
            self._names[flow.client_conn.id] = name
        del flow.request.headers[HEADER]

    def forget(self, connection_id: str) -> None:
        """A connection has ended."""
        self._names.pop(connection_id, None)

    def agent(self, flow: http.HTTPFlow, request: http.Request | None = None) -> str:
        """Name the agent behind a flow: by proxy user, else by what its User-Agent says.

        Args:
            flow: A call.
            request: What the agent sent, where the flow shows something else by now.
        """
        # Set by mitmproxy where the user has it check credentials, which takes the header away.
        checked = cast("tuple[str, str] | None", flow.metadata.get("proxyauth"))
        name = checked[0] if checked else self._names.get(flow.client_conn.id)
        # Where the connection has gone, what was known of it while it was there.
        name = name or text(flow.metadata.get(AGENT))
        return name or agent_name(header(request or flow.request, "user-agent"))


def user_name(value: str) -> str | None:
    """Read the user name of a `Basic` credential."""
    scheme, _, credential = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credential, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text.partition(":")[0].strip() or None
