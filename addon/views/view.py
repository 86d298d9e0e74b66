"""What all views have in common."""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import Literal, override

from mitmproxy import http
from mitmproxy.contentviews import Contentview, Metadata

from addon.views.metadata import Kept, read

logger = logging.getLogger(__name__)

NOT_OURS = "Detour has nothing to say about this flow."
FAILED = "This view could not be written; the log says why."


class DetourView(Contentview):
    """A view of an exchange, not of the bytes that it was asked about."""

    title: str
    """Its name in the list."""

    @property
    @override
    def name(self) -> str:
        """The name in the list of views."""
        return self.title

    @property
    @override
    def syntax_highlight(self) -> Literal["yaml"]:
        """How to colour it."""
        return "yaml"

    @override
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        """Write the view; never raises."""
        flow = metadata.flow
        if not isinstance(flow, http.HTTPFlow):
            return NOT_OURS
        try:
            return self.write(flow, read(flow), data, metadata)
        except Exception:
            logger.exception("the view %s could not be written", self.title)
            return FAILED

    @override
    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """Say how well the view fits; below 0: only where somebody chooses it."""
        flow = metadata.flow
        if not isinstance(flow, http.HTTPFlow):
            return -1
        try:
            return self.fits(flow, read(flow), metadata)
        except Exception:
            logger.exception("the view %s could not be judged", self.title)
            return -1

    @abstractmethod
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write the view of a flow.

        Args:
            flow: The exchange.
            kept: What it keeps.
            data: The body, or the message of a WebSocket, beside which the view stands.
            metadata: What else mitmproxy knows of these bytes.
        """

    def fits(self, flow: http.HTTPFlow, kept: Kept, metadata: Metadata) -> float:
        """Say how well the view fits, as `render_priority`."""
        del flow, kept, metadata
        return -1
