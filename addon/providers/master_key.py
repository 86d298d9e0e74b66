"""The key that the key store is encrypted with.

It comes from the variable `DETOUR_KEY`, else from the file `keys.secret` beside the store, which is
made on first use and which only its owner can read. The file may hold several keys, a line each:
the first encrypts, any of them decrypts, so that a rotation that is cut off loses nothing.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import override

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from addon.neutral import DetourError, ErrorInfo

VARIABLE = "DETOUR_KEY"
FILE_NAME = "keys.secret"

SHORTEST_PASSPHRASE = 12
"""Characters; what is shorter can be guessed from a copy of the store."""


class ClosedStoreError(DetourError):
    """No key can be had from the key store: for a call, that is as if its key were missing."""

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("authentication", str(self), code="provider_key_store")


class MasterKeyError(ClosedStoreError):
    """The key that opens the key store cannot be had."""


def load_master_key(folder: Path, salt: bytes, environment: Mapping[str, str]) -> MultiFernet:
    """Return what opens and seals the store.

    Args:
        folder: The folder of the store.
        salt: The store's salt, by which a passphrase becomes a key.
        environment: Holds `DETOUR_KEY`, or not.

    Raises:
        MasterKeyError: It is missing or malformed, or the file cannot be read.
    """
    if given := environment.get(VARIABLE, "").strip():
        return MultiFernet([Fernet(_from_variable(given, salt))])
    return MultiFernet([Fernet(key) for key in read_key_file(folder / FILE_NAME)])


def read_key_file(file: Path) -> list[bytes]:
    """Return the keys in a key file, the one in force first.

    Raises:
        MasterKeyError: It is missing, cannot be read or holds something else.
    """
    try:
        keys = file.read_bytes().split()
    except FileNotFoundError:
        message = f"{file} is gone and {VARIABLE} is not set, so the stored keys cannot be opened"
        raise MasterKeyError(f"{message}; put the file back, or set the variable") from None
    except OSError as error:
        raise MasterKeyError(f"{file} cannot be read: {error.strerror}") from None
    if not keys or not all(map(_is_fernet_key, keys)):
        raise MasterKeyError(f"{file} does not hold a key; put the right file back")
    return keys


def write_key_file(file: Path, keys: Iterable[bytes]) -> None:
    """Write a key file that only its owner can read, in one step.

    Raises:
        MasterKeyError: It cannot be written.
    """
    try:
        write_private(file, b"".join(key + b"\n" for key in keys))
    except OSError as error:
        raise MasterKeyError(f"{file} cannot be written: {error.strerror}") from None


def write_private(file: Path, data: bytes) -> None:
    """Replace a file by one that only its owner can read: wholly, or not at all.

    Raises:
        OSError: It cannot be written.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _from_variable(text: str, salt: bytes) -> bytes:
    """Take a Fernet key as it is, and stretch any other text into one."""
    given = text.encode("utf-8", "surrogateescape")  # a variable may hold any bytes
    if _is_fernet_key(given):
        return given
    if len(text) < SHORTEST_PASSPHRASE:
        message = f"{VARIABLE} is shorter than {SHORTEST_PASSPHRASE} characters"
        raise MasterKeyError(f"{message}; use a longer passphrase")
    stretched = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(given)
    return base64.urlsafe_b64encode(stretched)


def _is_fernet_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, b"-_", validate=True)) == 32
    except binascii.Error:
        return False
