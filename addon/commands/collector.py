"""How the collector of garbage is set where calls are served."""

from __future__ import annotations

import gc

_YOUNG_OBJECTS = 20_000
"""New objects after which the collector looks for circles among them: one call makes thousands."""
_OLDER = (4, 4)
"""Looks at the young after which the collector looks at those that have outlived it once; twice.

Connections that have ended are such circles, and would take up tens of megabytes until then."""


def calm_collector() -> None:
    """Spare the collector all that the start has made, and let it look less often at the rest.

    It would go through all of it again and again, and stop every stream for as long as 50 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *_OLDER)
