"""The intercepted calls that are under way."""

from __future__ import annotations

import msgspec
from mitmproxy import http

from addon.interceptor.adapter import Delivery
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.planning import Pass, Refusal, Route
from addon.interceptor.recorder import Recorder
from addon.ledger import Record
from addon.neutral import FinishReason, Usage
from addon.sockets import Session
from addon.telemetry import Trace


class Told(msgspec.Struct, frozen=True):
    """What an answer says about itself."""

    usage: Usage | None = None
    model: str | None = None
    id: str | None = None
    finish_reason: FinishReason | None = None


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
    decided: Pass | Refusal | None = None
    """Why it passes, or was refused."""
    job: Route | None = None
    """The call that goes on in the background."""
    agent: str = ""
    """Who calls."""
    secrets: tuple[str, ...] = ()
    """The agent's keys, which no record may repeat."""
    trace: Trace | None = None
    """The trace that the agent's request belongs to, where somebody wants to know."""
    keeps_bodies: bool = False
    """Whether the rules ask for what was said."""
    record: Record | None = None
    """What the ledger got, once all was known."""
    told: Told | None = None
    """What a passing answer says about itself, once it has been read."""


class Exchanges:
    """Finds the exchange of a flow."""

    def __init__(self) -> None:
        self._by_flow: dict[str, Exchange] = {}
        self._flows: dict[str, http.HTTPFlow] = {}

    def add(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Begin an exchange."""
        self._by_flow[flow.id] = exchange
        self._flows[flow.id] = flow

    def under_way(self) -> list[tuple[http.HTTPFlow, Exchange]]:
        """Return every exchange that has not ended."""
        return [(self._flows[name], exchange) for name, exchange in self._by_flow.items()]

    def introduce(
        self, flow: http.HTTPFlow, agent: str, secrets: tuple[str, ...], trace: Trace | None
    ) -> None:
        """Say who calls, which keys came with the call, and in which trace."""
        exchange = self.get(flow)
        if exchange is not None:
            exchange.agent, exchange.secrets, exchange.trace = agent, secrets, trace

    def get(self, flow: http.HTTPFlow) -> Exchange | None:
        """Return the exchange of a flow."""
        return self._by_flow.get(flow.id)

    def end(self, flow: http.HTTPFlow) -> Exchange | None:
        """Forget the exchange of a flow and return it."""
        self._flows.pop(flow.id, None)
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
        self._flows.clear()
        return leaving

    def delivery(self, flow: http.HTTPFlow) -> Delivery | None:
        """Return what answers a flow in place of a server."""
        exchange = self.get(flow)
        return exchange.delivery if exchange is not None else None
