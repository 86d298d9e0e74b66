"""How the engine reaches providers: by the options that mitmproxy's own connections go by."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import cast

from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.options import Options
from mitmproxy.proxy.mode_specs import ProxyMode, UpstreamMode
from mitmproxy.utils import human

from addon.engine import ClientPool, MediaConnections, ProxySettings, TlsSettings

OPTIONS = frozenset(
    (
        "mode",
        "ssl_insecure",
        "ssl_verify_upstream_trusted_ca",
        "ssl_verify_upstream_trusted_confdir",
        "upstream_auth",
    )
)
"""The options that count here."""


def make_pool(options: Options) -> ClientPool:
    """Make a pool that trusts whom mitmproxy trusts and goes where mitmproxy goes."""
    return ClientPool(_tls(options), _proxy(options))


def make_media_connections(options: Options, permits: Callable[[str], bool]) -> MediaConnections:
    """Make what fetches media: with the same trust, and the same way out.

    Args:
        options: mitmproxy's.
        permits: Tells which IP addresses are open to all.
    """
    return MediaConnections(_tls(options), _proxy(options), permits)


def _tls(options: Options) -> TlsSettings:
    return TlsSettings(
        options.ssl_verify_upstream_trusted_ca,
        options.ssl_verify_upstream_trusted_confdir,
        insecure=options.ssl_insecure,
    )


def _proxy(options: Options) -> ProxySettings | None:
    """Return the proxy of `--mode upstream:URL`, if mitmproxy runs so."""
    modes = [ProxyMode.parse(mode) for mode in options.mode]
    for mode in modes:
        if isinstance(mode, UpstreamMode):
            place = cast("ServerSpec", (mode.scheme, mode.address))
            credential = getattr(options, "upstream_auth", None)
            return ProxySettings(
                f"{place[0]}://{human.format_address(place[1])}",
                credential and f"Basic {base64.b64encode(credential.encode()).decode()}",
            )
    return None
