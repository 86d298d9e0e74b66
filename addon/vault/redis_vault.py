"""A vault on a Redis server, for Detours on several machines that share one memory.

Needs the extra `detour-proxy[redis]`, and Redis 6.2 or newer or what speaks like it. An entry is a
string `detour:KIND:KEY`. Its age is the server's time to live, begun anew by every read; how much
is kept is the server's own policy (`maxmemory`, `maxmemory-policy allkeys-lru` or `volatile-lru`).

While the server is away, what is put waits in memory and is sent when it is back, and nobody waits
for it: readers find what waits here, and nothing of what the server holds.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, cast
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from addon.vault.store import Limits
from addon.vault.write_behind import Changes, Place, WriteBehind

logger = logging.getLogger(__name__)

_READ_PATIENCE = 0.5
"""Seconds that a reader waits for the server; then all do without it until it is back."""
_WRITE_PATIENCE = 10.0
_MOST_BYTES = 64 << 20
"""Of one value; the server hangs up on one that is too long, and would at every attempt."""
_BATCH_BYTES = 1 << 20
"""After so many a batch of commands is sent."""
_BATCH_COMMANDS = 500
_PREFIX = "detour"
_AWAY = (redis.ConnectionError, redis.TimeoutError, OSError)


class _Commands(Protocol):
    """What is used of redis-py, whose own annotations leave much open."""

    def getex(self, name: bytes, *, ex: int) -> object: ...
    def set(self, name: bytes, value: bytes, *, ex: int) -> object: ...
    def delete(self, name: bytes) -> object: ...
    def execute(self) -> list[bytes | None]: ...


class _Client(Protocol):
    def pipeline(self, *, transaction: bool) -> _Commands: ...
    def ping(self) -> object: ...
    def close(self) -> None: ...


class RedisVault:
    """Keeps entries on a server."""

    def __init__(self, url: str, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        """Prepare the connections; the server is asked at the first use.

        Args:
            url: `redis://`, `rediss://` (TLS) or `unix://`, with a password where one is needed.
            limits: Of which the age counts; the size is the server's.

        Raises:
            ValueError: The URL cannot be read.
        """
        self._name = without_password(url)
        self._age = max(1, int(limits.age))
        self._reader = _connect(url, _READ_PATIENCE)
        self._writer = _connect(url, _WRITE_PATIENCE)
        self._writes = WriteBehind(self._store, self._end)
        self._state = threading.Lock()
        self._away = False
        self._complained = False

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key."""
        self._writes.change(
            {
                (kind, key): bytes(value) if len(value) <= _MOST_BYTES else None
                for key, value in values.items()
            }
        )

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys, and count it as used."""
        found, missing = self._writes.read(kind, keys)
        if missing and not self._away:
            try:
                found |= self._read(kind, missing)
            except (redis.RedisError, OSError) as error:
                self._complain(error)
                if isinstance(error, _AWAY):
                    self._away = True
                    self._writes.retry()
        return found

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these keys."""
        self._writes.change({(kind, key): None for key in keys})

    def close(self) -> None:
        """Send what is pending and let go of the connections."""
        self._writes.close()
        self._away = True
        self._reader.close()

    def flush(self) -> None:
        """Wait until everything put so far has been stored, or could not be."""
        self._writes.flush()

    def _read(self, kind: str, keys: list[str]) -> dict[str, bytes]:
        pipeline = self._reader.pipeline(transaction=False)
        for key in keys:
            pipeline.getex(_name(kind, key), ex=self._age)
        answers = pipeline.execute()
        return {
            key: answer for key, answer in zip(keys, answers, strict=True) if answer is not None
        }

    def _store(self, changes: Changes, touched: set[Place]) -> bool:
        """Send changes; without one, see whether the server answers. Reading has touched."""
        try:
            for batch in _batches(changes):
                pipeline = self._writer.pipeline(transaction=False)
                for (kind, key), value in batch:
                    if value is None:
                        pipeline.delete(_name(kind, key))
                    else:
                        pipeline.set(_name(kind, key), value, ex=self._age)
                pipeline.execute()
            if not changes:
                self._writer.ping()
        except (redis.RedisError, OSError) as error:
            self._away = isinstance(error, _AWAY)
            self._complain(error)
            return False
        self._away = False
        with self._state:
            if self._complained:
                self._complained = False
                logger.warning("%s can be used again.", self._name)
        return True

    def _end(self) -> None:
        self._writer.close()

    def _complain(self, error: Exception) -> None:
        with self._state:
            if self._complained:
                return
            self._complained = True
        logger.warning(
            "%s cannot be used (%s): what agents and providers need again is kept in memory until "
            "it can.",
            self._name,
            # The text may repeat what the server was told.
            type(error).__name__ if isinstance(error, redis.AuthenticationError) else error,
        )


def without_password(url: str) -> str:
    """Return an URL as it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _connect(url: str, patience: float) -> _Client:
    parts = urlsplit(url)
    if parts.scheme != "unix" and not re.fullmatch(r"/?|/\d+", parts.path):
        raise ValueError("the path must be the number of a database")
    client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its **kwargs
        url,
        protocol=2,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        # A connection that the server has closed meanwhile is replaced at once.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
    try:
        client.connection_pool.make_connection()  # pyright: ignore[reportUnknownMemberType] - as above
    except TypeError:
        raise ValueError("there is an option in it that redis-py does not know") from None
    return cast("_Client", client)


def _name(kind: str, key: str) -> bytes:
    return f"{_PREFIX}:{kind}:{key}".encode("utf-8", "surrogatepass")


def _batches(changes: Changes) -> Iterator[list[tuple[Place, bytes | None]]]:
    batch: list[tuple[Place, bytes | None]] = []
    size = 0
    for place, value in changes.items():
        batch.append((place, value))
        size += len(value or b"")
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_COMMANDS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
