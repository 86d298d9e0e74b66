"""State of other providers in Anthropic's own carriers, which agents return without reading them.

The words of a thought stay where they are, so the envelope holds only what they have no place for.
"""

from __future__ import annotations

from addon.formats.anthropic.content import NAME
from addon.neutral import OpaqueState
from addon.wire.carrier import Carried, mint


def carried_signature(state: OpaqueState | None) -> str:
    """Return the `signature` of a thought: Anthropic's own, or an envelope; empty for none."""
    if state is None:
        return ""
    return state.data if state.format == NAME else mint([Carried(state=state)])


def signed_call(call_id: str, state: OpaqueState) -> str:
    """Return the `data` of a `redacted_thinking` block that carries the signature of a call."""
    return mint([Carried(state=state, call_id=call_id)])
