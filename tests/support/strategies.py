"""Hypothesis strategies for the hub's values and for cutting bytes."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from addon.neutral import (
    ErrorInfo,
    Event,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
    Usage,
)

words = st.text(max_size=12)
json_text = st.sampled_from(["{}", '{"a":1}', '{"path":"ü","n":[1,2]}', '{"x":{"y":null}}'])
counts = st.integers(0, 10_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usage whose parts fit in their totals."""
    read, written, fresh = draw(counts), draw(counts), draw(counts)
    thought, said = draw(counts), draw(counts)
    return Usage(read + written + fresh, read, written, thought + said, thought)


@st.composite
def event_streams(draw: st.DrawFn, *, state_format: str = "anthropic") -> list[Event]:
    """Legal streams whose parts may overlap."""
    events: list[Event] = [ResponseStart("r1", "model-1")]
    count = draw(st.integers(0, 5))
    bodies: list[list[Event]] = []
    for index in range(count):
        kind = draw(st.sampled_from(["text", "reasoning", "tool_call"]))
        body: list[Event] = []
        if kind == "text":
            body.append(PartStart(index, "text"))
            body += [TextDelta(index, text) for text in draw(st.lists(words, max_size=3)) if text]
        elif kind == "reasoning":
            body.append(PartStart(index, "reasoning"))
            body += [
                ReasoningDelta(index, text) for text in draw(st.lists(words, max_size=3)) if text
            ]
            if draw(st.booleans()):
                body.append(SignatureDelta(index, OpaqueState(state_format, "c2ln")))
        else:
            body.append(PartStart(index, "tool_call", f"call_{index}", "tool"))
            arguments = draw(json_text)
            cut = draw(st.integers(0, len(arguments)))
            body += [
                ToolCallDelta(index, piece) for piece in (arguments[:cut], arguments[cut:]) if piece
            ]
        body.append(PartEnd(index))
        bodies.append(body)
    open_bodies: list[list[Event]] = []
    while bodies or open_bodies:
        if bodies and (not open_bodies or draw(st.booleans())):
            body = bodies.pop(0)
            events.append(body.pop(0))
            open_bodies.append(body)
        else:
            body = open_bodies[draw(st.integers(0, len(open_bodies) - 1))]
            events.append(body.pop(0))
            if not body:
                open_bodies.remove(body)
    if draw(st.integers(0, 4)) == 0:
        return [*events, StreamError(ErrorInfo("overloaded", "Overloaded"))]
    has_call = any(isinstance(event, PartStart) and event.kind == "tool_call" for event in events)
    reason = "tool_calls" if has_call else draw(st.sampled_from(["stop", "length"]))
    return [*events, ResponseEnd(reason, usage=draw(usages()))]


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """One way of cutting bytes into chunks, empty ones included."""
    ways = st.lists(st.integers(0, len(data)), max_size=12)
    places = sorted(draw(ways))
    edges = [0, *places, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def merged(events: list[Event]) -> list[Event]:
    """Join adjacent deltas of one part, so that comparisons do not depend on the cutting."""
    result: list[Event] = []
    for event in events:
        last = result[-1] if result else None
        if (
            isinstance(event, TextDelta | ReasoningDelta)
            and type(last) is type(event)
            and last.index == event.index
        ):
            result[-1] = type(event)(event.index, last.text + event.text)
        elif (
            isinstance(event, ToolCallDelta)
            and isinstance(last, ToolCallDelta)
            and last.index == event.index
        ):
            result[-1] = ToolCallDelta(event.index, last.arguments + event.arguments)
        else:
            result.append(event)
    return result


_NAMES_IN_LISTS = (
    *("id", "name", "data", "models", "meta", "type", "parent", "status", "architecture"),
    *("capabilities", "model_info", "parameters", "modalities", "default_generation_settings"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_NAMES_IN_LISTS), inner, max_size=3)
    ),
    max_leaves=12,
)
"""What servers might say where they are asked for their models."""
