"""The mitmproxy addon that serves the dashboard, in mitmweb or beside mitmproxy's other faces."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mitmproxy import command, ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.addons.proxyserver import Proxyserver

from addon.authority.home import open_home
from addon.dashboard.live import Live
from addon.dashboard.workspace import Workspace
from addon.interceptor.bookkeeping import Bookkeeper
from addon.interceptor.options import NAMES, Settings, read_settings
from addon.interceptor.upstream import make_pool
from addon.providers.master_key import write_private

if TYPE_CHECKING:
    from tornado.web import Application

    from addon.dashboard.server import DashboardServer

logger = logging.getLogger(__name__)

ROOT = "/detour"
OPTION = "detour_dashboard"
ADDRESS = "dashboard.url"
"""In the home folder: where the dashboard is, token included, unless mitmweb serves it."""
AUTO = "auto"
OFF = "off"
_USUAL = ("127.0.0.1", 8082)


class Dashboard:
    """Serves the dashboard for as long as the proxy runs."""

    name = "detourdashboard"

    def __init__(self, books: Bookkeeper) -> None:
        """Make it.

        Args:
            books: Know of exchanges as they come and go.
        """
        self._books = books
        self._settings: Settings | None = None
        self._workspace: Workspace | None = None
        self._live: Live | None = None
        self._server: DashboardServer | None = None
        self._application: Application | None = None
        self._address: Path | None = None
        """The file that holds the address, where this process has written it."""
        self._closing: asyncio.Task[None] | None = None

    def load(self, loader: Loader) -> None:
        """Declare the option."""
        loader.add_option(
            OPTION,
            str,
            AUTO,
            "Where the dashboard is without mitmweb, HOST:PORT (port 0 takes a free one); auto is"
            f" {_USUAL[0]}:{_USUAL[1]}, or another port where that is taken. With mitmweb it is in"
            f" its pages at {ROOT}. off: there is none.",
        )

    def configure(self, updated: set[str]) -> None:
        """Check the option.

        Raises:
            OptionsError: It cannot be read.
        """
        if updated & NAMES:
            self._settings = None
        if OPTION in updated:
            _address(getattr(ctx.options, OPTION))

    @property
    def url(self) -> str | None:
        """Where people open it, the token included; None where it is not served."""
        if self._server is not None:
            return self._server.url
        if self._application is None:
            return None
        base, _, token = cast("str", cast("Any", ctx.master).web_url).partition("?")
        return f"{base.rstrip('/')}{ROOT}/{token and '?'}{token}"

    def running(self) -> None:
        """Serve it, by mitmweb's web server where that is there."""
        text: str = getattr(ctx.options, OPTION)
        if self._workspace is not None or text == OFF:
            return
        # Imported late: a proxy without a dashboard need not wait for a web server.
        from tornado.web import Application

        from addon.dashboard.guarded import SETTING
        from addon.dashboard.handlers import HANDLERS
        from addon.dashboard.server import DashboardServer

        workspace = Workspace(
            self._read_settings,
            _listening,
            lambda: make_pool(ctx.options),
            self._books.flush,
        )
        application = getattr(ctx.master, "app", None)
        if isinstance(application, Application):
            workspace.mitmweb = True
            workspace.hosts = (str(cast("Any", ctx.options).web_host),)
            application.settings[SETTING] = workspace
            application.add_handlers(".*", HANDLERS)
            self._application = application
        else:
            host, port = _address(text)
            workspace.hosts = (host,)
            try:
                self._server = DashboardServer(workspace, host, port, another=text == AUTO)
            except OSError as error:
                logger.warning("The dashboard is not served: %s:%d: %s", host, port, error.strerror)
                workspace.close()
                return
            self._write_address(workspace.home)
        self._workspace = workspace
        self._live = self._books.watcher = Live(workspace)

    @command.command("detour.dashboard")
    def tell_url(self) -> str:
        """Say where the dashboard is, with the token that lets one in."""
        return self.url or f"The dashboard is not served ({OPTION})."

    def done(self) -> None:
        """Stop."""
        if self._address is not None and self._server is not None:
            with contextlib.suppress(OSError):
                if self._address.read_text() == f"{self._server.url}\n":
                    self._address.unlink()
        self._books.watcher = None
        if self._live is not None:
            self._live.stop()
        if self._workspace is not None:
            self._workspace.hub.close()
            self._workspace.close()
        if self._server is not None:
            self._closing = asyncio.create_task(self._server.close())
        self._workspace = self._server = None

    def _read_settings(self) -> Settings:
        settings = self._settings
        if settings is None:
            self._settings = settings = read_settings(ctx.options)
        return settings

    def _write_address(self, home: Path) -> None:
        """Leave the address, which holds the token, where only the owner of the home can read it.

        With mitmproxy's own programs there is no other place for it: they log what is said to them.
        """
        assert self._server is not None
        self._address = home / ADDRESS
        try:
            open_home(home)
            write_private(self._address, f"{self._server.url}\n".encode())
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._address, error.strerror)
        else:
            logger.info("The dashboard's address is in %s.", self._address)


def _address(text: str) -> tuple[str, int]:
    if text in (AUTO, OFF):
        return _USUAL
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not int(port) < 65536:
        raise exceptions.OptionsError(f"{OPTION} must be HOST:PORT, {AUTO} or {OFF}, not {text!r}.")
    return host.strip("[]") or _USUAL[0], int(port)


def _listening() -> list[str]:
    proxyserver = cast("Proxyserver", cast("Any", ctx.master.addons).get("proxyserver"))
    hosts = (address[:2] for address in proxyserver.listen_addrs())
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in hosts]
