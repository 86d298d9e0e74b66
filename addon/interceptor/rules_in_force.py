"""The rules that apply now, and which hosts they have mitmproxy open."""

from __future__ import annotations

import logging
from pathlib import Path

from addon.interceptor import filters
from addon.interceptor.defaults import Defaults
from addon.interceptor.options import Settings
from addon.providers import KeyStore
from addon.rules import DEFAULT_INTERCEPT, Rules, RulesError, RulesFile

logger = logging.getLogger(__name__)


class RulesInForce:
    """Follows the rules file."""

    def __init__(self) -> None:
        self.defaults: Defaults | None = None
        """What Detour has set of mitmproxy's options, where it runs as an addon."""
        self._file: RulesFile | None = None
        self._places: tuple[Path, Path] | None = None

    def use(self, settings: Settings) -> None:
        """Go by the file that the settings name."""
        places = settings.rules, settings.home
        if places != self._places:
            self._places = places
            stored = KeyStore(settings.home)
            self._file = RulesFile(settings.rules, filters.check_filter, stored)

    def announce(self) -> None:
        """Read the rules when mitmproxy starts: they hold from here on; mistakes show at once."""
        assert self._places is not None
        try:
            rules = self.current()
        except RulesError:  # of which `RulesFile` has spoken
            self._open(DEFAULT_INTERCEPT)
        else:
            logger.info("Detour goes by the %d rules of %s.", len(rules.rules), self._places[0])

    def current(self) -> Rules:
        """Return the rules as the file has them now.

        Raises:
            RulesError: There are none.
        """
        assert self._file is not None
        rules = self._file.current()
        self._open(rules.intercept)
        return rules

    def latest(self) -> Rules:
        """Return the rules of the last look at the file.

        Raises:
            RulesError: There are none.
        """
        assert self._file is not None
        return self._file.latest()

    def intercepted_hosts(self) -> tuple[str, ...]:
        """Name the hosts whose calls are looked at, also when there are no rules."""
        try:
            return self.current().intercept
        except RulesError:
            self._open(DEFAULT_INTERCEPT)
            return DEFAULT_INTERCEPT

    def release(self) -> None:
        """Give mitmproxy's options back."""
        if self.defaults is not None:
            self.defaults.release()

    def _open(self, hosts: tuple[str, ...]) -> None:
        if self.defaults is not None:
            self.defaults.apply_hosts(hosts)
