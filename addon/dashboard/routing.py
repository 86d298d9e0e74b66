"""Which operation answers a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from addon.dashboard.failures import ApiError, missing
from addon.dashboard.requests import Asked
from addon.dashboard.workspace import Workspace

type Operation = Callable[[Workspace, Asked], Any | Awaitable[Any]]
"""Answers with what becomes JSON. Plain functions run in a thread, others in the event loop."""

type Routes = Mapping[str, Operation]
"""By method and path: `GET rules/{index}`."""


class Router:
    """Finds operations; a part of a path that is named goes before one that is left open."""

    def __init__(self, *tables: Routes) -> None:
        self.routes: list[tuple[str, tuple[str, ...], Operation]] = []
        for table in tables:
            for key, operation in table.items():
                method, _, path = key.partition(" ")
                self.routes.append((method, tuple(path.split("/")), operation))
        self.routes.sort(key=lambda route: [part.startswith("{") for part in route[1]])

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation for a path, and the parts that it leaves open.

        Args:
            method: In capitals.
            path: Below `/detour/api/`, as it was sent.

        Raises:
            ApiError: There is none.
        """
        parts = tuple(map(_unescape, path.split("/")))
        methods: list[str] = []
        for known, pattern, operation in self.routes:
            names = _match(pattern, parts)
            if names is not None:
                if known == method:
                    return operation, names
                methods.append(known)
        if methods:
            raise ApiError(405, f"{method} cannot be asked of this; {', '.join(methods)} can")
        raise missing(f"path {path[:200]!r}")


def _match(pattern: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    names: dict[str, str] = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            if not part:
                return None
            names[expected[1:-1]] = part
        elif expected != part:
            return None
    return names


def _unescape(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise ApiError(400, "the path is not UTF-8") from None
