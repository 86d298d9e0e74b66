"""Packages that only some need, and what to say where one is wanted and missing.

They are the extras of `pyproject.toml`; a checkout holds all of them in `requirements-extras.lock`.
Decision 0006 has the reasons.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

type Extra = Literal["redis", "plot", "opentelemetry"]

_PACKAGES: dict[Extra, str] = {
    "redis": "redis",
    "plot": "matplotlib",
    "opentelemetry": "opentelemetry-sdk",
}
"""The package that is imported first, which is what is missing."""


def not_installed(extra: Extra) -> str:
    """Say that the packages of an extra are missing, and which command brings them.

    To be called where an import has failed: `... is not installed; run ...`.
    """
    return f"the package {_PACKAGES[extra]} is not installed; run {installing(extra)}"


def installing(extra: Extra) -> str:
    """Return the command that installs an extra for the Python that is running."""
    root = Path(__file__).resolve().parents[1]
    script = root / "scripts" / "extras"
    if script.is_file() and Path(sys.prefix).resolve() == root / ".venv":
        return str(script)
    return f"pip install 'detour-proxy[{extra}]'"
