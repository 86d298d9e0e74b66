"""The proxy's own certificate authority.

It is mitmproxy's, in mitmproxy's own folder, so that a machine that already trusts it goes on doing
so: https://docs.mitmproxy.org/stable/concepts/certificates/.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

CONFIGURATION_FOLDER = Path("~/.mitmproxy")
"""mitmproxy's `confdir` unless told otherwise."""

_NAME = "mitmproxy"
_KEY_SIZE = 2048


def authority_certificate(folder: Path = CONFIGURATION_FOLDER) -> bytes:
    """Return the authority's certificate as PEM, and make the authority on first use.

    Raises:
        OSError: The folder cannot be read or written.
    """
    folder = folder.expanduser()
    certificate = folder / f"{_NAME}-ca-cert.pem"
    if not certificate.exists():
        _create(folder)
    return certificate.read_bytes()


def _create(folder: Path) -> None:
    # Imported late: it takes a fifth of a second, and is needed once in the life of a machine.
    from mitmproxy.certs import CertStore

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".detour-lock").open("w") as lock:
        # Two that start at once would otherwise mix the files of two authorities.
        fcntl.flock(lock, fcntl.LOCK_EX)
        CertStore.from_store(folder, _NAME, _KEY_SIZE)
