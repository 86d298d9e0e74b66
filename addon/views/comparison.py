"""The view "Detour comparison", and how two answers are compared."""

from __future__ import annotations

from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.neutral import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from addon.views.answers import Answer, answer_of
from addon.views.columns import write_columns
from addon.views.metadata import COMPARISON, Kept, read
from addon.views.overview import write_cost, write_seconds
from addon.views.page import Page, shorten
from addon.views.view import DetourView
from addon.wire.reading import text

WIDTH = 50
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
    """Compare two answers: targets, times, tokens, cost, tool calls, words."""
    flows = one, other
    kept = [read(flow) for flow in flows]
    answers = [answer_of(flow, known) or Answer() for flow, known in zip(flows, kept, strict=True)]
    page = Page()

    def row(name: str, values: list[str]) -> None:
        if any(values):
            write_columns(page, [values[0]], [values[1]], WIDTH, before=f"{name:10} ")

    row(
        "target",
        [known.target or flow.request.pretty_host for flow, known in zip(flows, kept, strict=True)],
    )
    row("rule", [known.rule for known in kept])
    row("flow", [flow.id for flow in flows])
    row("status", [_status(flow, answer) for flow, answer in zip(flows, answers, strict=True)])
    row("first", [_first(known) for known in kept])
    row("end", [_end(flow, known) for flow, known in zip(flows, kept, strict=True)])
    usages = [
        known.known_usage or answer.usage for known, answer in zip(kept, answers, strict=True)
    ]
    row("read", [_count(usage and usage.input_tokens) for usage in usages])
    row("written", [_count(usage and usage.output_tokens) for usage in usages])
    row("thoughts", [_count(usage and usage.reasoning_tokens) for usage in usages])
    row("cost", [write_cost(known.cost_usd) for known in kept])
    row("ended", [answer.finish_reason or "" for answer in answers])
    for name, choose in (("thinks", _thoughts), ("says", _words), ("calls", _calls)):
        told = [choose(answer.parts) for answer in answers]
        if not any(told):
            continue
        page.add()
        same = " (both the same)" if told[0] == told[1] else ""
        page.add(f"{name}{same}:")
        write_columns(page, told[0], [] if same else told[1], WIDTH, before=" " * 11)
    return page.write()


def summarize(one: http.HTTPFlow, other: http.HTTPFlow) -> str:
    """Compare two answers in one line."""
    told: list[str] = []
    for flow in (one, other):
        kept = read(flow)
        answer = answer_of(flow, kept) or Answer()
        usage = kept.known_usage or answer.usage
        written = f", {usage.output_tokens:,} tokens" if usage and usage.output_tokens else ""
        seconds = _end(flow, kept) or "unfinished"
        target = kept.target or flow.request.pretty_host
        told.append(f"{target} {seconds}{written}, {write_cost(kept.cost_usd)}")
    answers = [answer_of(flow, read(flow)) or Answer() for flow in (one, other)]
    words = "same words" if _words(answers[0].parts) == _words(answers[1].parts) else "other words"
    calls = "same calls" if _calls(answers[0].parts) == _calls(answers[1].parts) else "other calls"
    return f"{told[0]} | {told[1]} | {words}, {calls}"


def _status(flow: http.HTTPFlow, answer: Answer) -> str:
    if answer.error is not None:
        return f"{answer.error.kind}: {answer.error.message}"
    return str(flow.response.status_code) if flow.response is not None else "no answer"


def _first(kept: Kept) -> str:
    return write_seconds(kept.first_token) if kept.first_token is not None else ""


def _end(flow: http.HTTPFlow, kept: Kept) -> str:
    if kept.duration is not None:
        return write_seconds(kept.duration)
    ended = flow.response.timestamp_end if flow.response is not None else None
    return write_seconds(ended - flow.request.timestamp_start) if ended is not None else ""


def _count(number: int | None) -> str:
    return f"{number:,}" if number is not None else ""


def _thoughts(parts: tuple[Part, ...]) -> list[str]:
    return _lines("\n".join(part.text for part in parts if isinstance(part, ReasoningPart)))


def _words(parts: tuple[Part, ...]) -> list[str]:
    return _lines(
        "\n".join(part.text for part in parts if isinstance(part, TextPart | RefusalPart))
    )


def _calls(parts: tuple[Part, ...]) -> list[str]:
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    return _lines("\n".join(f"{call.name} {call.arguments}" for call in calls))


def _lines(told: str) -> list[str]:
    return shorten(told.strip(), LONGEST_ANSWER).splitlines()
