"""The dashboard over HTTP, for mitmweb's web server and for one of our own.

Authorisation is mitmweb's: `AuthRequestHandler` compares the token and keeps a signed cookie, by
functions that stand in the settings of the tornado application.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast, override
from urllib.parse import urlsplit

import msgspec
from mitmproxy.tools.web.app import AuthRequestHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, StaticFileHandler, stream_request_body

from addon.dashboard.addon import ROOT
from addon.dashboard.failures import ApiError, missing
from addon.dashboard.hub import MOST_LISTENERS, Listener
from addon.dashboard.operations import ROUTER
from addon.dashboard.protection import PAGE_HEADERS, SAFE_METHODS, check_host, check_write
from addon.dashboard.requests import LARGEST, Asked, read_body
from addon.dashboard.workspace import Workspace
from addon.ledger import timestamp

logger = logging.getLogger(__name__)

API = f"{ROOT}/api/"
PING = 15.0
"""Seconds after which a page is told that nothing has happened."""
SETTING = "detour_workspace"
PAGES = Path(__file__).with_name("static")

_HOW_TO_ENTER = (
    "open the address that `detour serve` prints: it holds the token"
    " (scripts send `Authorization: Bearer TOKEN`)"
)


class Guarded(AuthRequestHandler):
    """What pages and API have in common."""

    @property
    def workspace(self) -> Workspace:
        """What it is all about."""
        return self.settings[SETTING]

    @override
    def prepare(self) -> None:
        """Refuse what a page elsewhere may have sent."""
        check_host(self.request.host, self.workspace.hosts)

    @override
    def check_xsrf_cookie(self) -> None:
        """Leave it to `check_write`, which asks for more."""

    @override
    def set_default_headers(self) -> None:
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    @override
    def _log(self) -> None:
        """Log nothing: addresses hold the token, and mitmproxy's log is for the proxy."""

    @override
    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, ApiError | HTTPError):
            logger.error("the dashboard failed to answer", exc_info=(typ, value, tb))

    @override
    def auth_fail(self, invalid_password: bool) -> None:
        self.set_status(401)
        self.show(ApiError(401, "the token is wrong" if invalid_password else _HOW_TO_ENTER))

    @override
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error in the API's form, whatever has raised it."""
        error = kwargs.get("exc_info", (None, None))[1]
        if not isinstance(error, ApiError):
            told = getattr(error, "log_message", None) if status_code < 500 else None
            error = ApiError(status_code, told or self._reason)
        self.set_status(error.status)
        self.show(error)

    def show(self, error: ApiError) -> None:
        """Answer with an error."""
        self.set_header("Cache-Control", "no-store")
        self.answer(error.document())

    def answer(self, document: object) -> None:
        """Answer with JSON: a document, or one that is encoded already."""
        content = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Content-Encoding", "identity")  # mitmweb would hold calls up to compress
        cast("Any", self).finish(content)

    @override
    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        super().send_error(error.status if isinstance(error, ApiError) else status_code, **kwargs)


@stream_request_body
class Api(Guarded):
    """Answers by operations."""

    @override
    def initialize(self) -> None:
        self._content = bytearray()

    @override
    def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; what is too much is not kept."""
        if len(self._content) <= LARGEST:
            self._content += chunk

    @override
    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    async def _answer(self, path: str) -> None:
        method = str(self.request.method)
        if method not in SAFE_METHODS:
            check_write(self.request.headers, self.request.host, self.workspace.csrf)
        # As it was sent: a slash in the name of a model must not become one of the path.
        operation, names = ROUTER.find(method, self.request.path.removeprefix(API))
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        body = read_body(bytes(self._content)) if method != "GET" else {}
        asked = Asked(names=names, query=query, body=body)
        if iscoroutinefunction(operation):
            content = msgspec.json.encode(await operation(self.workspace, asked))
        else:
            content = await self.workspace.in_thread(
                lambda: msgspec.json.encode(operation(self.workspace, asked))
            )
        self.answer(content)

    get = head = post = put = patch = delete = options = _answer


class Stream(Guarded):
    """Tells a page what happens, for as long as it listens."""

    _listener: Listener | None = None

    async def get(self) -> None:
        """Send events as they come, the last state of each thing only where the page is slow."""
        hub = self.workspace.hub
        if hub.count >= MOST_LISTENERS:
            raise ApiError(503, "too many pages listen")
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Encoding", "identity")  # mitmweb would compress each event
        last = self.request.headers.get("Last-Event-ID", "") or self.get_query_argument("last", "")
        with hub.listening(last) as listener, suppress(StreamClosedError):
            self._listener = listener
            await self._send(b"retry: 2000\n\n" + _ping())
            while not listener.closed:
                events = await listener.take(PING)
                await self._send(b"".join(event.encode() for event in events) or _ping())

    @override
    def on_connection_close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _send(self, data: bytes) -> None:
        """Send, and wait until it is on its way: meanwhile the listener replaces what is old."""
        cast("Any", self).write(data)
        await self.flush()


def _ping() -> bytes:
    now = msgspec.json.encode({"now": timestamp(time.time())})
    return b"event: ping\ndata: %b\n\n" % now


class Pages(Guarded, StaticFileHandler):
    """Gives the files that the pages are made of."""

    @override
    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    @override
    async def get(self, path: str, include_body: bool = True) -> None:
        """Give a file; the token leaves the address bar once the cookie is there."""
        if "token" in self.request.query_arguments:
            self.redirect(f"{ROOT}/", status=303)
            return
        await super().get(path, include_body)

    @override
    async def head(self, path: str) -> None:
        await self.get(path, include_body=False)


class Entry(Guarded):
    """Leads to the page at `/detour/`."""

    def get(self) -> None:
        """Redirect, with the token where there is one."""
        query = urlsplit(cast("str", self.request.uri)).query
        self.redirect(f"{ROOT}/" + (f"?{query}" if query else ""), status=303)


class Nowhere(Guarded):
    """Answers where there is nothing."""

    @override
    def prepare(self) -> None:
        raise missing("such page")


HANDLERS: list[tuple[str, type[Guarded], dict[str, Any]]] = [
    (ROOT, Entry, {}),
    (f"{API}stream", Stream, {}),
    (f"{API}(.*)", Api, {}),
    (f"{ROOT}/(?:static/)?(.*)", Pages, {"path": str(PAGES), "default_filename": "index.html"}),
]
"""What tornado needs to serve the dashboard, with a `Workspace` in its settings as `SETTING`."""
