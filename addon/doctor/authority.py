"""Whether mitmproxy's certificate authority is there, its key private, and its time not over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from addon.authority.bundle import NAME as BUNDLE
from addon.authority.bundle import certificates_of
from addon.commands.running_proxy import is_reachable, running_authority
from addon.doctor.certificates import read_all, read_certificate
from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine

SOON = timedelta(days=30)


async def examine(machine: Machine) -> list[Finding]:
    """Look at the authority."""
    return await asyncio.to_thread(_examine, machine)


def _examine(machine: Machine) -> list[Finding]:
    file = machine.authority_file
    if not file.exists():
        message = (
            f"mitmproxy's certificate authority is not made yet; the first start makes it ({file})"
        )
        return [_finding("ok", message)]
    certificate = read_certificate(file)
    if certificate is None:
        return [_finding("failed", f"{file} holds no certificate", _renewal(machine))]
    return [
        _age(certificate, machine),
        *_key(certificate, machine),
        *_bundle(machine),
        *_running(machine),
    ]


def _age(certificate: x509.Certificate, machine: Machine) -> Finding:
    now, file = datetime.now(UTC), machine.authority_file
    ends = certificate.not_valid_after_utc
    if now > ends:
        message = f"mitmproxy's certificate authority has expired on {ends:%Y-%m-%d} ({file})"
        return _finding("failed", message, _renewal(machine))
    if now < certificate.not_valid_before_utc:
        begins = certificate.not_valid_before_utc
        message = (
            f"mitmproxy's certificate authority is valid only from {begins:%Y-%m-%d %H:%M} UTC"
        )
        return _finding("failed", message, "Set this machine's clock; see the check `clock`.")
    message = f"mitmproxy's certificate authority is made, and valid until {ends:%Y-%m-%d} ({file})"
    if ends - now < SOON:
        return _finding("warning", message, _renewal(machine))
    return _finding("ok", message)


def _key(certificate: x509.Certificate, machine: Machine) -> list[Finding]:
    file = machine.authority_folder / "mitmproxy-ca.pem"
    try:
        mode = file.stat().st_mode & 0o777
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        message = f"the authority's private key cannot be read ({file}: {error})"
        return [_finding("failed", message, _renewal(machine))]
    if key.public_key() != certificate.public_key():
        message = f"the authority's certificate and its private key do not belong together ({file})"
        return [_finding("failed", message, _renewal(machine))]
    if mode & 0o077:
        message = f"others can read the authority's private key ({file}, mode {mode:o})"
        return [_finding("failed", message, f"chmod 600 {file}")]
    return []


def _bundle(machine: Machine) -> list[Finding]:
    bundle = machine.home / BUNDLE
    if not bundle.exists() or read_all(machine.authority_file) <= read_all(bundle):
        return []
    message = f"{bundle}, which agents are given, lacks the authority that is in force"
    remedy = "Run `detour env` (or `detour run`) again, and start agents anew."
    return [_finding("failed", message, remedy)]


def _running(machine: Machine) -> list[Finding]:
    if not is_reachable(machine.listen):
        return []
    used = certificates_of(running_authority(machine.listen))
    if not used or read_all(machine.authority_file) == set(used):
        return []
    message = f"the proxy at {machine.listen} signs with another authority than this one"
    remedy = f"Ask that one for the variables: `detour env --proxy {machine.listen}`."
    return [_finding("warning", message, remedy)]


def _renewal(machine: Machine) -> str:
    files: Path = machine.authority_folder / "mitmproxy-ca*"
    return (
        f"Stop the proxy, move {files} away, and start it again: a new authority is made. Then "
        "`detour env` again, and trust it wherever you had made something trust the old one."
    )


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="authority", state=state, message=message, remedy=remedy)
