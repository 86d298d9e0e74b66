"""Plans a call, and fetches beforehand what its provider cannot fetch by itself."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import ctx
from msgspec.structs import replace

from addon.engine import ClientPool, MediaFetcher
from addon.engine.addresses import is_public
from addon.interceptor import upstream
from addon.interceptor.model_answers import Models, model_question
from addon.interceptor.planning import Decided, Fetch, Incoming
from addon.interceptor.state import State
from addon.interceptor.state_planning import plan_call
from addon.rules import Rules
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

    def reset(self) -> None:
        """Connect anew from now on: the options that count for connections have changed."""
        self._fetcher = None

    async def decide(
        self,
        incoming: Incoming,
        rules: Rules,
        keep_alive: float,
        state: State,
        clients: ClientPool,
    ) -> Decided:
        """Ask the rules about a request and prepare what they say.

        Raises:
            DetourError: It cannot be done.
        """
        await self._models.freshen(rules, incoming, clients)
        if question := model_question(incoming):
            return await self._models.answer(question, incoming, rules, clients)
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
