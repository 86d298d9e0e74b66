"""What Detour is, and how it is."""

from __future__ import annotations

import time
from typing import Any

from addon import __version__
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.workspace import Workspace
from addon.ledger import timestamp
from addon.rules import RulesError
from addon.rules.editing import digest
from addon.rules.rules_file import read_rules


def status(workspace: Workspace, _: Asked) -> dict[str, Any]:
    """Say how things are."""
    try:
        revision = digest(read_rules(workspace.rules_path))
    except RulesError:
        revision = None
    return {
        "version": __version__,
        "csrf": workspace.csrf,
        "rules_file": str(workspace.rules_path.absolute()),
        "revision": revision,
        "rules_ok": revision is not None,
        "problems": [],
        "notices": [],
        "listening": workspace.listening(),
        "home": str(workspace.home),
        "mitmweb": workspace.mitmweb,
        "now": timestamp(time.time()),
    }


ROUTES: Routes = {"GET status": status}
