"""What the operations work on: the files of a running Detour, and what it knows of itself."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from addon.dashboard.failures import ApiError
from addon.inspection.loading import load_text
from addon.interceptor.options import Settings
from addon.providers import KeyStore
from addon.rules import Rules

THREADS = 2
"""Operations at a time. More would take turns at the interpreter with the proxy more often."""
MOST_WAITING = 64


class SharedKeys:
    """A key store for several threads, opened once: to stretch a passphrase takes long."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._store = KeyStore(home)
        self._lock = threading.Lock()

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
        self, settings: Callable[[], Settings], listening: Callable[[], list[str]]
    ) -> None:
        """Prepare to work.

        Args:
            settings: Gives the options as they are now.
            listening: Says where agents connect, as HOST:PORT.
        """
        self._settings = settings
        self.listening = listening
        self.csrf = secrets.token_urlsafe(24)
        """What writes must name."""
        self.hosts: tuple[str, ...] = ()
        """Names that the server was told to listen on."""
        self.mitmweb = False
        """Whether mitmweb's pages are on the same server."""
        self._threads = ThreadPoolExecutor(THREADS, "Detour dashboard")
        self._waiting = 0
        self._keys: SharedKeys | None = None

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

    async def in_thread[Result](self, function: Callable[[], Result]) -> Result:
        """Let a thread do something that takes a while.

        Raises:
            ApiError: Too much waits already.
        """
        if self._waiting >= MOST_WAITING:
            raise ApiError(503, "too much is asked at once", remedy="try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Begin nothing new."""
        self._threads.shutdown(wait=False, cancel_futures=True)
