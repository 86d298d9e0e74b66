"""What every wire format offers: four roles, and nothing about any other format.

* `parse_request` / `render_request`: the agent's call, from wire to hub and from hub to wire
* `parse_response` / `render_response`: a whole answer
* `decoder` / `encoder`: a streamed answer
* `parse_error` / `render_error`: an error before the answer began

`parse_*` raise `ClientRequestError` or `ProviderResponseError` for what they cannot read;
`render_request` raises `UnsupportedFeature` for content it cannot express. Decoders never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Protocol, get_args

import msgspec

from addon.neutral import (
    ErrorInfo,
    Event,
    FilePart,
    ImagePart,
    InlineMedia,
    Loss,
    Request,
    Response,
    ToolCallPart,
)
from addon.wire.carrier import Carried

type FormatName = Literal["openai-chat", "openai-responses", "anthropic", "gemini"]
FORMAT_NAMES: tuple[FormatName, ...] = get_args(FormatName.__value__)

EVENT_STREAM = "text/event-stream; charset=utf-8"
"""The content type of server-sent events."""

type Headers = tuple[tuple[str, str], ...]


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return the value of the first header called `name` (any case)."""
    name = name.lower()
    return next((value for key, value in headers if key.lower() == name), None)


class RequestLine(msgspec.Struct, frozen=True):
    """The part of a request that some formats keep words in (Gemini: model and streaming)."""

    path: str = ""
    """Path without query, such as `/v1/chat/completions`."""
    query: str = ""


class RenderedBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the wire format of the provider, without place and key."""

    path: str
    """What follows the base URL, query included, such as `/chat/completions`."""
    headers: Headers
    """Headers that the format itself demands, such as `anthropic-version`; never a key."""
    body: bytes
    losses: tuple[Loss, ...] = ()
    origin: str = ""
    """Who makes the answer, where opaque state in it holds for such a request only."""


class RenderedError(msgspec.Struct, frozen=True):
    """An error in the wire format of the agent."""

    status: int
    headers: Headers
    body: bytes


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent's own request says about the answer it expects.

    Replaces clocks and randomness too, so that an encoder's output depends on its input alone.
    """

    model: str | None = None
    """The model name that the agent used and wants to see again; None: show the provider's."""
    created: int = 0
    """Unix time in seconds, shown by formats that carry one."""
    include_usage: bool = True
    """Whether a Chat stream ends in a usage chunk."""
    legacy_functions: bool = False
    """Whether the agent speaks Chat's `functions`, from before `tools`."""
    custom_tools: frozenset[str] = frozenset()
    """Names of the tools that the agent declared as custom (free text)."""
    stream: bool = False
    """Whether the agent asked for a stream."""
    stream_type: str = EVENT_STREAM
    """The content type under which the agent expects a stream."""
    json_answer: bool = False
    """Whether the agent asked for an answer that is one JSON value and nothing else."""
    extensions: Mapping[str, Any] = {}
    """Further wishes, read only by the format that put them there."""


class StreamDecoder(Protocol):
    """Reads a provider's stream. Never raises, whatever the bytes."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, cut anywhere, and return the events that they complete."""
        ...

    def feed_eof(self) -> list[Event]:
        """The provider has closed: return nothing after a terminal event, else one at the end."""
        ...

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be expressed as events, so far."""
        ...


class StreamEncoder(Protocol):
    """Writes the agent's stream."""

    def encode(self, event: Event) -> bytes:
        """Return whole wire events, or `b""` when the format has nothing to say."""
        ...

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the agent's format had no place for, so far."""
        ...


class Continuation(Protocol):
    """Goes on with an answer that the provider suspends before it is whole."""

    @property
    def joins_text(self) -> bool:
        """Whether an answer may be suspended amid its words."""
        ...

    def feed(self, data: bytes) -> None:
        """Read along with the provider's stream."""
        ...

    def read_whole(self, body: bytes) -> None:
        """Read an answer that was not streamed."""
        ...

    def follow_up(self) -> bytes | None:
        """At the end of an answer, return the body that asks for the rest; None: it is whole."""
        ...


class StreamRepairer(Protocol):
    """Passes a stream of the agent's own format on, mending only what would mislead the agent."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return whole wire events."""
        ...

    def close(self) -> bytes:
        """The provider has closed: return what ends the agent's stream properly."""
        ...


class Past(Protocol):
    """What is known of the earlier turns of a conversation, beside what the agent returns."""

    def foreign(self, states: Iterable[str]) -> Collection[str]:
        """Return those of these opaque states that the destination did not make."""
        ...

    def recall(self, turns: Iterable[Iterable[ToolCallPart]]) -> list[tuple[Carried, ...]]:
        """Return what is kept of each turn, which is named by its calls; empty where nothing is."""
        ...


def _never(events: bytes) -> bool:
    del events
    return False


def _binds_nothing(model: str) -> bool:
    del model
    return False


def _fits_anywhere(passed: bytes, frame: bytes) -> bytes:
    del passed
    return frame


def _needs_no_repairer(dialect: str, reply: Reply) -> StreamRepairer | None:
    del dialect, reply


def _fits_already(body: bytes, model: str, dialect: str, past: Past) -> bytes:
    del model, dialect, past
    return body


def _nothing_to_take_out(body: bytes, error: bytes) -> bytes | None:
    del body, error


def _wants_nothing(model: str, dialect: str) -> Literal["nothing", "calls", "words"]:
    del model, dialect
    return "nothing"


