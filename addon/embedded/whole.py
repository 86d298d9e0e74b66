"""An answer that is one JSON document, whatever is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from addon.embedded.endpoint import Performance
from addon.embedded.scenario import Content, Frame, Script


def whole(body: dict[str, Any] | Content, script: Script) -> Performance:
    """Make the performance of one body."""
    return Performance(_Whole(body), script, streamed=False)


@dataclass(frozen=True)
class _Whole:
    body: dict[str, Any] | Content
    stream_type: str = ""

    def plain(self) -> dict[str, Any] | Content:
        """Return the body."""
        return self.body

    def frames(self) -> Iterator[Frame]:
        """Yield nothing."""
        return iter(())

    def broken_off(self, kind: str) -> bytes:
        """Write nothing."""
        return b""
