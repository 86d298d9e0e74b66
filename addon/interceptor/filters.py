"""mitmproxy's filter expressions (`~u`, `~hq`, ...), for the `filter` key of a rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from mitmproxy import flow, flowfilter

type Match = Callable[[flow.Flow], bool]


@lru_cache(maxsize=256)
def parse(expression: str) -> Match:
    """Compile an expression.

    Raises:
        ValueError: It is not one.
    """
    return flowfilter.parse(expression)


def check_filter(expression: str) -> str | None:
    """Say what is wrong with an expression, or None when nothing is."""
    try:
        parse(expression)
    except ValueError as error:
        return str(error)
    return None


def matcher(matched: flow.Flow) -> Callable[[str], bool]:
    """Return what tells whether a flow matches an expression that `check_filter` accepts.

    What it has told of an expression holds for good: when another target is to be tried, the flow
    shows the provider's request in place of the agent's.
    """

    def matches(expression: str) -> bool:
        return bool(parse(expression)(matched))

    return cache(matches)
