"""Where a request that goes on as it is names its model, and naming another one there.

In a JSON body or a form it is the field `model`. Realtime names it in the query, or in the session
that a body describes (https://platform.openai.com/docs/api-reference/realtime).
"""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import parse_qs, quote

from addon.formats.base import Headers, RequestLine, header
from addon.formats.endpoints import REALTIME, path_below
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object
from addon.wire.multipart import find_field

_SESSION = "session"
_IN_QUERY = re.compile(r"(?<![^&])model=[^&]*")


def model_of(body: bytes, headers: Headers, line: RequestLine) -> str:
    """Return the model that a request names; empty if it names none."""
    content_type = header(headers, "content-type") or ""
    if span := find_field(body, content_type, "model"):
        return body[span.start : span.end].decode("utf-8", "replace")
    realtime = _is_realtime(line)
    if realtime and (named := parse_qs(line.query).get("model")):
        return named[0]
    if content_type.lower().startswith("multipart/"):
        span = find_field(body, content_type, _SESSION) if realtime else None
        return _text((decode_object(body[span.start : span.end]) or {}) if span else {})
    document = (decode_object(body) or {}) if body else {}
    return _text(document) or (_text(document.get(_SESSION)) if realtime else "")


def with_model(
    body: bytes, headers: Headers, line: RequestLine, model: str
) -> tuple[bytes, RequestLine]:
    """Name another model wherever the request names one, and leave every other byte."""
    if _is_realtime(line):
        query = _IN_QUERY.sub(lambda _: f"model={quote(model, safe='')}", line.query)
        line = RequestLine(line.path, query)
    if not body:
        return body, line
    content_type = header(headers, "content-type") or ""
    if span := find_field(body, content_type, "model"):
        return b"".join((body[: span.start], model.encode(), body[span.end :])), line
    if content_type.lower().startswith("multipart/"):
        span = find_field(body, content_type, _SESSION) if _is_realtime(line) else None
        if span is None:
            return body, line
        session = _renamed(body[span.start : span.end], model)
        return b"".join((body[: span.start], session, body[span.end :])), line
    document = decode_object(body)
    if document is None:
        return body, line
    session = document.get(_SESSION)
    if _is_realtime(line) and _text(session):
        body = edit_object(body, {_SESSION: _renamed(encode(session), model)})
    return _renamed(body, model), line


def _renamed(document: bytes, model: str) -> bytes:
    named = _text(decode_object(document))
    if not named or named == model:
        return document
    return edit_object(document, {"model": encode(model)})


def _is_realtime(line: RequestLine) -> bool:
    return path_below(line.path).partition("/")[0] == REALTIME


def _text(document: object) -> str:
    """Return the model that a JSON object names."""
    if not isinstance(document, dict):
        return ""
    named = cast("dict[str, Any]", document).get("model")
    return named if isinstance(named, str) else ""
