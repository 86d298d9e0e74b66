"""What translation itself costs: CPU time of this process, nothing else running in it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from functools import partial

from addon import StreamTranslator, translate_response
from addon.commands.collector import calm_collector
from addon.formats.base import FormatName
from addon.providers import BUILT_IN, Destination
from addon.translation import DEFAULT_PROVIDER, render_for
from benchmarks import answers, conversations, directions
from benchmarks.conversations import HUGE, LONG, SMALL, TYPICAL, Conversation, New, another
from benchmarks.directions import DIRECTIONS, LINES, MODELS, Direction, arrow
from benchmarks.figures import Cost, Costs, Section

EVENT_BUDGET = 5.0
"""Microseconds per event of a stream."""
REQUEST_BUDGET = 0.3
"""Milliseconds per request of a usual size."""
GROWTH_BUDGET = 15.0
"""How many times as long ten times as much may take; 10 is linear, the rest is caches and noise."""

CHAT: FormatName = "openai-chat"
ANTHROPIC: FormatName = "anthropic"

_WARMING_UP = 3
"""Requests after which a conversation is known."""

type Progress = Callable[[str], None]


def measure(progress: Progress, *, quick: bool) -> list[Section]:
    """Measure everything about translation."""
    calm_collector()
    repeats = 3 if quick else 15
    progress("cost per event")
    streams = _per_event(1000 if quick else 4000, repeats)
    progress("cost per request")
    requests = [_per_request(direction, repeats) for direction in DIRECTIONS]
    details = [_stream_beginning(repeats), _whole_answer(repeats)]
    progress("growth")
    growth = [_growth(direction, quick=quick) for direction in DIRECTIONS]
    return [
        Section("events", "Translation, per event of a stream", streams),
        Section("requests", "Translation, per request", requests),
        Section("answers", "Translation, per answer", details),
        Section("growth", "Growth", growth),
        Section("one_event", "Growth of one event", [_one_event(quick=quick)]),
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


def _per_event(length: int, repeats: int) -> list[Costs]:
    rows: list[Costs] = []
    for source, target in DIRECTIONS:
        events = directions.stream(source, answers.mixed(length))
        chunkings = {
            "one event at a time": events,
            f"{answers.PIECE // 1024} KiB at a time": answers.in_pieces(events),
        }
        values: dict[str, float | None] = {
            name: fastest(_translating(source, target, pieces), repeats) / len(events) * 1e6
            for name, pieces in chunkings.items()
        }
        rows.append(Costs(arrow((source, target)), values, "µs", EVENT_BUDGET))
    return rows


def _per_request(direction: Direction, repeats: int) -> Costs:
    times = 20
    count = (repeats + 1) * times
    values: dict[str, float | None] = {
        about: 1e3 * fastest(_rendering(direction, conversation, new, count), repeats, times)
        for conversation, new, about in (
            (SMALL, "all", "2 kB, all new"),
            (TYPICAL, "all", "24 kB, 30 messages, all new"),
            (TYPICAL, "one", "24 kB, 30 messages, one new"),
        )
    }
    return Costs(arrow(direction), values, "ms", REQUEST_BUDGET)


def _stream_beginning(repeats: int) -> Cost:
    """What a stream's translator takes from the request that the stream answers."""
    body = directions.request(CHAT, TYPICAL)
    seconds = fastest(partial(StreamTranslator, ANTHROPIC, CHAT, body), repeats, 20)
    name = f"preparing for the streamed answer of a request of {_size(body)}"
    return Cost(name=name, value=seconds * 1e3, unit="ms")


def _whole_answer(repeats: int) -> Cost:
    body = answers.anthropic_answer(conversations.prose(4000))
    headers = [("content-type", "application/json")]
    assert translate_response(200, headers, body, ANTHROPIC, CHAT)[0] == 200
    translating = partial(translate_response, 200, headers, body, ANTHROPIC, CHAT)
    return Cost(
        name=f"whole answer, {arrow((ANTHROPIC, CHAT))}, {_size(body)}",
        value=fastest(translating, repeats, 20) * 1e3,
        unit="ms",
        budget=REQUEST_BUDGET,
    )


def _growth(direction: Direction, *, quick: bool) -> Costs:
    """Compare an amount with ten times as much."""
    source, target = direction
    events = 500 if quick else 10_000
    values: dict[str, float | None] = {}
    for kind in ("text", "arguments"):
        streams = [directions.stream(source, [(kind, events * ten)]) for ten in (1, 10)]
        column = f"{events:,} to {events * 10:,} events of {kind}"
        values[column] = _ratio(*(_translating(source, target, each) for each in streams))
    sizes = (TYPICAL, LONG) if quick else (LONG, HUGE)
    for new in ("all", "one"):
        column = "request, {} to {} messages, {} new".format(
            *(each.messages for each in sizes), new
        )
        values[column] = _ratio(*(_rendering(direction, each, new, 10) for each in sizes))
    return Costs(arrow(direction), values, "x", GROWTH_BUDGET)


def _one_event(*, quick: bool) -> Cost:
    size = 100_000 if quick else 400_000
    big = (_translating(ANTHROPIC, CHAT, _one_big_event(size * ten)) for ten in (1, 10))
    name = f"one event of {size // 1000} kB to one of {size // 100} kB, 1 KiB at a time"
    return Cost(name=name, value=_ratio(*big), unit="x", budget=GROWTH_BUDGET)


def _ratio(once: Callable[[], object], tenfold: Callable[[], object]) -> float:
    return fastest(tenfold, 2) / fastest(once, 5)


def _translating(
    source: FormatName, target: FormatName, pieces: Sequence[bytes]
) -> Callable[[], None]:
    request = directions.request(target, SMALL)

    def translate() -> None:
        stream = StreamTranslator(source, target, request, line=LINES[target])
        for piece in pieces:
            stream.feed(piece)
        stream.close()
        assert stream.finish_reason, "the stream was not understood"

    return translate


def _rendering(
    direction: Direction, conversation: Conversation, new: New, count: int
) -> Callable[[], object]:
    """Prepare to translate requests, another one each time.

    Args:
        direction: From which format, and to which.
        conversation: What the requests are like.
        new: What of them came with none before.
        count: How many requests are needed.
    """
    source, target = direction
    requests = iter(
        [directions.request(source, another(conversation, new)) for _ in range(count + _WARMING_UP)]
    )
    provider = BUILT_IN[DEFAULT_PROVIDER[target]]
    place = Destination(provider, target, provider.base_urls[target], MODELS[target])

    def render() -> None:
        render_for(source, next(requests), LINES[source], place)

    for _ in range(_WARMING_UP):
        render()
    return render


def _one_big_event(size: int) -> list[bytes]:
    """A stream with a single text delta of so many bytes, in small pieces."""
    events = answers.anthropic_events([("text", 1)])
    delta = {"type": "text_delta", "text": conversations.prose(size)}
    events[2] = answers.anthropic_event("content_block_delta", index=0, delta=delta)
    return answers.in_pieces(events, 1024)


def _size(body: bytes) -> str:
    return f"{len(body) / 1e6:.1f} MB" if len(body) >= 1e6 else f"{len(body) / 1e3:.0f} kB"
