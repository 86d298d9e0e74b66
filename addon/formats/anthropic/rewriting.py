"""Send an agent's own `POST /v1/messages` to another place that speaks the format.

The bytes stay as they are but for the model name (decision D3).
"""

from __future__ import annotations

from addon.formats.anthropic.request_rendering import HEADERS, PATH
from addon.formats.base import RenderedBody, RequestLine
from addon.neutral import ClientRequestError
from addon.wire.codec import encode
from addon.wire.json_edit import edit_object


def rewrite_request(body: bytes, line: RequestLine, model: str) -> RenderedBody:
    """Put `model` in the place of the agent's.

    Raises:
        ClientRequestError: The body is not a JSON object.
    """
    try:
        edited = edit_object(body, {"model": encode(model)})
    except ValueError as error:
        raise ClientRequestError(f"the request body cannot be read: {error}") from None
    path = line.path or PATH
    return RenderedBody(
        path=f"{path}?{line.query}" if line.query else path, headers=HEADERS, body=edited
    )
