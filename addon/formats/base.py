"""What every wire format offers: four roles, and nothing about any other format.

* `parse_request` / `render_request`: the agent's call, from wire to hub and from hub to wire
* `parse_response` / `render_response`: a whole answer
* `decoder` / `encoder`: a streamed answer
* `parse_error` / `render_error`: an error before the answer began

`parse_*` raise `ClientRequestError` or `ProviderResponseError` for what they cannot read;
`render_request` raises `UnsupportedFeature` for content it cannot express. Decoders never raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, get_args

import msgspec

from addon.neutral import ErrorInfo, Event, Loss, Request, Response

type FormatName = Literal["openai-chat", "openai-responses", "anthropic", "gemini"]
FORMAT_NAMES: tuple[FormatName, ...] = get_args(FormatName.__value__)

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
    stream_type: str = "text/event-stream; charset=utf-8"
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


class Format(Protocol):
    """One wire format."""

    @property
    def name(self) -> FormatName:
        """The id used in rules, commands and events."""
        ...

    def parse_request(self, body: bytes, line: RequestLine) -> Request:
        """Read an agent's request.

        Raises:
            ClientRequestError: It is not what the format allows.
        """
        ...

    def render_request(self, request: Request, model: str, dialect: str) -> RenderedBody:
        """Write a request for the provider's `model`.

        The result depends on the arguments alone, and rendering a longer conversation leaves the
        rendering of its beginning unchanged (decision D8).

        Args:
            request: What the agent asks.
            model: The provider's name of the model.
            dialect: Which provider's rendition of the format to write, a provider id.

        Raises:
            UnsupportedFeature: It holds content that the format has no way to express.
        """
        ...

    def rewrite_request(
        self, body: bytes, line: RequestLine, model: str, dialect: str
    ) -> RenderedBody:
        """Adapt a request that is in this format already, in place (decision D3).

        Every byte stays but for the model name and what the provider's `dialect` refuses.

        Raises:
            ClientRequestError: The body is not a JSON object.
        """
        ...

    def reply(self, body: bytes, line: RequestLine) -> Reply:
        """Read from the agent's request what shapes the answer; never raises."""
        ...

    def parse_response(self, body: bytes) -> tuple[Response, tuple[Loss, ...]]:
        """Read a whole answer.

        Raises:
            ProviderResponseError: It is not an answer in this format.
        """
        ...

    def render_response(self, response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
        """Write a whole answer."""
        ...

    def parse_error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        """Read an error answer of whatever shape; never raises and never invents a success."""
        ...

    def find_error(self, body: bytes) -> ErrorInfo | None:
        """Return the error that a body with status 200 holds, or None for a real answer."""
        ...

    def render_error(self, error: ErrorInfo) -> RenderedError:
        """Write an error the way the format's own provider would."""
        ...

    def decoder(self) -> StreamDecoder:
        """Make a reader for one provider stream."""
        ...

    def encoder(self, reply: Reply) -> StreamEncoder:
        """Make a writer for one agent stream."""
        ...

    def only_deltas(self, events: bytes) -> bool:
        """Tell at a glance that whole wire events hold nothing but more of the answer.

        For streams that pass untouched: what neither begins nor ends an answer, nor tells its
        usage, need not be decoded. False is always a safe answer.
        """
        ...

    def repairer(self, dialect: str, reply: Reply) -> StreamRepairer | None:
        """Make a pass-through that mends a provider's dialect, or None where none is needed."""
        ...

    def repair_response(self, body: bytes, dialect: str, reply: Reply) -> bytes:
        """Mend a whole answer for an agent of this format; the same bytes where none is needed."""
        ...


class StreamRepairer(Protocol):
    """Passes a stream of the agent's own format on, mending only what would mislead the agent."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return whole wire events."""
        ...

    def close(self) -> bytes:
        """The provider has closed: return what ends the agent's stream properly."""
        ...
