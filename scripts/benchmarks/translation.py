"""What translation itself costs: CPU time of this process, nothing else running in it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from functools import partial

from addon import StreamTranslator, translate_request, translate_response
from addon.formats.base import FormatName
from benchmarks import answers, conversations
from benchmarks.conversations import CLAUDE, HUGE, LONG, SMALL, TYPICAL, Conversation
from benchmarks.figures import Cost, Section

EVENT_BUDGET = 5.0
"""Microseconds per event of a stream."""
REQUEST_BUDGET = 0.3
"""Milliseconds per request of a usual size."""
GROWTH_BUDGET = 15.0
"""How many times as long ten times as much may take; 10 is linear, the rest is caches and noise."""

CHAT: FormatName = "openai-chat"
ANTHROPIC: FormatName = "anthropic"
DIRECTIONS = ((CHAT, ANTHROPIC), (ANTHROPIC, CHAT), (CHAT, CHAT))

type Progress = Callable[[str], None]


def measure(progress: Progress, *, quick: bool) -> list[Section]:
    """Measure everything about translation."""
    repeats = 3 if quick else 15
    progress("cost per event")
    events = [
        row
        for source, target in DIRECTIONS
        for row in _per_event(source, target, 1000 if quick else 4000, repeats)
    ]
    progress("cost per request")
    requests = [
        _per_request(source, target, conversation, repeats)
        for conversation in (SMALL, TYPICAL, HUGE)
        for source, target in DIRECTIONS
    ]
    requests += [_stream_beginning(repeats), _whole_answer(repeats)]
    progress("growth")
    return [
        Section("events", "Translation, per event of a stream", events),
        Section("requests", "Translation, per request", requests),
        Section("growth", "Growth", _growth(quick=quick)),
    ]


def fastest(action: Callable[[], object], repeats: int, times: int = 1) -> float:
    """Return the CPU seconds of one `action`: the least of some repeats of so many times each."""
    action()
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        began = time.process_time()
        for _ in range(times):
            action()
        best = min(best, time.process_time() - began)
    return best / times


def _per_event(source: FormatName, target: FormatName, length: int, repeats: int) -> list[Cost]:
    events = _stream(source, answers.mixed(length))
    chunkings = {
        "one event at a time": events,
        f"{answers.PIECE // 1024} KiB at a time": answers.in_pieces(events),
    }
    return [
        Cost(
            name=f"{_arrow(source, target)}, {chunking}",
            value=fastest(_translating(source, target, pieces), repeats) / len(events) * 1e6,
            unit="µs",
            budget=EVENT_BUDGET,
        )
        for chunking, pieces in chunkings.items()
    ]


def _per_request(
    source: FormatName, target: FormatName, conversation: Conversation, repeats: int
) -> Cost:
    body = _request(source, conversation)
    huge = conversation is HUGE
    seconds = fastest(
        partial(translate_request, body, source, target, _model(target)),
        repeats=min(repeats, 3) if huge else repeats,
        times=1 if huge else 20,
    )
    return Cost(
        name=f"{_arrow(source, target)}, {_size(body)}, messages: {conversation.messages}",
        value=seconds * 1e3,
        unit="ms",
        budget=None if huge else REQUEST_BUDGET,
    )


def _stream_beginning(repeats: int) -> Cost:
    """What a stream's translator takes from the request that the stream answers."""
    body = _request(CHAT, TYPICAL)
    seconds = fastest(partial(StreamTranslator, ANTHROPIC, CHAT, body), repeats, 20)
    name = f"preparing for the streamed answer of a request of {_size(body)}"
    return Cost(name=name, value=seconds * 1e3, unit="ms")


def _whole_answer(repeats: int) -> Cost:
    body = answers.anthropic_answer(conversations.prose(4000))
    headers = [("content-type", "application/json")]
    assert translate_response(200, headers, body, ANTHROPIC, CHAT)[0] == 200
    translating = partial(translate_response, 200, headers, body, ANTHROPIC, CHAT)
    return Cost(
        name=f"whole answer, {_arrow(ANTHROPIC, CHAT)}, {_size(body)}",
        value=fastest(translating, repeats, 20) * 1e3,
        unit="ms",
        budget=REQUEST_BUDGET,
    )


def _growth(*, quick: bool) -> list[Cost]:
    """Compare an amount with ten times as much."""
    events = 1_000 if quick else 10_000
    size = 100_000 if quick else 400_000
    rows: list[Cost] = []
    for source, target in DIRECTIONS[:2]:
        for kind in ("text", "arguments"):
            streams = [_stream(source, [(kind, events * ten)]) for ten in (1, 10)]
            name = (
                f"stream {_arrow(source, target)}, {events:,} to {events * 10:,} events of {kind}"
            )
            rows.append(_ratio(name, *(_translating(source, target, each) for each in streams)))
    big = (_translating(ANTHROPIC, CHAT, _one_big_event(size * ten)) for ten in (1, 10))
    name = f"one event of {size // 1000} kB to one of {size // 100} kB, 1 KiB at a time"
    rows.append(_ratio(name, *big))
    for source, target in DIRECTIONS[:2]:
        bodies = [_request(source, conversation) for conversation in (LONG, HUGE)]
        calls = (partial(translate_request, body, source, target, CLAUDE) for body in bodies)
        name = f"request {_arrow(source, target)}, {' to '.join(map(_size, bodies))}"
        rows.append(_ratio(name, *calls))
    return rows


def _ratio(name: str, once: Callable[[], object], tenfold: Callable[[], object]) -> Cost:
    ratio = fastest(tenfold, 3) / fastest(once, 5)
    return Cost(name=name, value=ratio, unit="x", budget=GROWTH_BUDGET)


def _translating(
    source: FormatName, target: FormatName, pieces: Sequence[bytes]
) -> Callable[[], None]:
    request = _request(target, SMALL)

    def translate() -> None:
        stream = StreamTranslator(source, target, request)
        for piece in pieces:
            stream.feed(piece)
        stream.close()
        assert stream.finish_reason, "the stream was not understood"

    return translate


def _stream(format_name: FormatName, kinds: answers.Kinds) -> list[bytes]:
    if format_name == ANTHROPIC:
        return answers.anthropic_events(kinds)
    return answers.openai_chat_events(kinds)


def _request(format_name: FormatName, conversation: Conversation) -> bytes:
    if format_name == ANTHROPIC:
        return conversations.anthropic(conversation)
    return conversations.openai_chat(conversation)


def _model(format_name: FormatName) -> str:
    return CLAUDE if format_name == ANTHROPIC else "gpt-5.1-mini"


def _one_big_event(size: int) -> list[bytes]:
    """A stream with a single text delta of so many bytes, in small pieces."""
    events = answers.anthropic_events([("text", 1)])
    delta = {"type": "text_delta", "text": conversations.prose(size)}
    events[2] = answers.anthropic_event("content_block_delta", index=0, delta=delta)
    return answers.in_pieces(events, 1024)


def _arrow(source: FormatName, target: FormatName) -> str:
    return f"{source} unchanged" if source == target else f"{source} → {target}"


def _size(body: bytes) -> str:
    return f"{len(body) / 1e6:.1f} MB" if len(body) >= 1e6 else f"{len(body) / 1e3:.0f} kB"
