"""Open the vault that the settings name, whatever stands in the way."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from addon.optional_packages import not_installed
from addon.vault.memory_vault import MemoryVault
from addon.vault.sqlite_vault import SqliteVault
from addon.vault.store import Limits, Vault

logger = logging.getLogger(__name__)

FILE_NAME = "vault.db"


REDIS_SCHEMES = ("redis", "rediss", "unix")


def open_vault(home: Path, limits: Limits = Limits(), address: str = "") -> Vault:  # noqa: B008 - immutable
    """Open the vault in the home folder, or one in memory where there can be no file.

    Args:
        home: The folder, which exists already.
        limits: How much is kept.
        address: The URL of a Redis server that is used instead, as `check_address` let pass.
    """
    if address:
        return _redis_vault(address, limits)
    path = home / FILE_NAME
    try:
        return SqliteVault(path, limits)
    except (OSError, sqlite3.Error) as error:
        logger.warning(
            "%s cannot be opened (%s): what providers want to see again is forgotten when Detour "
            "ends. Make the folder writable, or name another with detour_home.",
            path,
            error,
        )
        return MemoryVault()


def check_address(address: str) -> None:
    """See whether a vault could be opened at a URL, without asking the server.

    Raises:
        ValueError: It could not; the text says why and how to mend it, and not the URL, which may
            hold a password.
    """
    if address.partition("://")[0] not in REDIS_SCHEMES:
        raise ValueError("it must be a URL such as redis://host:6379/0, rediss://... or unix://...")
    try:
        _redis_vault(address, Limits()).close()
    except ModuleNotFoundError:
        raise ValueError(not_installed("redis")) from None


def _redis_vault(address: str, limits: Limits) -> Vault:
    # The package it needs is an optional one.
    from addon.vault.redis_vault import RedisVault

    return RedisVault(address, limits)
