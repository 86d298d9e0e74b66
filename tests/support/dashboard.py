"""A running proxy with the dashboard, and a client that may use it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mitmproxy.tools.dump import DumpMaster
from mitmproxy.tools.web.master import WebMaster

from addon.dashboard import Dashboard
from addon.interceptor import Interceptor
from tests.support.proxy import Proxy, running_proxy


class Page:
    """Talks to the API as a page of the dashboard does."""

    def __init__(self, url: str, client: httpx2.AsyncClient) -> None:
        parts = urlsplit(url)
        self.url = url
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.token = parse_qs(parts.query)["token"][0]
        self.client = client
        self.csrf = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the page's own code sends with a write."""
        return {"X-Detour-CSRF": self.csrf, "Origin": self.origin}

    async def enter(self) -> None:
        """Get the cookie by opening the address that people are given."""
        opened = await self.client.get(self.url, follow_redirects=True)
        assert opened.status_code == 200, opened.text
        self.csrf = (await self.get("status"))["csrf"]

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        """Send a request and return whatever comes."""
        if method != "GET":
            more.setdefault("headers", self.headers)
            more.setdefault("json", {} if body is None else body)
        return await self.client.request(method, f"{self.origin}/detour/api/{path}", **more)

    async def get(self, path: str) -> Any:
        """Read something that is there."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def write(self, method: str, path: str, body: Any = None) -> Any:
        """Write something that is accepted."""
        answer = await self.ask(method, path, body)
        assert answer.status_code == 200, (method, path, answer.text)
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Write something that is not accepted, and return status and error."""
        answer = await self.ask(method, path, body)
        assert 400 <= answer.status_code < 500, (method, path, answer.text)
        return answer.status_code, answer.json()["error"]

    async def revision(self) -> str:
        """Return the state of the rules file."""
        return (await self.get("status"))["revision"]

    async def edit(self, method: str, path: str, **body: Any) -> Any:
        """Edit the rules file as it is now."""
        return await self.write(method, path, {"revision": await self.revision(), **body})

    async def refused_edit(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Edit the rules file in a way that is not accepted, and return the error."""
        body = {"revision": await self.revision(), **body}
        return (await self.refused(method, path, body))[1]


@contextlib.asynccontextmanager
async def running_dashboard(
    rules: str | Path,
    *,
    mitmweb: bool = False,
    where: str = "127.0.0.1:0",
    environment: Mapping[str, str] = {},
    **settings: Any,
) -> AsyncIterator[tuple[Page, Proxy]]:
    """Run a proxy with the dashboard in it, and enter."""
    interceptor = Interceptor()
    dashboard = Dashboard(interceptor.books)
    settings |= {"web_port": 0, "web_open_browser": False} if mitmweb else {}
    async with running_proxy(
        rules,
        master_class=WebMaster if mitmweb else DumpMaster,
        interceptor=interceptor,
        dashboard=dashboard,
        environment=environment,
        detour_dashboard=where,
        **settings,
    ) as proxy:
        url = dashboard.url
        assert url is not None
        if mitmweb:  # which does not know its port where it was told to take any
            (server,) = proxy.web_servers
            port = next(iter(server._sockets.values())).getsockname()[1]
            url = url.replace(":0/", f":{port}/")
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
            page = Page(url, client)
            await page.enter()
            yield page, proxy
