"""What the operations work on: the files of a running Detour, and what it knows of itself."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from addon.dashboard.failures import ApiError
from addon.dashboard.hub import Hub
from addon.engine import ClientPool, ModelLists
from addon.inspection.loading import load_text
from addon.interceptor.options import Settings
from addon.ledger import Reader
from addon.providers import KeyStore
from addon.rules import Rules

THREADS = 2
"""Operations at a time. More would take turns at the interpreter with the proxy more often."""
MOST_WAITING = 64
MOST_ASKED = 8
"""How many times at once providers are asked for something."""


class SharedKeys:
    """A key store for several threads, opened once: to stretch a passphrase takes long."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._store = KeyStore(home)
        self._lock = threading.Lock()

    @property
    def file(self) -> Path:
        """Where the keys are."""
        return self._store.file

    def get(self, name: str) -> str | None:
        """Return the key of that name; see `KeyStore`."""
        with self._lock:
            return self._store.get(name)

    def names(self) -> tuple[str, ...]:
        """Name the providers that have a key here; see `KeyStore`."""
        with self._lock:
            return self._store.names()

    def set(self, name: str, key: str) -> None:
        """Keep a key; see `KeyStore`."""
        with self._lock:
            self._store.set(name, key)

    def remove(self, name: str) -> bool:
        """Forget a key; see `KeyStore`."""
        with self._lock:
            return self._store.remove(name)


class Workspace:
    """One running Detour, as seen by the API."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        listening: Callable[[], list[str]],
        make_pool: Callable[[], ClientPool],
        flush: Callable[[], None],
    ) -> None:
        """Prepare to work; an event loop must be running.

        Args:
            settings: Gives the options as they are now.
            listening: Says where agents connect, as HOST:PORT.
            make_pool: Makes what reaches providers.
            flush: Waits until the ledger has all that has ended.
        """
        self._settings = settings
        self.listening = listening
        self._make_pool = make_pool
        self.model_lists = ModelLists()
        self.hub = Hub()
        self.tell: Callable[[str, object], None] = self.hub.publish
        """Tells pages of something that has changed; from any thread."""
        self.running: Callable[[], list[dict[str, Any]]] = list
        """Describes the exchanges that run; for the thread of the event loop."""
        self.flush = flush
        """Waits until the ledger has everything."""
        self.csrf = secrets.token_urlsafe(24)
        """What writes must name."""
        self.hosts: tuple[str, ...] = ()
        """Names that the server was told to listen on."""
        self.mitmweb = False
        """Whether mitmweb's pages are on the same server."""
        self._threads = ThreadPoolExecutor(THREADS, "Detour dashboard")
        self._waiting = 0
        self._closed = False
        self._few = asyncio.Semaphore(MOST_ASKED)
        self._keys: SharedKeys | None = None
        self._reader: tuple[Path, Reader] | None = None
        self._lock = threading.Lock()

    def load(self, text: str) -> Rules:
        """Read a text as if the rules file held it.

        Raises:
            RulesError: It has mistakes.
        """
        return load_text(text, self.rules_path, self.keys)

    @property
    def keys(self) -> SharedKeys:
        """The key store."""
        if self._keys is None or self._keys.home != self.home:
            self._keys = SharedKeys(self.home)
        return self._keys

    @property
    def rules_path(self) -> Path:
        """The rules file."""
        return self._settings().rules

    @property
    def home(self) -> Path:
        """The home folder."""
        return self._settings().home

    @asynccontextmanager
    async def asking(self) -> AsyncGenerator[ClientPool]:
        """Reach providers, but only a few at a time."""
        async with self._few:
            clients = self._make_pool()
            try:
                yield clients
            finally:
                await clients.aclose()

    @property
    def own_ports(self) -> list[int]:
        """Ports at which no local server is to be looked for."""
        return [int(address.rpartition(":")[2]) for address in self.listening()]

    def reader(self) -> Reader | None:
        """Return what reads the ledger of the home folder; None where there is none yet.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        with self._lock:
            if self._reader is None or self._reader[0] != self.home:
                try:
                    self._reader = self.home, Reader(self.home)
                except FileNotFoundError:
                    return None
            return self._reader[1]

    async def in_thread[Result](self, function: Callable[[], Result]) -> Result:
        """Let a thread do something that takes a while.

        Raises:
            ApiError: Too much waits already, or the program ends.
        """
        if self._closed:
            raise _ending()
        if self._waiting >= MOST_WAITING:
            raise ApiError(503, "too much is asked at once", remedy="try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function)
        except (Exception, asyncio.CancelledError):
            task = asyncio.current_task()
            if not self._closed or (task is not None and task.cancelling()):
                raise
            raise _ending() from None  # `close` has cancelled it, or taken the ledger from it
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Begin nothing new."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._reader is not None:
            self._reader[1].close()


def _ending() -> ApiError:
    return ApiError(503, "Detour is about to end", remedy="start it again")
