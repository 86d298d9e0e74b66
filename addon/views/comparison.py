"""The view "Detour comparison", and how two answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.neutral import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart, Usage
from addon.views.answers import Answer, answer_of
from addon.views.columns import write_columns
from addon.views.metadata import COMPARISON, Kept, read
from addon.views.overview import write_cost, write_seconds
from addon.views.page import Page, shorten
from addon.views.view import DetourView
from addon.wire.reading import text

WIDTH = 40
LABEL = 12
LONGEST_ANSWER = 4000
NONE_YET = (
    "This answer has not been compared. The command `detour.compare @marked` compares two marked"
    " flows, and `detour.replay FLOW PROVIDER:MODEL` gets another answer to the same request."
)


class ComparisonView(DetourView):
    """Shows the last comparison of a flow's answer with another."""

    title = "Detour comparison"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write what `detour.compare` has kept with the flow."""
        del kept, data, metadata
        return text(flow.metadata.get(COMPARISON)) or NONE_YET


def compare(one: http.HTTPFlow, other: http.HTTPFlow) -> str:
    """Write two answers side by side: targets, times, tokens, cost, thoughts, words and calls."""
    left, right = _Side(one), _Side(other)
    page = Page()
    for name, mine, theirs in _facts(left, right):
        write_columns(page, [mine], [theirs], WIDTH, before=f"{name + ':':{LABEL}} ")
    for name, choose in _SAID:
        mine, theirs = _lines(choose(left.answer.parts)), _lines(choose(right.answer.parts))
        if not mine and not theirs:
            continue
        page.add()
        page.add(f"{name} (both the same):" if mine == theirs else f"{name}:")
        both = [] if mine == theirs else theirs
        write_columns(page, mine, both, WIDTH, before=" " * (LABEL + 1))
    return page.write()


def summarize(one: http.HTTPFlow, other: http.HTTPFlow) -> list[str]:
    """Compare two answers in lines that can be read without columns."""
    left, right = _Side(one), _Side(other)
    lines = [
        f"{name}: {mine or '-'} | {theirs or '-'}" for name, mine, theirs in _facts(left, right)
    ]
    for name, choose in _SAID:
        mine, theirs = choose(left.answer.parts), choose(right.answer.parts)
        if mine or theirs:
            lines.append(f"{name}: {'the same' if mine == theirs else 'something else'}")
    return lines


class _Side:
    """One of two answers."""

    def __init__(self, flow: http.HTTPFlow) -> None:
        self.flow = flow
        self.kept = read(flow)
        self.answer = answer_of(flow, self.kept) or Answer()
        self.usage = self.kept.known_usage or self.answer.usage or Usage()


def _facts(left: _Side, right: _Side) -> Iterator[tuple[str, str, str]]:
    """Name what can be told of an answer, and tell it of both."""
    for name, tell in _TOLD:
        mine, theirs = tell(left), tell(right)
        if mine or theirs:
            yield name, mine, theirs


def _target(side: _Side) -> str:
    return side.kept.target or side.flow.request.pretty_host


def _status(side: _Side) -> str:
    error, response = side.answer.error, side.flow.response
    if error is not None:
        return f"{error.kind}: {error.message}"
    return str(response.status_code) if response is not None else "no answer"


def _first(side: _Side) -> str:
    seconds = side.kept.first_token
    return write_seconds(seconds) if seconds is not None else ""


def _end(side: _Side) -> str:
    seconds, response = side.kept.duration, side.flow.response
    if seconds is None and response is not None and response.timestamp_end is not None:
        seconds = response.timestamp_end - side.flow.request.timestamp_start
    return write_seconds(seconds) if seconds is not None else ""


def _cost(side: _Side) -> str:
    return write_cost(side.kept.cost_usd)


def _count(number: int | None) -> str:
    return f"{number:,} tokens" if number is not None else ""


def _thoughts(parts: Sequence[Part]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, ReasoningPart))


def _words(parts: Sequence[Part]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, TextPart | RefusalPart))


def _calls(parts: Sequence[Part]) -> str:
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    return "\n".join(f"{call.name} {call.arguments}" for call in calls)


def _lines(told: str) -> list[str]:
    return shorten(told.strip(), LONGEST_ANSWER).splitlines()


_TOLD: tuple[tuple[str, Callable[[_Side], str]], ...] = (
    ("target", _target),
    ("rule", lambda side: side.kept.rule),
    ("flow", lambda side: side.flow.id),
    ("status", _status),
    ("first token", _first),
    ("end", _end),
    ("read", lambda side: _count(side.usage.input_tokens)),
    ("written", lambda side: _count(side.usage.output_tokens)),
    ("thoughts", lambda side: _count(side.usage.reasoning_tokens)),
    ("cost", _cost),
    ("ended by", lambda side: side.answer.finish_reason or ""),
)
_SAID: tuple[tuple[str, Callable[[Sequence[Part]], str]], ...] = (
    ("thinks", _thoughts),
    ("says", _words),
    ("calls", _calls),
)
