"""A whole mitmproxy with Detour in the test's own event loop, about 0.1 s each.

Agents reach it over a real socket and real TLS; names are resolved in the process, to whatever
local port a test's server has.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import openai
import trustme
from mitmproxy import certs, options
from mitmproxy.http import HTTPFlow
from mitmproxy.master import Master
from mitmproxy.tools.dump import DumpMaster
from tornado.httpserver import HTTPServer

from addon.dashboard import Dashboard
from addon.interceptor import Interceptor

type Address = tuple[str, int]

AGENT_KEY = "sk-agent-0123456789abcdef"
PROVIDER_KEY = "sk-provider-fedcba9876543210"


@functools.cache
def authority() -> trustme.CA:
    """The authority that the tests' servers have their certificates from."""
    return trustme.CA()


_load_key = functools.cache(certs.load_pem_private_key)
"""mitmproxy's own: OpenSSL spends most of a proxy's start on checking the key it has checked."""


@functools.cache
def configuration_folder() -> Path:
    """mitmproxy's folder, whose own authority is made once: a key takes a third of a second."""
    folder = Path(tempfile.mkdtemp(prefix="detour-tests-"))
    authority().cert_pem.write_to_path(str(folder / "servers.pem"))
    return folder


def server_context(*names: str) -> ssl.SSLContext:
    """Make the TLS context of a server with these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def agent_context() -> ssl.SSLContext:
    """Make the TLS context of an agent that trusts mitmproxy, and of servers that are tunnelled."""
    folder = configuration_folder()
    context = ssl.create_default_context(cafile=str(folder / "mitmproxy-ca-cert.pem"))
    context.load_verify_locations(str(folder / "servers.pem"))
    return context


@contextlib.contextmanager
def resolving(hosts: Mapping[str, Address]) -> Iterator[None]:
    """Let names lead to local servers; all others do not exist."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in hosts:
            host, port = hosts[name]
        elif name and not name[0].isdigit() and name != "localhost" and ":" not in name:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return original(host, port, *arguments, **keywords)

    with mock.patch("socket.getaddrinfo", getaddrinfo):
        yield


@contextlib.contextmanager
def collecting_web_servers() -> Iterator[list[HTTPServer]]:
    """Remember the servers of mitmweb's pages, which it never closes."""
    servers: list[HTTPServer] = []

    class Remembered(HTTPServer):
        def initialize(self, *arguments: Any, **keywords: Any) -> None:
            servers.append(self)
            super().initialize(*arguments, **keywords)

    with mock.patch("tornado.httpserver.HTTPServer", Remembered):
        yield servers


class Watcher:
    """Collects the flows, as the last addon sees them."""

    def __init__(self) -> None:
        self.flows: list[HTTPFlow] = []

    def requestheaders(self, flow: HTTPFlow) -> None:
        self.flows.append(flow)


class Logs(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = logging.Formatter().format(record)
        self.lines.append(line)
        if record.levelno >= logging.ERROR:
            self.errors.append(line)


class Proxy:
    """A running proxy."""

    def __init__(self, master: Master, interceptor: Interceptor, logs: Logs) -> None:
        self.master = master
        self.interceptor = interceptor
        self.logs = logs
        self.watcher = Watcher()
        self.port = 0
        self.web_servers: list[HTTPServer] = []
        self.rules = Path()

    @property
    def flows(self) -> list[HTTPFlow]:
        return self.watcher.flows

    @property
    def connections(self) -> int:
        """Agents' connections that are open."""
        return len(self.master.addons.get("proxyserver").connections)

    async def quiet(self) -> None:
        """Wait until no agent is connected any more: the agents must have been closed before."""
        async with asyncio.timeout(10):
            while self.connections:  # noqa: ASYNC110 - mitmproxy has no event for it
                await asyncio.sleep(0.005)

    def url(self, agent: str = "") -> str:
        return f"http://{agent}127.0.0.1:{self.port}"

    def client(self, agent: str = "", **keywords: Any) -> httpx2.AsyncClient:
        """Make an HTTP client that knows nothing but the proxy and its authority."""
        return httpx2.AsyncClient(
            proxy=self.url(agent),
            verify=agent_context(),
            trust_env=False,
            timeout=10,
            **keywords,
        )

    def openai(self, **keywords: Any) -> openai.AsyncOpenAI:
        """Make an unmodified OpenAI client behind the proxy."""
        return openai.AsyncOpenAI(
            api_key=AGENT_KEY, http_client=self.client(), max_retries=0, **keywords
        )


@contextlib.asynccontextmanager
async def running_proxy(
    rules: str | Path,
    *,
    hosts: Mapping[str, Address] = {},
    environment: Mapping[str, str] = {"ANTHROPIC_API_KEY": PROVIDER_KEY},
    master_class: type[Any] = DumpMaster,
    interceptor: Interceptor | None = None,
    dashboard: Dashboard | None = None,
    expected_errors: bool = False,
    **settings: Any,
) -> AsyncIterator[Proxy]:
    """Run mitmproxy with Detour.

    Args:
        rules: The rules file, or its text.
        hosts: Names that agents and proxy can resolve, and where they lead.
        environment: The only variables that hold keys.
        master_class: Which of mitmproxy's programs.
        interceptor: Detour itself.
        dashboard: Its pages, where they are to be served.
        expected_errors: Whether errors in the log are what the test is about.
        settings: Options.
    """
    folder = configuration_folder()
    if isinstance(rules, str):
        path = Path(tempfile.mkdtemp(dir=folder)) / "rules.yaml"
        path.write_text(rules)
        rules = path
    logs = Logs()
    root = logging.getLogger()
    level = root.level
    root.addHandler(logs)
    root.setLevel(logging.DEBUG)
    interceptor = interceptor or Interceptor()
    keywords = {"with_dumper": False} if master_class is DumpMaster else {}
    cleared = {name: "" for name in os.environ if name.endswith("_API_KEY")}
    try:
        with (
            resolving(hosts),
            collecting_web_servers() as web_servers,
            mock.patch("mitmproxy.certs.load_pem_private_key", _load_key),
            mock.patch.dict(os.environ, {**cleared, **environment}),
        ):
            master = master_class(
                options.Options(
                    confdir=str(folder),
                    listen_host="127.0.0.1",
                    listen_port=0,
                    ssl_verify_upstream_trusted_ca=str(folder / "servers.pem"),
                ),
                with_termlog=False,
                **keywords,
            )
            proxy = Proxy(master, interceptor, logs)
            # A script's place in the chain is before the addons that show and save flows.
            master.addons.chain.insert(0, master.addons.register(interceptor))
            if dashboard is not None:
                master.addons.chain.insert(1, master.addons.register(dashboard))
            proxy.web_servers, proxy.rules = web_servers, rules
            master.addons.add(proxy.watcher)
            settings.setdefault("detour_home", tempfile.mkdtemp(dir=folder))
            master.options.update(detour_rules=str(rules), **settings)
            task = asyncio.create_task(master.run())
            server = master.addons.get("proxyserver")
            while not (server.is_running and server.listen_addrs()):
                await asyncio.sleep(0.005)
                if task.done():
                    task.result()
                    raise RuntimeError(f"mitmproxy has ended: {logs.lines}")
            proxy.port = server.listen_addrs()[0][1]
            try:
                yield proxy
            finally:
                await proxy.quiet()
                await server.servers.update([])
                master.shutdown()
                await asyncio.wait_for(task, 5)
                for web_server in web_servers:
                    web_server.stop()
    finally:
        root.removeHandler(logs)
        root.setLevel(level)
    if not expected_errors:
        assert not logs.errors, logs.errors
