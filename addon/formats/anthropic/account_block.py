"""What Claude Code tells Anthropic's accounts in the first block of the system prompt.

It is no part of the prompt and is different in every call (a hash, a counter, the last request's
name), so anywhere else it would spoil the prompt cache from the first word on.
"""

from __future__ import annotations

from addon.wire.reading import mapping, text

START = "x-anthropic-billing-header:"
FIELD = "system.x-anthropic-billing-header"
"""How losses name it."""


def is_account_block(block: object) -> bool:
    """Tell whether a block of the system prompt is meant for Anthropic's accounts."""
    return text(mapping(block).get("text")).startswith(START)
