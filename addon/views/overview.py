"""The view "Detour": what Detour did with a call, why, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.neutral import Usage
from addon.views.answers import answer_of
from addon.views.metadata import Kept
from addon.views.page import Page, shorten
from addon.views.view import NOT_OURS, DetourView

LABEL = 11
"""Characters that names of lines take."""
_ACTIONS = {
    "pass": "passes as it is",
    "refuse": "refused by Detour",
    "answer": "answered by Detour itself",
    "socket": "a WebSocket; each of its responses is a flow of its own",
}


class OverviewView(DetourView):
    """Shows agent, rule, target, attempts, times, tokens, cost and losses of an exchange."""

    title = "Detour"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write what is known by now."""
        del data, metadata
        if not kept.action:
            return NOT_OURS
        page = Page()
        usage = _usage(flow, kept)
        page.add(f"# {_headline(flow, kept)}")
        page.add()
        _write_call(page, flow, kept)
        _write_rule(page, kept)
        _write_target(page, flow, kept)
        page.add()
        _write_times(page, flow, kept, usage)
        _write_usage(page, kept, usage)
        if kept.losses:
            page.add()
            page.add("losses:")
            for loss in kept.losses:
                page.add(f"- {loss.field}: {loss.action}  # {loss.reason}", 2)
        elif kept.action == "route":
            _line(page, "losses", "none")
        if kept.replay_of:
            _line(page, "replay of", f"flow {kept.replay_of}")
        if kept.socket:
            _line(page, "carried by", f"the WebSocket of flow {kept.socket}")
        return page.write()

    @override
    def fits(self, flow: http.HTTPFlow, kept: Kept, metadata: Metadata) -> float:
        """Fit an answer that says only that something went wrong."""
        message = metadata.http_message
        failed = isinstance(message, http.Response) and message.status_code >= 400
        return 3 if kept.action and failed else -1


def write_cost(dollars: float | None) -> str:
    """Write a price so that small ones still say something."""
    if dollars is None:
        return "unknown"
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.6f}".rstrip("0").ljust(5, "0")


def write_seconds(seconds: float) -> str:
    """Write a time: `85 ms`, `1.24 s`, `2 min 05 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


def _headline(flow: http.HTTPFlow, kept: Kept) -> str:
    asked = kept.requested_model or kept.endpoint or flow.request.path
    target = f" -> {kept.target}" if kept.target else ""
    return f"{asked}{target}: {_state(flow, kept)}"


def _state(flow: http.HTTPFlow, kept: Kept) -> str:
    if kept.action == "refuse":
        return "refused"
    if flow.error is not None:
        return f"broken off ({flow.error.msg})"
    if kept.error:
        return "failed"
    if flow.response is None:
        return "waiting for the answer" if flow.live else "not answered"
    if flow.live and flow.response.timestamp_end is None:
        return "still answering"
    return f"answered with status {flow.response.status_code}"


def _line(page: Page, name: str, value: str) -> None:
    label = f"{name}:" if name else ""
    page.add(f"{label:{LABEL}} {value}")


def _write_call(page: Page, flow: http.HTTPFlow, kept: Kept) -> None:
    if kept.agent:
        phase = f", phase {kept.phase}" if kept.phase not in ("", "other") else ""
        _line(page, "agent", f"{kept.agent}{phase}")
    called = kept.original
    line = f"{called.method} {called.url}" if called else _called(flow)
    how = [kept.agent_format, "streamed" if kept.stream else ""]
    told = ", ".join(word for word in how if word)
    _line(page, "called", f"{shorten(line, 400)}" + (f"  # {told}" if told else ""))


def _called(flow: http.HTTPFlow) -> str:
    return f"{flow.request.method} {flow.request.pretty_url}"


def _write_rule(page: Page, kept: Kept) -> None:
    if kept.rule:
        _line(page, "rule", kept.rule)
    for rule, reason in kept.why:
        _line(page, "", f"# not {rule}: {reason}")


def _write_target(page: Page, flow: http.HTTPFlow, kept: Kept) -> None:
    if kept.action in _ACTIONS:
        _line(page, "action", _ACTIONS[kept.action])
    elif kept.target:
        sent = kept.sent.url if kept.sent else flow.request.pretty_url
        spoken = f"  # {kept.format}" if kept.format else ""
        _line(page, "sent to", f"{kept.target} at {shorten(sent, 400)}{spoken}")
    if len(kept.attempts) > 1 or any(attempt.error for attempt in kept.attempts):
        page.add("attempts:")
        for attempt in kept.attempts:
            seconds = f" after {write_seconds(attempt.seconds)}" if attempt.seconds else ""
            came = f"failed{seconds}  # {attempt.error}" if attempt.error else f"answered{seconds}"
            page.add(f"- {attempt.target}: {came}", 2)
    if kept.error:
        _line(page, "error", kept.error)
    if kept.request_id:
        _line(page, "request id", f"{kept.request_id}  # the provider's name for the call")


def _write_times(page: Page, flow: http.HTTPFlow, kept: Kept, usage: Usage | None) -> None:
    duration = _duration(flow, kept)
    times = [
        f"{name} {write_seconds(seconds)}"
        for name, seconds in (
            ("first byte", kept.first_byte),
            ("first token", kept.first_token),
            ("end", duration),
        )
        if seconds is not None
    ]
    began = kept.first_token
    if usage is not None and usage.output_tokens and duration and began and duration > began:
        times.append(f"{usage.output_tokens / (duration - began):,.0f} tokens/s")
    if times:
        _line(page, "times", ", ".join(times))


def _duration(flow: http.HTTPFlow, kept: Kept) -> float | None:
    if kept.duration is not None or flow.response is None:
        return kept.duration
    ended = flow.response.timestamp_end
    return ended - flow.request.timestamp_start if ended is not None else None


def _usage(flow: http.HTTPFlow, kept: Kept) -> Usage | None:
    """Return the tokens that are known; where the engine did not count, what the answer says."""
    if kept.usage or kept.action != "pass":
        return kept.known_usage
    answer = answer_of(flow, kept)
    return answer.usage if answer is not None else None


def _write_usage(page: Page, kept: Kept, usage: Usage | None) -> None:
    if usage is None:
        return
    told = ", ".join(f"{count:,} {name}" for name, count in _counts(usage) if count is not None)
    if told:
        _line(page, "tokens", told)
    if kept.action == "route":
        _line(page, "cost", write_cost(kept.cost_usd))


def _counts(usage: Usage) -> Iterator[tuple[str, int | None]]:
    yield "read", usage.input_tokens
    yield "of them from the cache", usage.cache_read_tokens or None
    yield "of them into the cache", usage.cache_write_tokens or None
    yield "written", usage.output_tokens
    yield "of them thoughts", usage.reasoning_tokens or None
