"""What Detour sets of mitmproxy's own options, so that plain `mitmweb -s addon/main.py` is right.

* `connection_strategy=lazy`: eager mitmproxy connects to the host that the agent named before any
  rule has been asked.
* `http2=false`: mitmproxy lets an HTTP/2 agent have five calls at a time, and one failed connection
  spoils all later calls on the same one (mitmproxy#8322).
* `allow_hosts`: only the hosts of `intercept` are decrypted, everything else is tunnelled unopened.

An option that differs from mitmproxy's default was set by the user and is left alone, and so is one
that the user changes later. (mitmproxy does not tell a default from the same value given on
purpose; whoever wants HTTP/2 after all can set it in mitmweb once it runs.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from mitmproxy.options import Options

from addon.interceptor.access import is_default, set_option

logger = logging.getLogger(__name__)

FIXED: dict[str, object] = {"connection_strategy": "lazy", "http2": False}


class Defaults:
    """Sets options and remembers which of them are its own."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._intercept: tuple[str, ...] | None = None
        self._hosts: list[str] = []
        self._hosts_are_ours = not (options.allow_hosts or options.ignore_hosts)

    def apply_fixed(self) -> None:
        """Set what does not depend on the rules."""
        for name, value in FIXED.items():
            if is_default(self._options, name):
                set_option(self._options, name, value)

    def apply_hosts(self, intercept: Iterable[str]) -> None:
        """Decrypt these hosts only, from the next connection on."""
        intercept = tuple(intercept)
        if not self._hosts_are_ours or intercept == self._intercept:
            return
        self._intercept = intercept
        hosts = [rf"^{re.escape(host)}(:\d+)?$" for host in intercept]
        if hosts == self._hosts:
            return
        if list(self._options.allow_hosts) != self._hosts:
            logger.info("allow_hosts was changed by hand, so Detour no longer sets it.")
            self._hosts_are_ours = False
            return
        self._hosts = hosts
        set_option(self._options, "allow_hosts", hosts)

    def release(self) -> None:
        """Take the hosts back, so that a reloaded Detour does not take them for the user's."""
        if self._hosts_are_ours and list(self._options.allow_hosts) == self._hosts:
            set_option(self._options, "allow_hosts", [])
