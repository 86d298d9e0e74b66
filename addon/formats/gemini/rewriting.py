"""Send an agent's own request to another place that speaks the format.

The bytes of the body stay as they are (decision D3): the model's name stands in the path. Only
where a client repeats it in the body is it replaced there too.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from addon.formats.base import RenderedBody, RequestLine
from addon.formats.gemini.names import read_target
from addon.formats.gemini.refitting import without_envelopes
from addon.formats.gemini.request_rendering import HEADERS, provider_path
from addon.neutral import ClientRequestError
from addon.wire.carrier import BASE64_PREFIX
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object

_KEY = "key"
"""Query parameter by which some clients give their API key; the provider's own goes in a header."""


def kept_query(line: RequestLine) -> str:
    """Return the agent's query without its key."""
    pairs = [pair for pair in parse_qsl(line.query, keep_blank_values=True) if pair[0] != _KEY]
    return urlencode(pairs, safe="$;=,")


def rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    """Put `model` in the place of the agent's.

    Raises:
        ClientRequestError: The body is not a JSON object.
    """
    wire = decode_object(body)
    if wire is None:
        raise ClientRequestError("the request body is not a JSON object")
    if BASE64_PREFIX.encode() in body:
        body = without_envelopes(body, model)
    if isinstance(wire.get("model"), str):
        body = edit_object(body, {"model": encode(f"models/{model.rsplit('models/', 1)[-1]}")})
    target = read_target(line)
    path = provider_path(model, dialect, stream=target.stream).split("?")[0]
    query = kept_query(line)
    return RenderedBody(path=f"{path}?{query}" if query else path, headers=HEADERS, body=body)
