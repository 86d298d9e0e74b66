"""Keeps mitmweb and the console from holding every flow for ever.

mitmproxy has no such limit of its own (mitmproxy#4129), and conversations of agents repeat their
whole history in each request, not to speak of sound, pictures and files.
"""

from __future__ import annotations

from itertools import islice

from mitmproxy import flow, http
from mitmproxy.addons.view import View

from addon.interceptor import access
from addon.views.metadata import ORIGINAL, SENT, mapping


class FlowLimit:
    """Removes the oldest finished flows; marked ones and those under way stay."""

    def __init__(self) -> None:
        self._held = 0
        """Bytes of all flows, at most: those that people removed are not taken off at once."""

    def keep(self, finished: http.HTTPFlow, count: int, size: int) -> None:
        """Make room for a flow that has ended.

        Args:
            finished: The flow.
            count: Most flows; 0: no limit.
            size: Most bytes that their bodies have; 0: no limit.
        """
        view = access.view()
        if view is None:
            return
        evict(view, count)
        self._held += weight(finished)
        if 0 < size < self._held:
            self._held = evict_by_size(view, size)


def evict(view: View, limit: int) -> None:
    """Remove the oldest finished flows beyond `limit` (0: no limit)."""
    excess = view.store_count() - limit
    if limit <= 0 or excess <= 0:
        return
    finished = (flow for flow in view.resolve("@unmarked") if not flow.live)
    for found in list(islice(finished, excess)):
        view.remove([found])  # one by one: for several mitmproxy writes a line into the log


def evict_by_size(view: View, size: int) -> int:
    """Remove the oldest finished flows until those left are well below `size`; return their bytes.

    The last one stays, however large it is.
    """
    held = sum(map(weight, view.resolve("@all")))
    finished = [flow for flow in view.resolve("@unmarked") if not flow.live]
    for found in finished[:-1] if held > size else ():
        if held <= size - size // 8:
            break
        held -= weight(found)
        view.remove([found])
    return held


def weight(found: flow.Flow) -> int:
    """Count the bytes of a flow's bodies, as the agent and as the provider have them."""
    if not isinstance(found, http.HTTPFlow):
        return 0
    response = found.response
    bodies = [
        found.request.raw_content,
        response.raw_content if response is not None else None,
        *(mapping(found.metadata.get(name)).get("body") for name in (ORIGINAL, SENT)),
    ]
    return sum({id(body): len(body) for body in bodies if body}.values())
