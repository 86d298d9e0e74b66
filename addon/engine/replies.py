"""The beginnings and ends that every kind of answer shares."""

from __future__ import annotations

from msgspec import structs

from addon.engine.call import Call, Head
from addon.engine.chain import MoveOn
from addon.engine.conversation import Opening
from addon.engine.headers import agent_headers, merge
from addon.formats import FORMATS
from addon.formats.base import Headers, header
from addon.neutral import ErrorInfo, Response

type Item = Head | bytes

ERROR_LIMIT = 1 << 20
"""Most bytes of an error answer that are read."""
BODY_LIMIT = 64 << 20
"""Most bytes that a whole answer may have."""

SHORTEST_KEY = 8
"""Characters; what is shorter, such as `Bearer`, is no key, and may stand in any text."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def stream_head(call: Call, opening: Opening | None, content_type: str) -> Head:
    """Begin a streamed answer; `opening` is None while the provider has not begun its own."""
    headers: Headers = (
        ("content-type", content_type),
        ("cache-control", "no-cache"),
    )
    call.outcome.status = 200
    return Head(200, merge(headers, crossing_headers(call, opening)))


def whole_reply(
    call: Call, status: int, headers: Headers, body: bytes, opening: Opening | None
) -> list[Item]:
    """Answer with one document."""
    call.outcome.status = status
    length = (("content-length", str(len(body))),)
    head = Head(status, merge(crossing_headers(call, opening), headers, length))
    return [head, body] if body else [head]


def error_reply(call: Call, error: ErrorInfo, opening: Opening | None) -> list[Item]:
    """Answer with an error of the agent's format instead of what was asked for.

    Raises:
        MoveOn: Something else is to be tried.
    """
    move_on(call, error, opening)
    rendered = FORMATS[call.agent_format].render_error(error)
    call.outcome.error = error
    return whole_reply(call, rendered.status, rendered.headers, rendered.body, opening)


def move_on(call: Call, error: ErrorInfo, opening: Opening | None) -> None:
    """Leave an answer of which the agent has got nothing, if something else is to be tried.

    Raises:
        MoveOn: So it is.
    """
    if call.chain is not None and call.chain.moves_on(error):
        raise MoveOn(error, opening)


def crossing_headers(call: Call, opening: Opening | None) -> Headers:
    """Return the provider's headers that the agent may see."""
    if opening is None:
        return ()
    return agent_headers(opening.headers, call.destination.format, call.agent_format)


def find_error(call: Call, opening: Opening, body: bytes) -> ErrorInfo | None:
    """Return the error that a whole document is or holds, or None for an answer."""
    source = FORMATS[call.destination.format]
    if opening.status >= 400:
        return _without_key(call, source.parse_error(opening.status, opening.headers, body))
    error = source.find_error(body)
    return error and _without_key(call, error)


def _without_key(call: Call, error: ErrorInfo) -> ErrorInfo:
    """Take the key out of an error that quotes it."""
    message = error.message
    for _, value in call.key_headers:
        for word in value.split():
            if len(word) >= SHORTEST_KEY:
                message = message.replace(word, "[key]")
    return error if message == error.message else structs.replace(error, message=message)


def note_response(call: Call, response: Response) -> None:
    """Write what a whole answer tells into the call's outcome."""
    call.outcome.usage = response.usage
    call.outcome.finish_reason = response.finish_reason
    call.outcome.model = response.model
    call.outcome.response_id = response.id or None


def redirect_error(call: Call, opening: Opening) -> ErrorInfo:
    """Say why a redirect is not followed: the key would go to a place that nobody chose."""
    place = (header(opening.headers, "location") or "another place").split("?")[0]
    return ErrorInfo(
        "server_error",
        f"{call.destination.provider.title} redirects to {place}, which Detour does not follow. "
        "Correct the provider's base_url in rules.yaml.",
        status=opening.status,
    )


def too_large_error(call: Call) -> ErrorInfo:
    """Say that an answer is too large to be translated."""
    return ErrorInfo(
        "server_error",
        f"The answer of {call.destination.provider.title} exceeds {BODY_LIMIT >> 20} MiB.",
    )


def cut_error(call: Call) -> ErrorInfo:
    """Say that a provider ended its answer before it was one."""
    return ErrorInfo("cut", f"{call.destination.provider.title} ended without an answer.")


def first_byte(body: bytes | bytearray) -> bytes:
    """Return the first byte that means something."""
    return bytes(body[:64]).removeprefix(BYTE_ORDER_MARK).lstrip()[:1]


def looks_like_events(opening: Opening, body: bytes) -> bool:
    """Tell server-sent events from a JSON document or a page, by content rather than by label."""
    start = first_byte(body)
    if start in (b"{", b"[", b"<"):
        return False
    content_type = header(opening.headers, "content-type") or ""
    return "event-stream" in content_type or start in (b"d", b"e", b"i", b"r", b":")
