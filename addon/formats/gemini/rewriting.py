"""Send an agent's own request to another place that speaks the format.

The bytes of the body stay as they are (decision D3) but for what a Gemini of another generation
refuses: the model's name stands in the path. Only where a client repeats it in the body is it
replaced there too.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from addon.formats.base import RenderedBody, RequestLine
from addon.formats.gemini.model_change import fit_to_model, needs_another_shape
from addon.formats.gemini.models import gemini_model
from addon.formats.gemini.names import read_target
from addon.formats.gemini.refitting import sign_calls, without_envelopes
from addon.formats.gemini.request_parsing import parse_request
from addon.formats.gemini.request_rendering import HEADERS, provider_path, render_request
from addon.neutral import ClientRequestError, LossList
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
        UnsupportedFeature: It holds content that the model has no way to take.
    """
    wire = decode_object(body)
    if wire is None:
        raise ClientRequestError("the request body is not a JSON object")
    if BASE64_PREFIX.encode() in body:
        body = without_envelopes(body, model)
        wire = decode_object(body) or wire
    if isinstance(wire.get("model"), str):
        body = edit_object(body, {"model": encode(f"models/{model.rsplit('models/', 1)[-1]}")})
    target = read_target(line)
    losses = LossList()
    before, after = gemini_model(target.model or model, dialect), gemini_model(model, dialect)
    if after != before:
        if needs_another_shape(wire, after):
            return render_request(parse_request(body, line), model, dialect)
        if after.signed_calls and not before.signed_calls:
            body = sign_calls(body, wire, losses)
        body = fit_to_model(body, wire, after, losses)
    path = provider_path(model, dialect, stream=target.stream).split("?")[0]
    query = kept_query(line)
    return RenderedBody(
        path=f"{path}?{query}" if query else path,
        headers=HEADERS,
        body=body,
        losses=losses.to_tuple(),
    )
