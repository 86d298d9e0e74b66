"""What a check has found."""

from __future__ import annotations

from typing import Literal

import msgspec

type State = Literal["ok", "warning", "failed", "skipped"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    """The check's name, as `--only` takes it."""
    state: State
    message: str
    """What is so; holds no key."""
    remedy: str = ""
    """What to do about it; only where something is not as it should be."""
