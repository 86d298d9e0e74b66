"""When a call that has failed goes on to the next target."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from addon.neutral import ErrorInfo, ErrorKind

type Failure = Literal[
    "connect",
    "timeout",
    "cut",
    "conflict",
    "rate_limit",
    "overloaded",
    "server_error",
    "quota",
    "context_length",
    "authentication",
    "permission",
    "not_found",
    "content_policy",
    "invalid_request",
]
FAILURES: tuple[Failure, ...] = get_args(Failure.__value__)

_FAILURE_OF_KIND: dict[ErrorKind, Failure] = {
    "unreachable": "connect",
    "billing": "quota",
    "unsupported": "invalid_request",
    "too_large": "context_length",
}

PASSING: frozenset[Failure] = frozenset(
    ("connect", "timeout", "cut", "conflict", "rate_limit", "overloaded", "server_error", "quota")
)
"""What another provider, or another time, may well do better: what moves on unless told otherwise.

The rest is wrong with the call or the account: another provider would say the same, or hide it.
"""


def failure_of(error: ErrorInfo) -> Failure:
    """Name the kind of failure that an error is, in the words of rules.yaml."""
    if found := _FAILURE_OF_KIND.get(error.kind):
        return found
    for failure in FAILURES:
        if failure == error.kind:
            return failure
    return "server_error"


class FallbackPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says about failures."""

    on: frozenset[Failure] = PASSING
    """What moves on."""
    retries: int = 0
    """How often each target is tried again before the next one."""
    cooldown: float = 30
    """Seconds for which a target that has failed is passed over, unless it said so itself."""
