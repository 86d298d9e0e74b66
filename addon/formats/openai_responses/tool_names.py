"""What a tool is called on the way to a provider, and what it was on the agent's side.

Responses knows kinds of tools that no other format has: tools inside a namespace, free-text tools,
and built-in tools that the agent itself runs (a shell, a patcher). On the way out each becomes a
plain function or custom tool with one flat name; a `Route` says how a call of that name is to be
told to the agent.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

SEPARATOR = "__"
_LONGEST = 64
"""Most characters of a name at OpenAI; the others allow more."""

LOCAL_SHELL = "local_shell"
SHELL = "shell"
APPLY_PATCH = "apply_patch"
TOOL_SEARCH = "tool_search"

type CallKind = Literal[
    "function", "custom", "local_shell", "shell", "apply_patch_builtin", "tool_search"
]


class Route(msgspec.Struct, frozen=True):
    """How calls of one tool are told to the agent."""

    kind: CallKind
    name: str
    namespace: str | None = None


def flat_name(name: str, namespace: str | None) -> str:
    """Return the one name that stands for a tool inside a namespace; always the same one."""
    if not namespace:
        return name
    joined = f"{namespace}{SEPARATOR}{name}"
    if len(joined) <= _LONGEST:
        return joined
    digest = hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{joined[: _LONGEST - 9]}_{digest}"
