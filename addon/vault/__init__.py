"""Where Detour keeps what must survive from one call to the next, and from one run to the next."""

from addon.vault.memory_vault import MemoryVault
from addon.vault.opening import check_address, open_vault
from addon.vault.sqlite_vault import SqliteVault
from addon.vault.store import Limits, Vault

__all__ = ["Limits", "MemoryVault", "SqliteVault", "Vault", "check_address", "open_vault"]
