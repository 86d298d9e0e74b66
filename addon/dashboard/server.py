"""A web server for the dashboard alone, where mitmweb is not there to serve it."""

from __future__ import annotations

import errno
import hmac
import secrets
import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application

from addon.dashboard.addon import ROOT
from addon.dashboard.guarded import SETTING
from addon.dashboard.handlers import HANDLERS, Entry, Nowhere
from addon.dashboard.requests import LARGEST
from addon.dashboard.workspace import Workspace


class DashboardServer:
    """Listens on one address until it is closed."""

    def __init__(self, workspace: Workspace, host: str, port: int, *, another: bool) -> None:
        """Begin to listen; an event loop must be running.

        Args:
            workspace: What is served.
            host: An address or name of this machine.
            port: 0 takes a free one.
            another: Whether a free port will do where this one is taken.

        Raises:
            OSError: It cannot listen there.
        """
        self._token = secrets.token_urlsafe(24)
        try:
            listener = _listen(host, port)
        except OSError as error:
            if not another or error.errno != errno.EADDRINUSE:
                raise
            listener = _listen(host, 0)
        self._port: int = listener.getsockname()[1]
        self._host = host
        application = Application(
            [("/", Entry), *HANDLERS],
            default_handler_class=Nowhere,
            cookie_secret=secrets.token_bytes(32),
            is_valid_password=self._is_token,
            auth_cookie_name=lambda: f"detour-{self._port}",
        )
        application.settings[SETTING] = workspace
        self._server = HTTPServer(application, max_body_size=2 * LARGEST)
        self._server.add_sockets([listener])

    @property
    def url(self) -> str:
        """Where people open it, the token included."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}{ROOT}/?token={self._token}"

    async def close(self) -> None:
        """Stop listening and end all connections."""
        self._server.stop()
        await self._server.close_all_connections()

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=128)
    listener.setblocking(False)
    return listener
