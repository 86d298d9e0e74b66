"""What stands in place of the server that an agent wanted a WebSocket to.

On a socket that Detour serves, each message becomes a call of its own. One that goes to another
provider is a pipe to that provider, whose key the agent never sees.
"""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import http

from addon.engine import ClientPool, Relay, answer
from addon.interceptor import access, display
from addon.interceptor.adapter import Delivery, Items
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.exchanges import Exchange, Exchanges
from addon.interceptor.notes import note_decision
from addon.interceptor.options import Settings
from addon.interceptor.planning import Route
from addon.interceptor.secrecy import hide_secrets
from addon.interceptor.socket_calls import SERVED_BY_DETOUR, SocketCalls, relayed_call
from addon.sockets import Handshake, Session, Terms
from addon.stateful import Archive, History
from addon.vault import MemoryVault, Vault


class SocketServer:
    """Puts sessions and relays in the place of servers."""

    def __init__(
        self,
        exchanges: Exchanges,
        vault: Callable[[], Vault],
        clients: Callable[[], ClientPool],
        open_route: Callable[[http.HTTPFlow, Route], Items],
    ) -> None:
        """Prepare to serve.

        Args:
            exchanges: Where the exchange of each flow is found.
            vault: Returns what is kept from call to call.
            clients: Returns the connections to providers.
            open_route: Begins the answer to a call that the rules have routed.
        """
        self._exchanges = exchanges
        self._vault = vault
        self._clients = clients
        self._open_route = open_route

    def serve(
        self, flow: http.HTTPFlow, endpoint: Endpoint, handshake: Handshake, settings: Settings
    ) -> None:
        """Let a session answer the flow of a socket."""
        handler = access.connection_handler(flow.client_conn)
        calls = SocketCalls(flow, handler, self._open_message)
        history = History(Archive(self._vault()), Archive(MemoryVault()))
        terms = Terms(
            deflate=handshake.deflate, limit=settings.body_limit, keep_alive=settings.keep_alive
        )
        session = Session(calls.answer, history, terms)
        delivery = Delivery(flow, handler, lambda: session.serve(handshake.head), session.receive)
        hide_secrets(flow.request)
        flow.comment = SERVED_BY_DETOUR
        note_decision(flow, endpoint, handshake)
        self._exchanges.add(flow, Exchange(endpoint=endpoint, delivery=delivery, session=session))

    def relay(self, flow: http.HTTPFlow, endpoint: Endpoint, route: Route) -> None:
        """Let the provider of a route answer the flow of a socket."""
        handler = access.connection_handler(flow.client_conn)
        pipe = Relay(route.call, self._clients())
        delivery = Delivery(flow, handler, pipe.serve, pipe.receive)
        hide_secrets(flow.request)
        display.summarise(flow, route)
        self._exchanges.add(flow, Exchange(endpoint=endpoint, delivery=delivery, route=route))

    def _open_message(self, flow: http.HTTPFlow) -> Items | None:
        """Begin the answer to a message of a socket, as the rules have decided."""
        exchange = self._exchanges.get(flow)
        if exchange is None:
            return None
        if exchange.passes:
            return answer(relayed_call(flow, exchange.endpoint.provider), self._clients())
        if exchange.route is None:
            return None
        exchange.route.call.keep_alive = 0  # the socket is kept awake by pings
        return self._open_route(flow, exchange.route)
