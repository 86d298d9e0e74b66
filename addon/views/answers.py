"""The answer that a flow holds, read from the agent's own format, also while it grows."""

from __future__ import annotations

import msgspec
from mitmproxy import http

from addon.formats import FORMATS, format_for_path
from addon.formats.base import FormatName
from addon.neutral import (
    ErrorInfo,
    FinishReason,
    Part,
    ProviderResponseError,
    Usage,
    gather,
)
from addon.views.metadata import Kept, content_of

LONGEST_STREAM = 4 << 20
"""Bytes of a stream that are read."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, as far as it can be told."""

    parts: tuple[Part, ...] = ()
    model: str = ""
    finish_reason: FinishReason | None = None
    """Why the model stopped; None: it has not, or nobody knows."""
    usage: Usage | None = None
    error: ErrorInfo | None = None
    left_out: int = 0
    """Bytes that were not read."""


def format_of(flow: http.HTTPFlow, kept: Kept) -> FormatName | None:
    """Name the format that the agent of a flow speaks; None where nobody knows."""
    if kept.agent_format in FORMATS:
        return kept.agent_format
    if kept.action:
        return None
    found = format_for_path(flow.request.path.partition("?")[0])
    return found[0] if found else None


def answer_of(flow: http.HTTPFlow, kept: Kept) -> Answer | None:
    """Read the answer of a flow; None where there is none that is a model's."""
    spoken, response = format_of(flow, kept), flow.response
    if spoken is None or response is None:
        return None
    headers = tuple(
        (name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
        for name, value in response.headers.fields
    )
    ended = not flow.live or response.timestamp_end is not None
    return read_answer(spoken, response.status_code, headers, content_of(response), ended=ended)


def read_answer(
    spoken: FormatName,
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    *,
    ended: bool,
) -> Answer | None:
    """Read an answer in a format; None where it is not one."""
    speaker = FORMATS[spoken]
    if status >= 400:
        return Answer(error=speaker.parse_error(status, headers, body))
    start = body[:64].lstrip()[:1]
    if not start:
        return Answer()
    if start == b"{":
        if (error := speaker.find_error(body)) is not None:
            return Answer(error=error)
        try:
            response, _ = speaker.parse_response(body)
        except ProviderResponseError:
            return None
        return Answer(
            parts=response.parts,
            model=response.model,
            finish_reason=response.finish_reason,
            usage=response.usage,
        )
    decoder = speaker.decoder()
    events = decoder.feed(body[:LONGEST_STREAM])
    left_out = max(len(body) - LONGEST_STREAM, 0)
    if ended and not left_out:
        events += decoder.feed_eof()
    told = gather(events)
    end = told.end
    return Answer(
        parts=told.parts,
        model=told.start.model,
        finish_reason=end.finish_reason if end is not None else None,
        usage=end.usage if end is not None else told.start.usage,
        error=told.error,
        left_out=left_out,
    )
