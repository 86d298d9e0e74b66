"""A streamed answer as nine kinds of events.

    ResponseStart (PartStart | delta | PartEnd)* ResponseEnd
    any prefix of that, then StreamError

Every delta names its part by the hub's own index: 0, 1, 2, ... in order of first appearance.
Parts may overlap (Chat's parallel tool calls interleave). Usage and finish reason come with
`ResponseEnd`: decoders hold them until the wire's own end, so that no encoder faces a question of
order. `grammar` states the rules as a table and checks them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from addon.neutral.errors import ErrorInfo
from addon.neutral.parts import Citation, HostedCallPart, OpaqueState, ToolCallKind
from addon.neutral.response import FinishReason, Usage

type PartKind = Literal["text", "reasoning", "refusal", "tool_call", "hosted_call"]


class ResponseStart(msgspec.Struct, frozen=True, gc=False):
    """The provider has begun to answer; always the first event, except for `StreamError`."""

    id: str
    model: str
    usage: Usage | None = None
    """What is known of the usage so far, for formats that report input tokens at the start."""


class PartStart(msgspec.Struct, frozen=True, gc=False):
    """A new part begins."""

    index: int
    kind: PartKind
    call_id: str = ""
    """For `tool_call`: the id that its result will name; never empty."""
    name: str = ""
    """For `tool_call` and `hosted_call`: the tool's name."""
    call_kind: ToolCallKind = "function"


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """More words of a `text` or `refusal` part."""

    index: int
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """More readable thought of a `reasoning` part."""

    index: int
    text: str


class SignatureDelta(msgspec.Struct, frozen=True, gc=False):
    """Opaque state of a part, whole; the last one given for a part counts.

    Most providers sign `reasoning` parts; Gemini signs `text` and `tool_call` parts.
    """

    index: int
    state: OpaqueState


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    """More of a tool call's arguments, as JSON text cut anywhere."""

    index: int
    arguments: str


class PartEnd(msgspec.Struct, frozen=True, gc=False):
    """A part is complete."""

    index: int
    citations: tuple[Citation, ...] = ()
    """Sources of a `text` part, known only now."""
    hosted: HostedCallPart | None = None
    """All of a `hosted_call`, which has no deltas; None when nobody learned what came of it."""


class ResponseEnd(msgspec.Struct, frozen=True, gc=False):
    """The answer is complete; the last event."""

    finish_reason: FinishReason
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    usage: Usage | None = None


class StreamError(msgspec.Struct, frozen=True, gc=False):
    """The answer broke off; the last event. Parts may still be open."""

    error: ErrorInfo


type Event = (
    ResponseStart
    | PartStart
    | TextDelta
    | ReasoningDelta
    | SignatureDelta
    | ToolCallDelta
    | PartEnd
    | ResponseEnd
    | StreamError
)
