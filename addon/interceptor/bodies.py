"""Request bodies as the agent meant them, whatever they were packed in."""

from __future__ import annotations

from mitmproxy import http
from mitmproxy.utils import human

from addon.engine.encodings import EncodingError, StackedDecoder
from addon.interceptor.access import header
from addon.neutral import ClientRequestError, ErrorInfo


class BodyTooLargeError(ClientRequestError):
    """A request exceeds `detour_body_limit`."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The request is larger than {human.pretty_size(limit)}, the limit of Detour "
            "(detour_body_limit)."
        )

    def to_error_info(self) -> ErrorInfo:
        """Say what the agent should see."""
        return ErrorInfo("too_large", str(self))


def unpack(request: http.Request, limit: int) -> bytes:
    """Return a request's body without its content codings.

    Raises:
        BodyTooLargeError: It is, or unpacks to, more than `limit` bytes.
        ClientRequestError: It is not what its `content-encoding` says.
    """
    body = request.raw_content or b""
    if len(body) > limit:
        raise BodyTooLargeError(limit)
    content_encoding = header(request, "content-encoding")
    if content_encoding is None:
        return body
    unpacked = bytearray()
    try:
        decoder = StackedDecoder(content_encoding)
        for piece in decoder.decode(body):
            unpacked += piece
            if len(unpacked) > limit:
                raise BodyTooLargeError(limit)
    except EncodingError as error:
        raise ClientRequestError(f"The request cannot be unpacked: {error}") from error
    if not decoder.complete:
        raise ClientRequestError(f"The {content_encoding} request ends too early.")
    return bytes(unpacked)
