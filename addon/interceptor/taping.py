"""Keeps both streams of an exchange with its flow: the provider's own and the agent's."""

from __future__ import annotations

import time
from typing import Any

from mitmproxy import http

from addon.engine import Tape
from addon.engine.tape import Take
from addon.views.metadata import STREAMS
from addon.views.timeline import Moments, pack


def keep_streams(
    flow: http.HTTPFlow, tape: Tape | None, agent: Moments, secrets: tuple[str, ...]
) -> None:
    """Keep what is on a tape, and when the agent got its answer.

    Args:
        flow: The exchange.
        tape: What the provider sent; None where it is what the agent got.
        agent: When the agent got how many bytes, by the monotonic clock.
        secrets: Keys, which are not kept.
    """
    began = time.monotonic() - (time.time() - flow.request.timestamp_start)
    tape = tape or Tape(2)
    quoted = [secret for take in tape.takes for secret in take.secrets]
    flow.metadata[STREAMS] = pack(
        began,
        map(_describe, tape.takes),
        tape.first,
        [*tape.last],
        tape.left_out,
        agent,
        dict.fromkeys((*secrets, *quoted)),
    )


def _describe(take: Take) -> dict[str, Any]:
    return {
        "time": take.time,
        "provider": take.provider,
        "model": take.model,
        "format": take.format,
        "status": take.status,
    }
