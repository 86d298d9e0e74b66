"""The view "Detour" in mitmweb and the console: what Detour did to a request, and what it was."""

from __future__ import annotations

import json
from typing import Any, Literal, cast, override

from mitmproxy import contentviews
from mitmproxy.contentviews import Contentview, Metadata

from addon.interceptor.display import ORIGINAL, SUMMARY
from addon.wire.codec import decode_object

NAME = "Detour"


class DetourView(Contentview):
    """Shows rule, destination, losses and the agent's own request of a flow that was rewritten."""

    @property
    @override
    def name(self) -> str:
        """The name in the list of views."""
        return NAME

    @property
    @override
    def syntax_highlight(self) -> Literal["yaml"]:
        """How to colour it."""
        return "yaml"

    @override
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        """Write the view.

        Raises:
            ValueError: Detour did not rewrite the flow.
        """
        del data
        kept = metadata.flow.metadata if metadata.flow else {}
        if ORIGINAL not in kept or SUMMARY not in kept:
            raise ValueError("Detour did not rewrite this call.")
        summary = cast("dict[str, Any]", kept[SUMMARY])
        return f"{_write_summary(summary)}\n\n{_write_original(kept[ORIGINAL])}"

    @override
    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """Never take the place of a view that the user did not choose."""
        return -1


def register() -> None:
    """Make the view known, once."""
    if NAME.lower() not in contentviews.registry:
        contentviews.add(DetourView)


def _write_summary(summary: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in summary.items() if name != "losses"]
    lines.append("losses:" if summary["losses"] else "losses: none")
    lines += [
        f"  {loss['field']}: {loss['action']} ({loss['reason']})" for loss in summary["losses"]
    ]
    return "\n".join(lines)


def _write_original(original: dict[str, Any]) -> str:
    body: bytes = original["body"]
    document = decode_object(body)
    text = body.decode("utf-8", "replace") if document is None else _pretty(document)
    headers = [f"{name}: {value}" for name, value in original["headers"]]
    request = f"# The agent sent:\n{original['method']} {original['url']}"
    return "\n".join([request, *headers, "", text])


def _pretty(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
