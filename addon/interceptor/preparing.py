"""Plans a call, and fetches beforehand what its provider cannot fetch by itself."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import ctx
from msgspec.structs import replace

from addon.engine import Attempt, Call, Chain, ClientPool, Cooldowns, MediaFetcher, place_of
from addon.engine.addresses import is_public
from addon.interceptor import upstream
from addon.interceptor.model_answers import Models, model_question
from addon.interceptor.planning import Decided, Fetch, Incoming, Pass, PassedOver, Route
from addon.interceptor.spending import Spending
from addon.interceptor.state import State
from addon.interceptor.state_planning import plan_call
from addon.neutral import DetourError
from addon.rules import Excess, Rule, Rules, split_name
from addon.vault import Vault


class Preparation:
    """Gets calls ready for the engine."""

    def __init__(self, permits_address: Callable[[str], bool] = is_public) -> None:
        """Prepare.

        Args:
            permits_address: Tells from which IP addresses media may be fetched.
        """
        self._permits_address = permits_address
        self._fetcher: MediaFetcher | None = None
        self._models = Models()
        self._cooldowns = Cooldowns()

    def reset(self) -> None:
        """Connect anew from now on: the options that count for connections have changed."""
        self._fetcher = None
        self._models.stop()

    async def decide(
        self,
        incoming: Incoming,
        rules: Rules,
        keep_alive: float,
        state: State,
        clients: ClientPool,
        spending: Spending,
    ) -> Decided:
        """Ask the rules about a request and prepare what they say.

        Raises:
            DetourError: It cannot be done.
        """
        await self._models.freshen(rules, incoming, clients)
        if question := model_question(incoming):
            return await self._models.answer(question, incoming, rules, clients)
        await spending.prepare(rules)
        incoming = replace(incoming, excess=_once(spending))
        planned, passed_over = await self._first(incoming, rules, keep_alive, state)
        if await self._models.owns(planned, incoming, rules, clients):
            planned, passed_over = await self._first(incoming, rules, keep_alive, state)
        if isinstance(planned, Route | Pass) and planned.limited is not None:
            agent = split_name(incoming.agent)[0] or None
            admission = spending.admit(planned.limited, agent)
            if admission is None:  # others have been let through meanwhile
                incoming = replace(incoming, excess=_once(spending))
                planned, passed_over = await self._first(incoming, rules, keep_alive, state)
            else:
                planned = replace(planned, admission=admission)
        if not isinstance(planned, Route):
            return planned
        begun = planned
        places = tuple(map(place_of, planned.destinations))
        if not places or (len(places) == 1 and not planned.fallback.retries):
            return planned
        first = len(passed_over)
        planned.call.outcome.attempts += tuple(
            Attempt(provider=provider, model=model, error=error.to_error_info(), seconds=0)
            for (provider, model), error in zip(places, passed_over, strict=False)
        )
        able = range(first, len(places))
        position = next((i for i in able if not self._cooldowns.left(places[i])), first)

        async def prepare(index: int) -> Call:
            other = await self._plan(replace(incoming, place=index), rules, keep_alive, state)
            if not isinstance(other, Route) or not _is_answered_alike(begun, other):
                raise DetourError("the request means something else there")
            begun.successors.append(other)
            return other.call

        if position != first:
            try:
                planned = replace(planned, call=await prepare(position))
            except DetourError:
                position = first  # it is no better than one that has failed of late
        chain = Chain(planned.fallback, places, position, prepare, self._cooldowns)
        planned.call.chain = chain
        return planned

    async def _first(
        self, incoming: Incoming, rules: Rules, keep_alive: float, state: State
    ) -> tuple[Decided, list[DetourError]]:
        """Plan a call for the first target that can take it; say why earlier ones cannot.

        Raises:
            DetourError: It cannot be done.
        """
        passed_over: list[DetourError] = []
        while True:
            here = replace(incoming, place=len(passed_over))
            try:
                return await self._plan(here, rules, keep_alive, state), passed_over
            except PassedOver as passed:
                passed_over.append(passed.error)

    async def _plan(
        self, incoming: Incoming, rules: Rules, keep_alive: float, state: State
    ) -> Decided:
        planned = plan_call(incoming, rules, keep_alive, state)
        if isinstance(planned, Fetch):
            media = await self._media(state.vault).fetch(planned.wanted, planned.policy)
            planned = plan_call(replace(incoming, media=media), rules, keep_alive, state)
            assert not isinstance(planned, Fetch)
        return planned

    def _media(self, vault: Vault) -> MediaFetcher:
        if self._fetcher is None:
            connections = upstream.make_media_connections(ctx.options, self._permits_address)
            self._fetcher = MediaFetcher(connections, vault)
        return self._fetcher


def _once(spending: Spending) -> Callable[[Rule, str | None], Excess | None]:
    """Ask only once what is left, so that a call is planned for the same targets all along."""
    answers: dict[str, Excess | None] = {}

    def ask(rule: Rule, agent: str | None) -> Excess | None:
        if rule.name not in answers:
            answers[rule.name] = spending.excess(rule, agent)
        return answers[rule.name]

    return ask


def _is_answered_alike(one: Route, other: Route) -> bool:
    """Tell whether the answer of one route can take the place of another's."""
    in_background = [
        route.remembered is not None and route.remembered.background for route in (one, other)
    ]
    return in_background[0] == in_background[1] and (one.transform is None) == (
        other.transform is None
    )
