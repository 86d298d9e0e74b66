"""The view "Detour agent request": what the agent sent."""

from __future__ import annotations

from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.views.json_text import write_body
from addon.views.metadata import Kept, Message, request_of
from addon.views.page import Page
from addon.views.view import NOT_OURS, DetourView


class AgentRequestView(DetourView):
    """Shows the agent's own request, of which the flow itself shows what became of it."""

    title = "Detour agent request"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write the request."""
        del data, metadata
        if not kept.action:
            return NOT_OURS
        return write_message(kept.original or request_of(flow))


def write_message(message: Message) -> str:
    """Write a request: its line, its headers and its body."""
    page = Page()
    page.add(f"{message.method} {message.url}")
    for name, value in message.headers:
        page.add(f"{name}: {value}")
    page.add()
    if message.body:
        write_body(page, message.body)
    return page.write()
