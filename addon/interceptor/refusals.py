"""Errors that Detour gives by itself, in the format that the agent understands."""

from __future__ import annotations

import logging

from mitmproxy import http

from addon.formats import FORMATS
from addon.formats.base import FormatName
from addon.neutral import ErrorInfo

logger = logging.getLogger(__name__)

LAST_RESORT = (
    b'{"error":{"message":"Detour failed to handle this call; its log says why.",'
    b'"type":"server_error","param":null,"code":"detour_failed"}}'
)


def refuse(
    flow: http.HTTPFlow,
    error: ErrorInfo,
    format: FormatName,
    *,
    status: int | None = None,
    headers: dict[str, str] | None = None,
) -> None:
    """Answer a flow with an error, so that nothing of it goes anywhere; never raises.

    Args:
        flow: What is refused.
        error: Why.
        format: The format that the agent speaks.
        status: HTTP status, where it is not the format's usual one for the error.
        headers: Further headers.
    """
    try:
        rendered = FORMATS[format].render_error(error)
        body, fields = rendered.body, dict(rendered.headers)
        status = status or rendered.status
    except Exception:
        logger.exception("an error could not be written as %s", format)
        body, fields = LAST_RESORT, {"content-type": "application/json"}
        status = status or 500
    # What Detour refuses stays refused until a person acts; SDKs would try for a minute.
    fields["x-should-retry"] = "false"
    flow.response = http.Response.make(status, body, fields | (headers or {}))
