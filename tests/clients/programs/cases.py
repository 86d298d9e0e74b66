"""What the client programs share: run every case and print what came of it as a line of JSON.

Nothing here knows of Detour: a program is led by its environment alone.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from typing import Any

_CASES: list[Callable[..., Any]] = []
_ERROR_FACTS = ("status_code", "message", "code", "type", "param", "body")


def case[Function: Callable[..., Any]](function: Function) -> Function:
    """Mark a function as a case; it takes the client and its own mark for prompts."""
    _CASES.append(function)
    return function


def run_cases(client: object) -> None:
    """Run the cases one after another."""
    for function in _CASES:
        try:
            outcome = function(client, mark_of(function))
        except Exception as error:
            outcome = facts_of(error)
        tell(function, outcome)


async def run_async_cases(client: object) -> None:
    """Run cases that are coroutines, all at once."""

    async def run(function: Callable[..., Any]) -> None:
        try:
            outcome = await function(client, mark_of(function))
        except Exception as error:
            outcome = facts_of(error)
        tell(function, outcome)

    assert all(inspect.iscoroutinefunction(function) for function in _CASES)
    await asyncio.gather(*(run(function) for function in _CASES))


def mark_of(function: Callable[..., Any]) -> str:
    return f"(case {function.__name__}) "


def tell(function: Callable[..., Any], outcome: object) -> None:
    sys.stdout.write(json.dumps({"case": function.__name__, "outcome": outcome}) + "\n")
    sys.stdout.flush()


def facts_of(error: Exception) -> dict[str, Any]:
    """Say of an exception what a program would look at."""
    facts = {name: getattr(error, name, None) for name in _ERROR_FACTS}
    response = getattr(error, "response", None)
    headers = dict(response.headers) if response is not None else {}
    return {
        "error": type(error).__name__,
        "text": str(error),
        "headers": headers,
        "request_id": getattr(error, "request_id", None),
        **facts,
    }
