"""The intercepted calls that are under way."""

from __future__ import annotations

import msgspec
from mitmproxy import http

from addon.interceptor.adapter import Delivery
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.planning import Route
from addon.interceptor.recorder import Recorder
from addon.sockets import Session


class Exchange(msgspec.Struct, kw_only=True):
    """One intercepted call, from the decision about it to the end of its answer."""

    endpoint: Endpoint
    route: Route | None = None
    """How the engine answers; None for a call that passes or was refused."""
    delivery: Delivery | None = None
    session: Session | None = None
    """What serves a WebSocket."""
    recorder: Recorder | None = None
    streams: bool = False
    """Whether Detour itself answers with a stream."""
    passes: bool = False
    """Whether the agent's own request goes on, key and all."""


class Exchanges:
    """Finds the exchange of a flow."""

    def __init__(self) -> None:
        self._by_flow: dict[str, Exchange] = {}

    def add(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Begin an exchange."""
        self._by_flow[flow.id] = exchange

    def get(self, flow: http.HTTPFlow) -> Exchange | None:
        """Return the exchange of a flow."""
        return self._by_flow.get(flow.id)

    def end(self, flow: http.HTTPFlow) -> Exchange | None:
        """Forget the exchange of a flow and return it."""
        return self._by_flow.pop(flow.id, None)

    def end_all(self) -> list[Delivery]:
        """Stop everything, and return the deliveries that still say farewell."""
        leaving: list[Delivery] = []
        for exchange in self._by_flow.values():
            if exchange.delivery is None:
                continue
            if exchange.session is None:
                exchange.delivery.cancel()
            else:
                exchange.session.leave()
                leaving.append(exchange.delivery)
        self._by_flow.clear()
        return leaving

    def delivery(self, flow: http.HTTPFlow) -> Delivery | None:
        """Return what answers a flow in place of a server."""
        exchange = self.get(flow)
        return exchange.delivery if exchange is not None else None
