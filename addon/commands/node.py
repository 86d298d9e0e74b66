"""Node releases that ignore HTTPS_PROXY, and leading them through it all the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PRELOAD = Path(__file__).with_name("node_proxy.cjs")
"""Loaded into such a Node before anything else; does nothing in a newer one."""

_TIMEOUT = 5.0
_VERSION = re.compile(rb"v(\d+)\.(\d+)\.")


def node_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the Node on PATH honour HTTPS_PROXY.

    Since 22.21 and 24.0 a variable is enough. Before, an agent would silently call the host that
    it was told to call, so such a Node, and no other, is made to load a small module first.
    """
    variables = {"NODE_USE_ENV_PROXY": "1"}
    if ignores_proxies(environment):
        given = environment.get("NODE_OPTIONS", "")
        quoted = str(PRELOAD).replace("\\", "\\\\").replace('"', '\\"')
        option = f'--require="{quoted}"'
        variables["NODE_OPTIONS"] = given if option in given else f"{given} {option}".strip()
    return variables


def ignores_proxies(environment: Mapping[str, str]) -> bool:
    """Tell whether the Node on PATH is one that does not understand NODE_USE_ENV_PROXY."""
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None:
        return False
    bare = {name: value for name, value in environment.items() if name != "NODE_OPTIONS"}
    try:
        shown = subprocess.run(  # noqa: S603 - the Node that the agent would be run by
            [node, "--version"], env=bare, capture_output=True, timeout=_TIMEOUT
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = _VERSION.match(shown)
    if found is None:
        return False
    version = (int(found.group(1)), int(found.group(2)))
    return version < (22, 21) or (23, 0) <= version < (24, 0)
