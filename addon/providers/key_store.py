"""Provider keys at rest: one small file under the home folder, every key encrypted by itself.

    {"version": 1, "salt": "...", "keys": {"anthropic": "gAAAA..."}}

Names stand in clear, keys as Fernet tokens. A file that cannot be read or opened is reported and
never overwritten, so that nothing is lost by a wrong `DETOUR_KEY` or a half-restored backup.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, override

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from addon.neutral import DetourError
from addon.providers.master_key import FILE_NAME as SECRET_FILE_NAME
from addon.providers.master_key import (
    VARIABLE,
    ClosedStoreError,
    load_master_key,
    read_key_file,
    write_key_file,
    write_private,
)

FILE_NAME = "keys.json"
_VERSION = 1


class KeyStoreError(ClosedStoreError):
    """The key store cannot be read, opened or written."""


class _Contents(msgspec.Struct):
    version: int
    salt: str
    keys: dict[str, str] = {}


_read_contents = msgspec.json.Decoder(_Contents).decode


class KeyStore:
    """The encrypted keys of a home folder. Made on the first `set`; read again when it changes.

    Args:
        home: The home folder.
        environment: Holds `DETOUR_KEY`, or not.
    """

    def __init__(self, home: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._folder = home.expanduser()
        self._environment = environment
        self._stamp: tuple[Any, ...] | None = None
        self._known: dict[str, str] = {}
        """Keys opened since the file last changed."""
        self._opener: MultiFernet | None = None
        """What opened them: to make it of a passphrase takes long, as it should."""

    @property
    def file(self) -> Path:
        """Where the keys are."""
        return self._folder / FILE_NAME

    def get(self, name: str) -> str | None:
        """Return the key kept under a name, or None where there is none.

        Raises:
            DetourError: The store cannot be read, or its key is not the right one.
        """
        stamp = self._current_stamp()
        if stamp is None:
            return None
        if stamp != self._stamp:
            self._known = {}
            self._opener = None
            self._stamp = stamp
        if name not in self._known:
            try:
                contents = self._read()
                if name not in contents.keys:
                    return None
                opener = self._opener or self._fernet(contents)
                self._known[name] = self._open(contents, name, opener)
                self._opener = opener
            except DetourError:
                if self._current_stamp() == stamp:
                    raise
                return self.get(name)  # it was changed between one look and the next
        return self._known[name]

    def names(self) -> tuple[str, ...]:
        """Name the providers that have a key here, in alphabetical order.

        Raises:
            KeyStoreError: The file cannot be read.
        """
        return tuple(sorted(self._read_or_new().keys))

    def set(self, name: str, key: str) -> None:
        """Keep a key, in place of any other of that name.

        Raises:
            DetourError: The store cannot be read, opened or written; it is then as it was.
        """
        with self._locked():
            contents = self._read_or_new()
            if not contents.keys:
                self._make_key_file()
            fernet = self._fernet(contents)
            self._open_all(contents, fernet)  # keys of two kinds in one file could not be opened
            contents.keys[name] = fernet.encrypt(key.encode()).decode()
            self._write(contents)

    def remove(self, name: str) -> bool:
        """Forget a key; tell whether there was one.

        Raises:
            KeyStoreError: The store cannot be read or written.
        """
        with self._locked():
            contents = self._read_or_new()
            if contents.keys.pop(name, None) is None:
                return False
            self._write(contents)
            return True

    def rotate(self, new_key: str | None = None) -> int:
        """Encrypt every key anew and return how many there are.

        Args:
            new_key: What `DETOUR_KEY` will be from now on; None makes a new key file.

        Raises:
            DetourError: The store cannot be opened with the old key, or not be written. It is then
                as it was, or a key file opens it that holds the old key and the new one.
        """
        with self._locked():
            contents = self._read_or_new()
            keys = self._open_all(contents, self._fernet(contents) if contents.keys else None)
            fresh = _Contents(_VERSION, _new_salt())
            if new_key is not None:
                fernet = load_master_key(self._folder, _bytes(fresh.salt), {VARIABLE: new_key})
                self._seal(fresh, keys, fernet)
            else:
                self._rotate_file(fresh, keys)
            return len(keys)

    def _rotate_file(self, fresh: _Contents, keys: Mapping[str, str]) -> None:
        secret = self._folder / SECRET_FILE_NAME
        added = Fernet.generate_key()
        before = read_key_file(secret) if secret.exists() else []
        write_key_file(secret, [added, *before])
        self._seal(fresh, keys, Fernet(added))
        write_key_file(secret, [added])

    def _seal(
        self, contents: _Contents, keys: Mapping[str, str], fernet: Fernet | MultiFernet
    ) -> None:
        contents.keys = {name: fernet.encrypt(key.encode()).decode() for name, key in keys.items()}
        self._write(contents)

    def _fernet(self, contents: _Contents) -> MultiFernet:
        return load_master_key(self._folder, _bytes(contents.salt), self._environment)

    def _make_key_file(self) -> None:
        secret = self._folder / SECRET_FILE_NAME
        if not self._environment.get(VARIABLE, "").strip() and not secret.exists():
            write_key_file(secret, [Fernet.generate_key()])

    def _open_all(self, contents: _Contents, fernet: MultiFernet | None) -> dict[str, str]:
        if fernet is None:
            return {}
        return {name: self._open(contents, name, fernet) for name in contents.keys}

    def _open(self, contents: _Contents, name: str, fernet: MultiFernet) -> str:
        try:
            return fernet.decrypt(contents.keys[name].encode()).decode()
        except (InvalidToken, ValueError):
            given = VARIABLE if self._environment.get(VARIABLE, "").strip() else SECRET_FILE_NAME
            raise KeyStoreError(
                f"the key of {name} in {self.file} cannot be opened: {given} is not the key that it"
                " was encrypted with, or the file is damaged; put the right one back, or"
                f" `detour keys remove {name}` and set it anew"
            ) from None

    def _current_stamp(self) -> tuple[Any, ...] | None:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino, self._environment.get(VARIABLE)

    def _read_or_new(self) -> _Contents:
        return self._read() if self.file.exists() else _Contents(_VERSION, _new_salt())

    def _read(self) -> _Contents:
        try:
            contents = _read_contents(self.file.read_bytes())
            _bytes(contents.salt)
        except OSError as error:
            raise KeyStoreError(f"{self.file} cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, ValueError, binascii.Error):
            raise KeyStoreError(
                f"{self.file} is damaged; put a copy back, or move it away and set the keys anew"
            ) from None
        if contents.version != _VERSION:
            raise KeyStoreError(
                f"{self.file} was written by a newer Detour (version {contents.version})"
            )
        return contents

    def _write(self, contents: _Contents) -> None:
        try:
            write_private(self.file, msgspec.json.format(msgspec.json.encode(contents)) + b"\n")
        except OSError as error:
            raise KeyStoreError(f"{self.file} cannot be written: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep other processes from changing the store meanwhile."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / "keys.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeyStoreError(f"{self._folder} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @override
    def __repr__(self) -> str:
        """Show no key."""
        return f"<KeyStore {self.file}>"


def _new_salt() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
