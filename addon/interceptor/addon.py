"""The mitmproxy addon: what Detour does at which moment of a flow's life.

Order of a call that a rule sends elsewhere: `http_connect` (who calls), `next_layer` (a layer that
the engine can answer), `request` (the rules decide; the flow becomes what the provider gets),
`responseheaders` (the engine's answer has begun), `response` or `error` (it has ended).

Nothing fails open (decision D5): whatever goes wrong in `request` becomes an answer, because
without one mitmproxy would send the agent's request, or a half-translated one, on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from mitmproxy import ctx, exceptions, http, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client
from mitmproxy.proxy import layer

from addon.authority.home import open_home
from addon.engine import ClientPool
from addon.interceptor import (
    access,
    adapter,
    dispatch,
    display,
    options,
    replay,
    upstream,
)
from addon.interceptor.adapter import NO_LIMIT, Delivery
from addon.interceptor.arrivals import incoming_of
from addon.interceptor.bodies import BodyTooLargeError
from addon.interceptor.bookkeeping import Bookkeeper
from addon.interceptor.commands import Commands
from addon.interceptor.defaults import Defaults
from addon.interceptor.endpoints import Endpoint, endpoint_of, host_of, is_upgrade
from addon.interceptor.exchanges import Exchange, Exchanges
from addon.interceptor.flow_limit import FlowLimit
from addon.interceptor.giving import give
from addon.interceptor.identity import Identities
from addon.interceptor.notes import note_decision, plain
from addon.interceptor.observing import trace_of_flow
from addon.interceptor.planning import Answered, Decided, Incoming, Pass, Refusal, Route
from addon.interceptor.preparing import Preparation
from addon.interceptor.refusals import refuse
from addon.interceptor.routing import Routing
from addon.interceptor.rules_in_force import RulesInForce
from addon.interceptor.secrecy import hide_secrets, secrets_in
from addon.interceptor.socket_serving import SocketServer
from addon.interceptor.state import State
from addon.interceptor.upgrades import NO_WEBSOCKET, plan_upgrade
from addon.interceptor.uploading import (
    FLOWS_UNDECIDED,
    LARGE,
    announced_size,
    plan_unread,
    swallow,
)
from addon.neutral import DetourError, ErrorInfo
from addon.providers import provider_for_host
from addon.rules import (
    Rules,
    RulesError,
    split_name,
)
from addon.sockets import Handshake
from addon.stateful import StateError
from addon.vault import Vault, open_vault
from addon.views import register as register_views
from addon.views.metadata import AGENT, quieten

logger = logging.getLogger(__name__)

FAREWELL = 1.0
"""Seconds that agents have to be told that the proxy ends."""


class Interceptor:
    """Sends the calls of agents where the rules say."""

    name = "detour"

    def __init__(self, preparation: Preparation | None = None) -> None:
        self._preparation = preparation or Preparation()
        self._exchanges = Exchanges()
        self._identities = Identities()
        self._flow_limit = FlowLimit()
        self._settings: options.Settings | None = None
        self._in_force = RulesInForce()
        self._books = Bookkeeper()
        self._clients: ClientPool | None = None
        self._closing: asyncio.Task[None] | None = None
        self._vault: Vault | None = None
        self._state: State | None = None
        self._routing = Routing(
            self._exchanges, self._books, self._read_settings, self._kept, self._pool
        )
        self._sockets = SocketServer(self._exchanges, self.vault, self._pool, self._routing.open)

        self.addons = [Commands(self._rules, lambda: self._read_settings().rules, self._incoming)]

    @property
    def books(self) -> Bookkeeper:
        """Where exchanges are entered."""
        return self._books

    def vault(self) -> Vault:
        """Return what is kept from call to call, opened at its first use."""
        if self._vault is None:
            settings = self._read_settings()
            with contextlib.suppress(OSError):  # of which the vault will speak
                open_home(settings.home)
            self._vault = open_vault(settings.home, settings.vault_limits, settings.vault.reveal())
        return self._vault

    def load(self, loader: Loader) -> None:
        """Declare the options and set what plain mitmproxy would get wrong."""
        options.add_options(loader)
        register_views()
        dispatch.install(ctx.master.addons)
        self._in_force.defaults = Defaults(ctx.options)
        self._in_force.defaults.apply_fixed()

    def configure(self, updated: set[str]) -> None:
        """Read the options.

        Raises:
            OptionsError: One cannot be read; mitmproxy then does not start.
        """
        before = self._settings
        if before is None or updated & options.NAMES:
            settings = options.read_settings(ctx.options)
            try:
                self._books.use(settings)
            except ValueError as error:
                raise exceptions.OptionsError(f"{error}.") from None
            self._settings = settings
            self._in_force.use(settings)
        if updated & upstream.OPTIONS:
            self._close_clients()

    def running(self) -> None:
        """Read the rules, so that mistakes in them show at once."""
        self._read_settings()
        self._in_force.announce()
        self._books.open()

    def done(self) -> asyncio.Task[None] | None:
        """Stop every answer and close the connections to providers."""
        under_way = self._exchanges.under_way()
        leaving = self._exchanges.end_all()
        for flow, exchange in under_way:
            if exchange.recorder is not None:
                exchange.recorder.end()
            self._record(flow, exchange)
        dispatch.uninstall(ctx.master.addons)
        if self._state is not None:
            self._state.jobs.stop()
        if self._vault is not None:
            self._vault.close()
        self._in_force.release()
        return self._close_clients(leaving, last=True)

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Learn who calls, and which hosts are to be opened."""
        self._identities.note(flow)
        self._intercepted_hosts()

    def client_disconnected(self, client: Client) -> None:
        """Forget who called."""
        self._identities.forget(client.id)

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Put a layer in place that can be answered by the engine."""
        if nextlayer.layer is None:
            access.decide_next_layer().next_layer(nextlayer)
        adapter.install(nextlayer.layer, self._delivery, self._most_held)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """Say what to do about an agent that does not trust mitmproxy."""
        # Not about one that merely closes: some open connections to spare, and never use them.
        refused = (data.conn.error or "").startswith("The client does not trust")
        if refused and data.conn.sni in self._intercepted_hosts():
            logger.warning(
                "An agent refuses mitmproxy's certificate for %s. Start it with `detour run`, or "
                "give it the variables that `detour env` prints. (%s)",
                data.conn.sni,
                data.conn.error,
            )

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Decide about a large request by its head alone, where that can be done."""
        size = announced_size(flow.request)
        if size is not None and size < LARGE and not flow.request.stream:
            return
        if flow.response or flow.error or not flow.live or flow.is_replay:
            return
        await self._begin(flow, unread=True)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Decide about a call, before anything of it has gone anywhere."""
        quieten(flow)
        if flow.response or flow.error or not flow.live or self._exchanges.get(flow):
            return
        await self._begin(flow)

    async def _begin(self, flow: http.HTTPFlow, *, unread: bool = False) -> None:
        try:
            self._identities.note(flow)
            if flow.is_replay == "request":
                replay.begin_again(flow)
            if host_of(flow.request) in self._intercepted_hosts():
                agent, secrets = self._identities.agent(flow), secrets_in(flow.request)
                flow.metadata[AGENT] = plain(split_name(agent)[0] or "")
                trace = trace_of_flow(flow, flow.request) if self._books.traces else None
                if unread:
                    await self._take_unread(flow)
                else:
                    await self._take(flow)
                self._exchanges.introduce(flow, agent, secrets, trace)
        except Exception:
            logger.exception("Detour failed to handle a call; the agent gets an error")
            endpoint = endpoint_of(flow.request, provider_for_host)
            error = ErrorInfo("server_error", "Detour failed to handle this call; see its log.")
            refusal = Refusal(error, "failed")
            note_decision(flow, endpoint, refusal)
            self._exchanges.add(flow, Exchange(endpoint=endpoint, decided=refusal))
            refuse(flow, error, endpoint.error_format)
        if unread and (exchange := self._exchanges.get(flow)) is not None:
            flow.request.stream = True
            if flow.response is not None:
                exchange.delivery = swallow(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Let a stream pass as it comes, and remember it."""
        exchange = self._exchanges.get(flow)
        if exchange is None or flow.response is None or flow.response.status_code == 101:
            return
        # Also a stream whose content type does not say so, as Gemini's JSON arrays are.
        routed = exchange.route is not None and exchange.route.call.flows
        answered = exchange.delivery is not None and "content-length" not in flow.response.headers
        if exchange.passes or (answered and (routed or exchange.streams)):
            flow.response.stream = True
        if exchange.passes:
            hide_secrets(flow.request)
        if flow.response.stream:
            exchange.recorder = display.record(flow, exchange, self._read_settings().body_limit)

    def response(self, flow: http.HTTPFlow) -> None:
        """A call has been answered to its end, or a WebSocket begins."""
        exchange = self._exchanges.get(flow)
        if exchange is None or exchange.delivery is None or flow.websocket is None:
            self._finish(flow)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Keep the messages of a WebSocket within bounds: each response shows on its own."""
        exchange = self._exchanges.get(flow)
        if exchange is not None and exchange.delivery is not None:
            display.trim_messages(flow)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """A WebSocket has been closed."""
        self._finish(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """The agent has gone, or the connection has failed."""
        delivery = self._exchanges.delivery(flow)
        if delivery is not None:
            delivery.cancel()
        self._finish(flow)

    async def _take_unread(self, flow: http.HTTPFlow) -> None:
        """Let the rules decide about a large call, if they can without its body."""
        # mitmproxy's own options may want it to flow, but the rules speak first.
        flow.request.stream = False
        rules = self._rules(look=False)
        incoming = self._incoming(flow, flow.request, rules, unread=True)
        if plan_unread(incoming, rules) is not None:
            await self._take(flow, incoming)
            return
        limit = self._read_settings().body_limit
        if (announced_size(flow.request) or 0) > limit:
            error = BodyTooLargeError(limit)
            told = Refusal(error.to_error_info(), "refused", error.status)
            self._refuse(flow, incoming.endpoint, told)

    async def _take(self, flow: http.HTTPFlow, incoming: Incoming | None = None) -> None:
        """Let the rules decide about a call to an intercepted host."""
        endpoint: Endpoint | None = None
        upgrade = is_upgrade(flow.request)
        decided: Decided | Handshake | None = None
        try:
            rules = replay.rules_for(flow, self._rules(look=False))
            incoming = incoming or self._incoming(flow, flow.request, rules)
            endpoint = incoming.endpoint
            if upgrade:
                decided = plan_upgrade(endpoint, incoming.headers, incoming.agent, rules)
            if decided is None:
                keep_alive = self._read_settings().keep_alive
                decided = await self._preparation.decide(
                    incoming, rules, keep_alive, self._kept(), self._pool(), self._books.spending
                )
        except DetourError as error:
            known = isinstance(error, StateError | BodyTooLargeError)
            status = error.status if known else None
            decided = Refusal(error.to_error_info(), "refused", status)
            if upgrade and isinstance(error, RulesError):
                decided = NO_WEBSOCKET  # by HTTP it is told what is wrong
            endpoint = endpoint or endpoint_of(flow.request, provider_for_host)
        match decided:
            case Pass():
                note_decision(flow, endpoint, decided)
                passing = Exchange(endpoint=endpoint, passes=True, decided=decided)
                self._exchanges.add(flow, passing)
                self._books.begin(flow, passing)
            case Refusal():
                self._refuse(flow, endpoint, decided)
            case Answered():
                note_decision(flow, endpoint, decided)
                self._exchanges.add(flow, await give(flow, endpoint, decided))
            case Route() if upgrade:
                self._sockets.relay(flow, endpoint, decided)
            case Route():
                await self._routing.begin(flow, endpoint, decided)
            case Handshake():
                self._sockets.serve(flow, endpoint, decided, self._read_settings())
        self._note_what_to_keep(flow, decided)

    def _delivery(self, flow: http.HTTPFlow) -> Delivery | None:
        """Return what answers a flow in place of a server; asked when one is to be connected to."""
        exchange = self._exchanges.get(flow)
        if exchange is None and flow.request.stream and self._most_held(flow) < NO_LIMIT:
            # In the middle of it, it has become too large to be held; nobody has decided about it.
            endpoint = endpoint_of(flow.request, provider_for_host)
            by_option = ctx.options.stream_large_bodies
            limit = BodyTooLargeError(self._read_settings().body_limit)
            error = FLOWS_UNDECIDED if by_option else limit.to_error_info()
            self._refuse(flow, endpoint, Refusal(error, "refused", 413))
            return swallow(flow)
        return None if exchange is None else exchange.delivery

    def _most_held(self, flow: http.HTTPFlow) -> int:
        """Say how many bytes of a request mitmproxy may hold."""
        intercepted = host_of(flow.request) in self._intercepted_hosts()
        return self._read_settings().body_limit if intercepted else NO_LIMIT

    def _note_what_to_keep(self, flow: http.HTTPFlow, decided: Decided | Handshake) -> None:
        """Ask the rules whether what is said in an exchange is kept."""
        exchange = self._exchanges.get(flow)
        if exchange is not None and isinstance(decided, Route | Pass | Refusal):
            with contextlib.suppress(RulesError):
                exchange.keeps_bodies = self._rules(look=False).keeps_bodies_of(decided.rule)

    def _kept(self) -> State:
        """Return what Detour keeps of Responses, for which the vault is opened."""
        if self._state is None:
            self._state = State(self.vault(), self._read_settings().keep_alive)
        return self._state

    def _refuse(self, flow: http.HTTPFlow, endpoint: Endpoint, refusal: Refusal) -> None:
        self._exchanges.add(flow, Exchange(endpoint=endpoint, decided=refusal))
        note_decision(flow, endpoint, refusal)
        hide_secrets(flow.request)
        flow.comment = plain(f"{refusal.comment}: {refusal.error.message}")
        logger.warning("%s: %s", endpoint.place, flow.comment)
        headers = {"upgrade": "HTTP/1.1"} if refusal is NO_WEBSOCKET else None
        refuse(flow, refusal.error, endpoint.error_format, status=refusal.status, headers=headers)

    def _finish(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.end(flow)
        if exchange is None:
            return
        display.show_end(flow, exchange)
        self._record(flow, exchange)
        settings = self._read_settings()
        self._flow_limit.keep(flow, settings.flow_limit, settings.flow_size)

    def _record(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Enter an exchange into the ledger, once all of it is known."""
        if exchange.session is not None or exchange.job is not None:
            return  # each response of a socket has a flow of its own, and a job ends by itself
        if exchange.delivery is None:
            self._books.enter(flow, exchange)
        else:
            exchange.delivery.when_ended(lambda: self._books.enter(flow, exchange))

    def _incoming(
        self, flow: http.HTTPFlow, request: http.Request, rules: Rules, *, unread: bool = False
    ) -> Incoming:
        """Gather what the rules may look at; the body of what is `unread` is not there yet.

        Raises:
            ClientRequestError: The body cannot be unpacked.
        """
        limit = None if unread else self._read_settings().body_limit
        agent = self._identities.agent(flow, request)
        return incoming_of(flow, request, rules, agent, limit, traced=self._books.traces)

    def _rules(self, *, look: bool = True) -> Rules:
        """Return the rules in force; without a look at the file, those of the last look.

        Raises:
            RulesError: There are none.
        """
        self._read_settings()
        return self._in_force.current() if look else self._in_force.latest()

    def _intercepted_hosts(self) -> tuple[str, ...]:
        self._read_settings()
        return self._in_force.intercepted_hosts()

    def _read_settings(self) -> options.Settings:
        """Return the options; mitmproxy does not configure addons that a program adds."""
        if self._settings is None:
            self.configure(set())
        assert self._settings is not None
        return self._settings

    def _pool(self) -> ClientPool:
        if self._clients is None:
            self._clients = upstream.make_pool(ctx.options)
        return self._clients

    def _close_clients(
        self, leaving: Sequence[Delivery] = (), *, last: bool = False
    ) -> asyncio.Task[None] | None:
        self._preparation.reset()
        clients, self._clients = self._clients, None

        async def close() -> None:
            await asyncio.gather(*(delivery.finish(FAREWELL) for delivery in leaving))
            if clients is not None:
                await clients.aclose()
            if last:
                self._books.close()

        if clients is not None or leaving or last:
            self._closing = asyncio.create_task(close())
        return self._closing
