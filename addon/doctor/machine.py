"""What the doctor looks at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from addon.authority.certificate import CONFIGURATION_FOLDER
from addon.commands.options import Address
from addon.inspection.loading import load
from addon.rules import Rules, RulesError


class Machine:
    """A user's machine, as far as it concerns Detour."""

    def __init__(
        self,
        environment: Mapping[str, str],
        home: Path,
        rules_file: Path,
        listen: Address,
        web: Address,
        *,
        network: bool = True,
        verify: bool = False,
        authority_folder: Path = CONFIGURATION_FOLDER,
    ) -> None:
        """Describe a machine.

        Args:
            environment: The variables of the shell that the doctor was started from.
            home: Detour's folder.
            rules_file: The rules file, which may not be there.
            listen: Where the proxy is to listen.
            web: Where its pages are to be.
            network: Whether anything beyond this machine may be asked.
            verify: Whether a few tokens may be spent to see that keys work.
            authority_folder: mitmproxy's folder of certificates.
        """
        self.environment = environment
        self.home = home.expanduser()
        self.rules_file = rules_file
        self.listen = listen
        self.web = web
        self.network = network
        self.verify = verify
        self.authority_folder = authority_folder.expanduser()

    @property
    def authority_file(self) -> Path:
        """The certificate that agents have to trust."""
        return self.authority_folder / "mitmproxy-ca-cert.pem"

    @cached_property
    def rules_or_mistakes(self) -> Rules | RulesError:
        """The rules, as the proxy reads them."""
        try:
            return load(self.rules_file, self.home)
        except RulesError as error:
            return error

    @property
    def rules(self) -> Rules | None:
        """The rules, where they are sound."""
        found = self.rules_or_mistakes
        return None if isinstance(found, RulesError) else found
