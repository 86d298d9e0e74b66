"""Authorities and certificates of a benchmark, in a folder that is thrown away."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from mitmproxy.certs import CertStore
from mitmproxy.options import CONF_BASENAME, KEY_SIZE

from benchmarks.agent import HOST


@dataclass(frozen=True)
class Certificates:
    """Who trusts whom."""

    mitmproxy_folder: Path
    """With mitmproxy's authority in it, for both proxies."""
    provider: Path
    """The provider's key and certificate."""
    provider_authority: Path
    """Whom the proxies are to trust."""
    agent_context: ssl.SSLContext
    """Trusts both."""


def make_certificates(folder: Path) -> Certificates:
    """Make everything that the parties need."""
    mitmproxy_folder = folder / "mitmproxy"
    CertStore.from_store(mitmproxy_folder, CONF_BASENAME, KEY_SIZE)
    authority = trustme.CA()
    provider, provider_authority = folder / "provider.pem", folder / "authority.pem"
    authority.issue_cert("127.0.0.1", HOST).private_key_and_cert_chain_pem.write_to_path(provider)
    authority.cert_pem.write_to_path(provider_authority)
    context = ssl.create_default_context(cafile=provider_authority)
    context.load_verify_locations(mitmproxy_folder / f"{CONF_BASENAME}-ca-cert.pem")
    return Certificates(mitmproxy_folder, provider, provider_authority, context)
