"""What Detour is, and how it is."""

from __future__ import annotations

import time
from typing import Any

from addon import __version__
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.rules_state import read_state
from addon.dashboard.workspace import Workspace
from addon.ledger import timestamp


def status(workspace: Workspace, _: Asked) -> dict[str, Any]:
    """Say how things are."""
    state = read_state(workspace)
    return {
        "version": __version__,
        "csrf": workspace.csrf,
        "rules_file": str(workspace.rules_path.absolute()),
        **state.document(),
        "listening": workspace.listening(),
        "home": str(workspace.home),
        "mitmweb": workspace.mitmweb,
        "now": timestamp(time.time()),
    }


ROUTES: Routes = {"GET status": status}
