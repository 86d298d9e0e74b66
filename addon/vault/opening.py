"""Open the vault that the settings name, whatever stands in the way."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from addon.vault.memory_vault import MemoryVault
from addon.vault.sqlite_vault import SqliteVault
from addon.vault.store import Limits, Vault

logger = logging.getLogger(__name__)

FILE_NAME = "vault.db"


def open_vault(home: Path, limits: Limits = Limits()) -> Vault:  # noqa: B008 - immutable
    """Open the vault in the home folder, or one in memory where there can be no file.

    Args:
        home: The folder, which exists already.
        limits: How much is kept.
    """
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
