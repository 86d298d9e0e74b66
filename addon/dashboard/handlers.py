"""What the dashboard answers over HTTP, by mitmweb's web server or by one of our own."""

from __future__ import annotations

from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast, override
from urllib.parse import urlsplit

import msgspec
from tornado.web import StaticFileHandler, stream_request_body

from addon.dashboard.addon import ROOT
from addon.dashboard.event_stream import Stream
from addon.dashboard.failures import missing
from addon.dashboard.guarded import Guarded
from addon.dashboard.operations import ROUTER
from addon.dashboard.protection import SAFE_METHODS, check_write
from addon.dashboard.requests import LARGEST, Asked, read_body

API = f"{ROOT}/api/"
PAGES = Path(__file__).with_name("static")


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
"""What tornado needs, with a `Workspace` in its settings, under the name in `guarded`."""
