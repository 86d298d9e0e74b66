"""One file of trusted authorities for every runtime: the system's, the user's own, and the proxy's.

A bundle of the proxy's authority alone would break every host that is tunnelled unopened, for the
variables that name a bundle replace the system's roots in most runtimes.
"""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

NAME = "ca-bundle.pem"
VARIABLES: dict[str, str] = {
    "SSL_CERT_FILE": "Python, Go, Rust, Ruby, OpenSSL",
    "NODE_EXTRA_CA_CERTS": "Node, Bun",
    "CODEX_CA_CERTIFICATE": "Codex",
    "REQUESTS_CA_BUNDLE": "Python's requests",
    "CURL_CA_BUNDLE": "curl",
    "GIT_SSL_CAINFO": "git",
    "DENO_CERT": "Deno",
    "AWS_CA_BUNDLE": "AWS clients",
    "CARGO_HTTP_CAINFO": "Cargo",
    "PIP_CERT": "pip",
}
"""Variables that name a bundle, and who reads them; users name a company's authorities there."""

_WELL_KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
    "/usr/local/etc/ca-certificates/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s(?:[A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)


def write_bundle(home: Path, authority: bytes, environment: Mapping[str, str]) -> Path:
    """Write the bundle into the home folder, unless it is there with this very content.

    Args:
        home: A folder that exists.
        authority: The proxy's certificate as PEM.
        environment: Where `VARIABLES` are looked up.

    Raises:
        OSError: The bundle cannot be written.
    """
    path = home / NAME
    sources = [system_roots(), *user_roots(environment, path), authority]
    content = b"".join(certificate + b"\n" for certificate in _unique(sources))
    if not path.is_file() or path.read_bytes() != content:
        _replace(path, content)
    return path


def system_roots() -> bytes:
    """Return the system's roots as PEM; those of `certifi` where the system shows none."""
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.openssl_cafile, *_WELL_KNOWN):
        if content := _read(Path(candidate)):
            return content
    folder = Path(paths.openssl_capath)
    if folder.is_dir():
        found = b"\n".join(_read(path) for path in sorted(folder.iterdir()) if path.is_file())
        if found.strip():
            return found
    import certifi

    return Path(certifi.where()).read_bytes()


def user_roots(environment: Mapping[str, str], bundle: Path) -> Iterator[bytes]:
    """Yield the files that the user already names, but for the bundle itself."""
    for variable in VARIABLES:
        value = environment.get(variable)
        if value and Path(value) != bundle:
            yield _read(Path(value))


def _unique(sources: Iterable[bytes]) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for source in sources:
        for key, certificate in certificates_of(source).items():
            if key not in seen:
                seen.add(key)
                yield certificate


def certificates_of(pem: bytes) -> dict[bytes, bytes]:
    """Return the certificates of a PEM file, by what can be compared: all but the blanks."""
    return {b"".join(found.split()): found for found in _CERTIFICATE.findall(pem)}


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    return content if _CERTIFICATE.search(content) else b""


def _replace(path: Path, content: bytes) -> None:
    """Write so that a reader sees the old file or the new one, never half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
