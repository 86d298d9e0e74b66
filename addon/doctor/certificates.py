"""Reading certificates, whatever stands beside them."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from addon.authority.bundle import certificates_of


def read_certificate(file: Path) -> x509.Certificate | None:
    """Return the first certificate of a PEM file; None where it holds none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def read_all(file: Path) -> set[bytes]:
    """Return all certificates of a PEM file, as they can be compared; none where it is not there.

    They are not parsed: stores of a system hold old ones that nobody would write today.
    """
    try:
        return set(certificates_of(file.read_bytes()))
    except OSError:
        return set()
