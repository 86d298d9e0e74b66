"""Keeps both streams of an exchange with its flow: the provider's own and the agent's."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mitmproxy import http

from addon.engine import Tape
from addon.views.metadata import STREAMS
from addon.views.timeline import Mark, pack

type Marks = tuple[Sequence[Mark], Sequence[Mark]]
"""When the agent got how many bytes: at the beginning, and at the end."""


def keep_streams(
    flow: http.HTTPFlow, tape: Tape | None, marks: Marks, secrets: tuple[str, ...]
) -> None:
    """Keep what is on a tape, and when the agent got its answer, by the request's arrival.

    Args:
        flow: The exchange.
        tape: What the provider sent; None where it is what the agent got.
        marks: Times by the monotonic clock.
        secrets: Keys, which are not kept.
    """
    began = time.monotonic() - (time.time() - flow.request.timestamp_start)
    tape = tape or Tape(2)
    takes = [
        {
            "seconds": take.time - began,
            "provider": take.provider,
            "model": take.model,
            "format": take.format,
            "status": take.status,
        }
        for take in tape.takes
    ]
    quoted = [secret for take in tape.takes for secret in take.secrets]
    flow.metadata[STREAMS] = pack(
        takes,
        [(moment - began, data) for moment, data in tape.first],
        [(moment - began, data) for moment, data in tape.last],
        tape.left_out,
        (_since(began, marks[0]), _since(began, marks[1])),
        dict.fromkeys((*secrets, *quoted)),
    )


def _since(began: float, marks: Sequence[Mark]) -> list[Mark]:
    return [(moment - began, size) for moment, size in marks]
