"""Rules files for tests."""

from __future__ import annotations

import json
from typing import Any


def write_rules(
    base_url: str = "http://127.0.0.1:1",
    *,
    use: str = "anthropic:claude-sonnet-5-5",
    default: str = "pass",
    name: str = "all to Claude",
    providers: dict[str, Any] | None = None,
    timeouts: dict[str, float] | None = None,
    **rule: Any,
) -> str:
    """Write rules that send every call to the provider at `base_url` (JSON is YAML)."""
    anthropic: dict[str, Any] = {"base_url": base_url}
    if timeouts:
        anthropic["timeouts"] = timeouts
    return json.dumps(
        {
            "version": 1,
            "providers": {"anthropic": anthropic, **(providers or {})},
            "rules": [{"name": name, "use": use, **rule}],
            "default": default,
        }
    )


def write_default(default: str) -> str:
    """Write a file without rules."""
    return json.dumps({"version": 1, "default": default})
