"""Keeps mitmweb and the console from holding every flow for ever.

mitmproxy has no such limit of its own (mitmproxy#4129), and conversations of agents repeat their
whole history in each request.
"""

from __future__ import annotations

from itertools import islice

from mitmproxy.addons.view import View


def evict(view: View, limit: int) -> None:
    """Remove the oldest finished flows beyond `limit` (0: no limit); marked and live ones stay."""
    excess = view.store_count() - limit
    if limit <= 0 or excess <= 0:
        return
    finished = (flow for flow in view.resolve("@unmarked") if not flow.live)
    for flow in list(islice(finished, excess)):
        view.remove([flow])  # one by one: for several mitmproxy writes a line into the log
