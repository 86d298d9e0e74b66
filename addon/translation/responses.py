"""Translate a whole answer, or an error in its place."""

from __future__ import annotations

from addon.formats import FORMATS, find_format
from addon.formats.base import FormatName, Headers, RenderedError, Reply, RequestLine
from addon.neutral import ErrorInfo, Loss, ProviderResponseError, Response, fold, unfold
from addon.translation.json_fence import strip_response
from addon.translation.remembering import Recorder

_HOP_HEADERS = frozenset(
    (
        "connection",
        "content-encoding",
        "content-length",
        "keep-alive",
        "transfer-encoding",
        "set-cookie",
    )
)


class Translated:
    """An answer for the agent."""

    __slots__ = ("body", "headers", "losses", "response", "status")

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        losses: tuple[Loss, ...] = (),
        response: Response | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.losses = losses
        self.response = response
        """The answer in neutral words, for those who count tokens; None for an error."""


def translate_response(
    status: int,
    headers: Headers | list[tuple[str, str]],
    body: bytes,
    source: FormatName,
    target: FormatName,
    request: bytes | None = None,
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Translate a whole answer.

    Args:
        status: The provider's HTTP status.
        headers: The provider's headers.
        body: The provider's body, decompressed.
        source: The format that the provider speaks.
        target: The format that the agent speaks.
        request: The agent's request, which says how the answer is to be shaped.

    Returns:
        Status, headers and body for the agent. A body that cannot be read becomes an error.

    Raises:
        DetourError: A format is unknown.
    """
    for name in (source, target):
        find_format(name)
    answer = translate_response_for(status, tuple(headers), body, source, target, request)
    return answer.status, list(answer.headers), answer.body


def translate_response_for(
    status: int,
    headers: Headers,
    body: bytes,
    source: FormatName,
    target: FormatName,
    request: bytes | None = None,
    *,
    line: RequestLine = RequestLine(),  # noqa: B008 - immutable
    dialect: str | None = None,
    reply: Reply | None = None,
    recorder: Recorder | None = None,
) -> Translated:
    """Do the same for a known call; also return the losses and the answer in neutral words.

    With a `dialect`, an answer in the agent's own format is mended where the provider bends it.
    With a `reply`, `request` and `line` are not asked what shapes the answer. A `recorder` keeps
    what the provider will want to see again.
    """
    provider = FORMATS[source]
    if status >= 400:
        return failure(provider.parse_error(status, headers, body), target)
    error = provider.find_error(body)
    if error is not None:
        return failure(error, target)
    try:
        response, losses = provider.parse_response(body)
    except ProviderResponseError as problem:
        if source == target:
            return Translated(status, _kept_headers(headers), body)
        return failure(problem.to_error_info(), target)
    if recorder is not None:
        response = recorder.watch_response(response)
    if reply is None:
        reply = FORMATS[target].reply(request or b"{}", line)
    if source == target:
        if dialect is not None:
            body = provider.repair_response(body, dialect, reply)
        return Translated(status, _kept_headers(headers), body, response=response)
    return render_answer(response, losses, target, reply)


def render_answer(
    response: Response, losses: tuple[Loss, ...], target: FormatName, reply: Reply
) -> Translated:
    """Write an answer for the agent; one that broke off becomes an error."""
    if response.finish_reason == "error":
        message = f"the provider broke its answer off: {response.raw_finish_reason or 'error'}"
        return failure(ErrorInfo("server_error", message), target)
    if reply.json_answer:
        response = strip_response(response)
    body, more = FORMATS[target].render_response(response, reply)
    headers: Headers = (("content-type", "application/json"),)
    return Translated(200, headers, body, (*losses, *more), response)


def render_error(error: ErrorInfo, agent_format: FormatName) -> RenderedError:
    """Write an error in the agent's format."""
    return FORMATS[agent_format].render_error(error)


def failure(error: ErrorInfo, target: FormatName) -> Translated:
    """Write an error in the place of an answer."""
    rendered = render_error(error, target)
    return Translated(rendered.status, rendered.headers, rendered.body)


def stream_from_answer(
    response: Response, target: FormatName, reply: Reply
) -> tuple[bytes, tuple[Loss, ...]]:
    """Write a whole answer as a stream, for a provider that did not stream though asked to."""
    if reply.json_answer:
        response = strip_response(response)
    encoder = FORMATS[target].encoder(reply)
    return b"".join(encoder.encode(event) for event in unfold(response)), encoder.losses


def answer_from_stream(
    body: bytes, source: FormatName, target: FormatName, reply: Reply
) -> Translated:
    """Write a whole answer from a stream, for a provider that streamed though not asked to."""
    decoder = FORMATS[source].decoder()
    folded = fold(decoder.feed(body) + decoder.feed_eof())
    if isinstance(folded, ErrorInfo):
        return failure(folded, target)
    return render_answer(folded, decoder.losses, target, reply)


def _kept_headers(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() not in _HOP_HEADERS)
