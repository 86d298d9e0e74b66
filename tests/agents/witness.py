"""A mitmproxy script beside Detour's: writes down what agents called and what became of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mitmproxy import http

NOTES = "DETOUR_WITNESS"
"""The variable that names the file to write to, one JSON object a line."""


class Witness:
    """Notes every call that is not to mitmproxy itself when it has ended."""

    def load(self, _loader: object) -> None:
        self._notes = Path(os.environ[NOTES])
        self._count = 0

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response
        if flow.websocket is None:
            self._note(flow, status=flow.response.status_code)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        self._note(flow, status=101)

    def error(self, flow: http.HTTPFlow) -> None:
        if flow.websocket is None:
            self._note(flow, error=flow.error and flow.error.msg)

    def _note(self, flow: http.HTTPFlow, **outcome: Any) -> None:
        if flow.request.pretty_host == "mitm.it":
            return
        original = flow.metadata.get("detour.original") or {}
        summary = flow.metadata.get("detour.summary") or {}
        note = {
            "method": original.get("method", flow.request.method),
            "url": original.get("url", flow.request.pretty_url),
            "model": summary.get("requested_model"),
            "socket": "detour.socket" in flow.metadata,
            "losses": summary.get("losses", []),
            "failure": summary.get("error"),
            **outcome,
        }
        with self._notes.open("a") as file:
            file.write(json.dumps(note) + "\n")
        self._keep_bodies(flow, original.get("body"))

    def _keep_bodies(self, flow: http.HTTPFlow, original: bytes | None) -> None:
        """Put what was sent and answered beside the notes, for whoever looks for a mistake."""
        self._count += 1
        start = f"{self._count:03}"
        sent = flow.request.get_content(strict=False) or b""
        answered = (flow.response and flow.response.get_content(strict=False)) or b""
        for name, body in (("agent", original), ("provider", sent), ("answer", answered)):
            if body:
                (self._notes.parent / f"{start}-{name}").write_bytes(body)


addons = [Witness()]
