"""Count tokens: `POST models/X:countTokens`.

Follows https://ai.google.dev/api/tokens. The Gemini API counts bare contents, or a whole request
that stands in `generateContentRequest` and names its model again; Vertex takes some fields of the
request as they are (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens).
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from addon.formats.base import RenderedBody, RequestLine, TokenCounting
from addon.formats.gemini import request_parsing, request_rendering, rewriting
from addon.formats.gemini.models import VERTEX
from addon.formats.gemini.names import field, snake_case
from addon.formats.gemini.request_rendering import HEADERS, method_path
from addon.neutral import ClientRequestError, Request
from addon.wire.codec import decode_object, encode
from addon.wire.reading import integer, mapping

_WRAPPER = "generateContentRequest"
_VERTEX_FIELDS = ("contents", "systemInstruction", "tools", "generationConfig")

_FIELDS = frozenset((*_VERTEX_FIELDS, "toolConfig", "cachedContent"))


def parse_request(body: bytes, line: RequestLine) -> Request:
    """Read an agent's request."""
    whole = field(decode_object(body) or {}, _WRAPPER)
    return request_parsing.parse_request(encode(whole) if whole else body, line)


def render_request(request: Request, model: str, dialect: str) -> RenderedBody:
    """Write a request: one for an answer, in the place that the API has for it."""
    rendered = request_rendering.render_request(request, model, dialect)
    path = method_path(model, "countTokens", dialect)
    body = _wrap(decode_object(rendered.body) or {}, model, dialect)
    return replace(rendered, path=path, body=encode(body))


def rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    """Put `model` in the place of the agent's; bare contents stay as they are."""
    wire = decode_object(body)
    if wire is None:
        raise ClientRequestError("the request body is not a JSON object")
    whole = mapping(field(wire, _WRAPPER))
    bare = {key for key in wire if key != "model"} <= {"contents"}
    if whole or not bare:
        body = encode(_wrap(whole or wire, model, dialect))
    path = method_path(model, "countTokens", dialect)
    query = rewriting.kept_query(line)
    return RenderedBody(path=f"{path}?{query}" if query else path, headers=HEADERS, body=body)


def parse_count(body: bytes) -> int | None:
    """Read the provider's answer; nothing is counted where the number is left out."""
    wire = decode_object(body)
    if wire is None or wire.get("error"):
        return None
    return integer(wire.get("totalTokens", 0))


def render_count(tokens: int) -> bytes:
    """Write the answer for the agent."""
    return encode({"totalTokens": tokens})


def _wrap(request: dict[str, Any], model: str, dialect: str) -> dict[str, Any]:
    """Put a request for an answer where it is counted."""
    if dialect == VERTEX:
        known = {name: field(request, name) for name in _VERTEX_FIELDS}
        return {name: value for name, value in known.items() if value is not None}
    kept = {k: v for k, v in request.items() if k not in ("model", _WRAPPER, snake_case(_WRAPPER))}
    return {_WRAPPER: {"model": f"models/{model.rsplit('models/', 1)[-1]}", **kept}}


COUNTING = TokenCounting(
    fields=_FIELDS,
    parse_request=parse_request,
    render_request=render_request,
    rewrite_request=rewrite_request,
    parse_count=parse_count,
    render_count=render_count,
)
