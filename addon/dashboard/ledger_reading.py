"""Reading the ledger for the API."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from addon.dashboard.failures import ApiError
from addon.dashboard.requests import Asked
from addon.dashboard.workspace import Workspace
from addon.ledger import Reader, moment

WEEK = "7d"


@contextmanager
def reading(workspace: Workspace) -> Generator[Reader | None]:
    """Give the ledger, with all in it that has ended; None where there is none yet.

    Raises:
        ApiError: It cannot be read.
    """
    workspace.flush()
    try:
        yield workspace.reader()
    except sqlite3.Error as error:
        raise ApiError(503, f"the ledger in {workspace.home} cannot be read: {error}") from None


def since(asked: Asked, default: str = WEEK) -> float:
    """Return the moment from which on is asked, in seconds since 1970.

    Raises:
        ApiError: It cannot be understood.
    """
    text = asked.query.get("since") or default
    try:
        return moment(text)
    except (ValueError, OverflowError):
        message = f"since: {text[:40]!r} is neither like 24h, 7d or 2w nor a day"
        raise ApiError(400, message, field="since") from None