def _never_suspended(body: bytes, model: str) -> Continuation | None:
    del body, model


def _fetches_all(part: ImagePart | FilePart, model: str, dialect: str) -> bool:
    del part, model, dialect
    return True


def _keep_addresses(body: bytes, media: Mapping[str, InlineMedia]) -> bytes:
    del media
    return body


def _as_it_is(body: bytes, dialect: str, reply: Reply) -> bytes:
    del dialect, reply
    return body


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One wire format: its id, and the functions that each role is played by."""

    name: FormatName
    """The id used in rules, commands and events."""

    parse_request: Callable[[bytes, RequestLine], Request]
    """Read an agent's request.

    Raises `ClientRequestError`: it is not what the format allows.
    """
    render_request: Callable[[Request, str, str], RenderedBody]
    """Write a request for the provider's model; arguments: request, model, dialect.

    The dialect says which provider's rendition of the format to write, by provider id. The result
    depends on the arguments alone, and rendering a longer conversation leaves the rendering of its
    beginning unchanged (decision D8).

    Raises `UnsupportedFeature`: it holds content that the format has no way to express.
    """
    rewrite_request: Callable[[bytes, RequestLine, str, str], RenderedBody]
    """Adapt a request that is in this format already; arguments: body, line, model, dialect.

    Every byte stays but for the model name and what the provider's dialect refuses (decision D3).

    Raises `ClientRequestError`: the body is not a JSON object.
    """
    refit_request: Callable[[bytes, str, str, Past], bytes] = _fits_already
    """Adapt what earlier turns left in a request of this format.

    Arguments: body, model, dialect, past.

    State that another provider made is taken out, and what the agent did not return is put back;
    every other byte stays. A body that cannot be read is returned as it is.
    """
    binds_state: Callable[[str], bool] = _binds_nothing
    """Tell of a model whether its opaque state holds for one system prompt and one set of tools."""
    without_refused_state: Callable[[bytes, bytes], bytes | None] = _nothing_to_take_out
    """Return a request without what its provider has refused; arguments: request, error.

    For state that turns out to be void: None where the error is about something else.
    """
    wants_back: Callable[[str, str], Literal["nothing", "calls", "words"]] = _wants_nothing
    """Tell what a provider wants to see again of earlier turns; arguments: model, dialect.

    `calls`: what led to tool calls; `words`: also what came with words alone.
    """
    fetches: Callable[[ImagePart | FilePart, str, str], bool] = _fetches_all
    """Tell whether the provider reads a medium at its address; arguments: part, model, dialect."""
    inline_media: Callable[[bytes, Mapping[str, InlineMedia]], bytes] = _keep_addresses
    """Put media in the place of their addresses in a request that is in this format already."""
    reply: Callable[[bytes, RequestLine], Reply]
    """Read from the agent's request what shapes the answer; never raises."""

    parse_response: Callable[[bytes], tuple[Response, tuple[Loss, ...]]]
    """Read a whole answer.

    Raises `ProviderResponseError`: it is not an answer in this format.
    """
    render_response: Callable[[Response, Reply], tuple[bytes, tuple[Loss, ...]]]
    """Write a whole answer."""

    parse_error: Callable[[int, Headers, bytes], ErrorInfo]
    """Read an error answer of whatever shape; never raises and never invents a success."""
    find_error: Callable[[bytes], ErrorInfo | None]
    """Return the error that a body with status 200 holds, or None for a real answer."""
    render_error: Callable[[ErrorInfo], RenderedError]
    """Write an error the way the format's own provider would."""

    decoder: Callable[[], StreamDecoder]
    """Make a reader for one provider stream."""
    encoder: Callable[[Reply], StreamEncoder]
    """Make a writer for one agent stream."""

    continuation: Callable[[bytes, str], Continuation | None] = _never_suspended
    """Return what goes on with the answer to a request; arguments: its body, the model.

    None where the provider never suspends its answers.
    """
    only_deltas: Callable[[bytes], bool] = _never
    """Tell at a glance that whole wire events hold nothing but more of the answer.

    For streams that pass untouched: what neither begins nor ends an answer, nor tells its usage,
    need not be decoded. False is always a safe answer.
    """
    follow: Callable[[bytes, bytes], bytes] = _fits_anywhere
    """Fit an end of our own to a stream that passed untouched; arguments: events passed last, end.

    For formats whose events are numbered through.
    """
    repairer: Callable[[str, Reply], StreamRepairer | None] = _needs_no_repairer
    """Make a pass-through that mends a provider's dialect, or None where none is needed."""
    repair_response: Callable[[bytes, str, Reply], bytes] = _as_it_is
    """Mend a whole answer for an agent of this format; the same bytes where none is needed."""


class TokenCounting(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a format in which an agent asks how many tokens a request would have.

    The request is one for an answer, with fewer fields and at an address of its own.
    """

    fields: frozenset[str]
    """The fields of a request for an answer that may stand in one for a count."""
    parse_request: Callable[[bytes, RequestLine], Request]
    """Read an agent's request; like `Format.parse_request`."""
    render_request: Callable[[Request, str, str], RenderedBody]
    """Write a request for the provider's model; like `Format.render_request`."""
    rewrite_request: Callable[[bytes, RequestLine, str, str], RenderedBody]
    """Adapt a request that is in this format already; like `Format.rewrite_request`."""
    parse_count: Callable[[bytes], int | None]
    """Read the provider's answer; None where it is none."""
    render_count: Callable[[int], bytes]
    """Write the answer for the agent."""
