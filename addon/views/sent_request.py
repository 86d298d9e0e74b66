"""The view "Detour request as sent": what the provider got."""

from __future__ import annotations

from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.views.agent_request import write_message
from addon.views.metadata import Kept, request_of
from addon.views.view import NOT_OURS, DetourView

NOT_SENT = "This call was sent nowhere."


class SentRequestView(DetourView):
    """Shows the request as it was sent last, without its key."""

    title = "Detour request as sent"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write the request."""
        del data, metadata
        if not kept.action:
            return NOT_OURS
        if kept.action not in ("route", "pass"):
            return NOT_SENT
        return write_message(kept.sent or request_of(flow))
