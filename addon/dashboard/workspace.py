"""What the operations work on: the files of a running Detour, and what it knows of itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from addon.dashboard.failures import ApiError
from addon.interceptor.options import Settings

THREADS = 2
"""Operations at a time. More would take turns at the interpreter with the proxy more often."""
MOST_WAITING = 64


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
