"""Fetches pictures and documents for providers that read no addresses."""

from __future__ import annotations

import asyncio
import logging

import httpx2

from addon.engine.clients import Response
from addon.engine.headers import USER_AGENT
from addon.engine.media_connections import MediaConnections
from addon.engine.media_errors import EXPECTED, MediaError, describe
from addon.engine.media_memory import MediaMemory
from addon.formats.base import Headers
from addon.neutral import InlineMedia
from addon.providers import MediaPolicy, Timeouts
from addon.translation import Media, Wanted, host_of
from addon.vault import Vault
from addon.wire.media_types import recognise

logger = logging.getLogger(__name__)

MOST_MEDIA = 20
"""Most media that are fetched for one request."""
MOST_AT_ONCE = 6
MOST_REDIRECTS = 3
PATIENCE = 20.0
"""Seconds that all media of one request may take together."""
_TIMEOUTS = Timeouts(connect=5)

_HEADERS: Headers = (
    ("user-agent", USER_AGENT),
    ("accept", "image/*, application/pdf, text/plain, text/markdown, text/csv"),
    ("accept-encoding", "identity"),
)
_REDIRECTS = (301, 302, 303, 307, 308)


class MediaFetcher:
    """Fetches media, and remembers them for the conversation's later turns."""

    def __init__(self, connections: MediaConnections, vault: Vault) -> None:
        self._connections = connections
        self._memory = MediaMemory(vault)

    async def fetch(self, wanted: Wanted, policy: MediaPolicy) -> Media:
        """Return the media at these addresses.

        Raises:
            MediaError: One of them cannot be had.
        """
        if len(wanted) > MOST_MEDIA:
            host = host_of(next(iter(wanted)))
            raise MediaError(host, f"the request names more than {MOST_MEDIA}")
        batch = _Batch(self._connections, self._memory, policy)
        tasks = [
            asyncio.create_task(batch.get(url, kind), name="Detour medium")
            for url, kind in wanted.items()
        ]
        try:
            media = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return dict(zip(wanted, media, strict=True))


class _Batch:
    """The media of one request."""

    def __init__(
        self, connections: MediaConnections, memory: MediaMemory, policy: MediaPolicy
    ) -> None:
        self._connections = connections
        self._memory = memory
        self._policy = policy
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._deadline = asyncio.get_running_loop().time() + PATIENCE
        self._left = 2 * policy.most_bytes

    async def get(self, url: str, kind: str) -> InlineMedia:
        """Return one medium, from memory or from its host."""
        host = host_of(url)
        media = self._memory.get(url) or await self._fetch(url, host)
        if media.media_type.startswith("image/") != (kind == "image"):
            expected = "a picture" if kind == "image" else "a PDF or a text"
            raise MediaError(host, f"it is {media.media_type}, not {expected}")
        return media

    async def _fetch(self, url: str, host: str) -> InlineMedia:
        try:
            async with asyncio.timeout_at(self._deadline), self._turns:
                declared, data = await self._download(url, host)
        except (httpx2.InvalidURL, ValueError, OverflowError):
            raise MediaError(host, "its address is not a URL") from None
        except EXPECTED as failure:
            raise MediaError(host, describe(failure)) from failure
        media_type = recognise(data, declared)
        if media_type is None:
            raise MediaError(host, "it is no picture (PNG, JPEG, GIF, WebP), no PDF and no text")
        logger.info("fetched %s of %d bytes from %s", media_type, len(data), host)
        return self._memory.put(url, media_type, data)

    async def _download(self, url: str, host: str) -> tuple[str, bytes]:
        """Return the content type and the body, after redirects."""
        allow_private = self._policy.allow_private
        pool = self._connections.pool(allow_private=allow_private)
        try:
            for _ in range(MOST_REDIRECTS + 1):
                place = httpx2.URL(url)
                self._check_scheme(place, host)
                if not allow_private:
                    await self._connections.check_host(place.host, place.port or 443)
                response = await pool.open("GET", url, _HEADERS, b"", _TIMEOUTS)
                try:
                    headers = {
                        name.lower(): value.decode("latin-1") for name, value in response.headers
                    }
                    if response.status not in _REDIRECTS:
                        body = await self._read(response, headers.get(b"content-length"), host)
                        return headers.get(b"content-type", ""), body
                finally:
                    response.close()
                url = str(place.join(headers.get(b"location", "")))
        finally:
            await pool.aclose()
        raise MediaError(host, f"it redirects more than {MOST_REDIRECTS} times")

    def _check_scheme(self, place: httpx2.URL, host: str) -> None:
        if place.scheme == "http" and not self._policy.allow_http:
            reason = "it is not https (media.allow_http in rules.yaml would allow that)"
            raise MediaError(host, reason)
        if place.scheme not in ("http", "https"):
            raise MediaError(host, "it is not https")

    async def _read(self, response: Response, length: str | None, host: str) -> bytes:
        """Read a body, of no more than one medium and all of them together may have."""
        if response.status != 200:
            raise MediaError(host, f"it answered {response.status}")
        body = bytearray()
        if length and length.isdecimal():
            self._check_size(int(length), int(length), host)
        while piece := await response.read():
            body += piece
            self._check_size(len(body), len(piece), host)
            self._left -= len(piece)
        return bytes(body)

    def _check_size(self, size: int, more: int, host: str) -> None:
        """Refuse a medium of `size` bytes, `more` of which have not been counted yet."""
        if size > self._policy.most_bytes or more > self._left:
            most = f"{self._policy.max_mb:g} MB"
            reason = f"it exceeds {most}, or all together twice that (media.max_mb in rules.yaml)"
            raise MediaError(host, reason)
