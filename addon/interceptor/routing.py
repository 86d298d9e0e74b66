"""Calls that a rule sends elsewhere: the engine answers them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from mitmproxy import http

from addon.engine import ClientPool, answer
from addon.interceptor import access, adapter, display, replay
from addon.interceptor.adapter import Delivery
from addon.interceptor.bookkeeping import Bookkeeper
from addon.interceptor.compacting import transforming
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.exchanges import Exchange, Exchanges
from addon.interceptor.giving import give
from addon.interceptor.leaning import remembering
from addon.interceptor.options import Settings
from addon.interceptor.planning import Route
from addon.interceptor.state import State


class Routing:
    """Lets the engine answer, with what the addon holds for all calls."""

    def __init__(
        self,
        exchanges: Exchanges,
        books: Bookkeeper,
        settings: Callable[[], Settings],
        state: Callable[[], State],
        clients: Callable[[], ClientPool],
    ) -> None:
        self._exchanges = exchanges
        self._books = books
        self._settings = settings
        self._state = state
        self._clients = clients

    async def begin(self, flow: http.HTTPFlow, endpoint: Endpoint, route: Route) -> None:
        """Let the engine answer a flow, or begin to work on it in the background."""
        exchange = Exchange(endpoint=endpoint, route=route)
        route.call.outcome.tape = self._settings().make_tape()
        remembered = route.remembered
        if remembered is not None and remembered.background:
            answered = self._state().start(
                route.call, remembered, self._clients(), lambda: self._end_job(flow, route, given)
            )
            display.show_route(flow, route)
            given = await give(flow, endpoint, answered)
            given.job = route
            self._exchanges.add(flow, given)
            self._expect_end(flow, given, route)
            return
        if flow.is_replay == "request":
            display.show_route(flow, route)
            self._exchanges.add(flow, exchange)
            self._expect_end(flow, exchange, route)
            await replay.answer_whole(flow, answer(route.call, self._clients()))
            return
        handler = access.connection_handler(flow.client_conn)
        exchange.delivery = Delivery(flow, handler, lambda: self.open(flow, route))
        display.show_route(flow, route)
        self._exchanges.add(flow, exchange)
        self._expect_end(flow, exchange, route)

    def _end_job(self, flow: http.HTTPFlow, route: Route, given: Exchange) -> None:
        """A response in the background has been made."""
        display.show_job(flow, given, route)
        self._books.enter(flow, given)

    def _expect_end(self, flow: http.HTTPFlow, exchange: Exchange, route: Route) -> None:
        """See that the ledger has an exchange before the agent has the last of the answer."""
        self._books.begin(flow, exchange)
        route.call.outcome.when_concluded = lambda: self._books.conclude(flow, exchange)

    def open(self, flow: http.HTTPFlow, route: Route) -> adapter.Items:
        """Begin the answer, with the request as it stands now: people may have edited it."""
        call = route.call
        shown = flow.request.content
        if shown is not None and shown != call.rendered.body:
            call.rendered = msgspec.structs.replace(call.rendered, body=shown)
            if call.chain is not None:
                call.chain.stay()  # to another target would go what has been edited away
        items = answer(call, self._clients())
        if route.transform is not None:
            return transforming(items, route)
        if route.remembered is None:
            return items
        turn, history = route.remembered.turn, self._state().history
        return remembering(items, turn, lambda: route.keeper, history, stream=call.stream)
