"""The commands `detour.*`, for mitmweb's command bar and mitmproxy's console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mitmproxy import command, ctx, exceptions, http
from mitmproxy.flow import Flow

from addon.interceptor import access, explaining, replay
from addon.interceptor.planning import Incoming
from addon.neutral import DetourError
from addon.rules import Rules, RulesError, with_one_target
from addon.views.comparison import compare, summarize
from addon.views.metadata import COMPARISON, REPLAY_OF


class Commands:
    """An addon within the addon."""

    def __init__(
        self,
        rules: Callable[[], Rules],
        rules_file: Callable[[], Path],
        incoming: Callable[[http.HTTPFlow, http.Request, Rules], Incoming],
    ) -> None:
        """Prepare the commands.

        Args:
            rules: Returns the rules in force, after a look at the file.
            rules_file: Returns where they are.
            incoming: Gathers what rules may look at.
        """
        self._rules = rules
        self._rules_file = rules_file
        self._incoming = incoming

    @command.command("detour.reload")
    def reload_rules(self) -> str:
        """Read the rules file now, and say what is in force."""
        try:
            rules = self._rules()
        except RulesError as error:
            return str(error)
        return f"{len(rules.rules)} rules of {self._rules_file()} are in force."

    @command.command("detour.explain")
    def explain(self, flows: Sequence[Flow]) -> str:
        """Say which rule applies to each flow now, and why the earlier ones do not."""
        try:
            rules = self._rules()
            return "\n\n".join(
                explaining.explain(self._incoming(flow, replay.original(flow), rules), rules)
                for flow in flows
                if isinstance(flow, http.HTTPFlow)
            )
        except DetourError as error:
            raise exceptions.CommandError(str(error)) from error

    @command.command("detour.replay")
    def replay(self, flow: Flow, target: str) -> str:
        """Send what the agent sent once more, to PROVIDER:MODEL, as a new flow."""
        if not isinstance(flow, http.HTTPFlow) or flow.websocket is not None:
            raise exceptions.CommandError("Only calls by HTTP can be sent again.")
        if flow.request.raw_content is None:
            raise exceptions.CommandError("The request has not come to its end.")
        try:
            with_one_target(self._rules(), target, "")
        except DetourError as error:
            raise exceptions.CommandError(str(error)) from error
        again = replay.to_target(flow, target)
        view = access.view()
        if view is not None:
            view.add([again])
        ctx.master.commands.call("replay.client", [again])
        return f"Sent again to {target}: flow {again.id}"

    @command.command("detour.compare")
    def compare(self, flows: Sequence[Flow], others: Sequence[Flow] = ()) -> Sequence[str]:
        """Compare two answers side by side: `@marked`, two flows, or a replay and its original."""
        found = [flow for flow in (*flows, *others) if isinstance(flow, http.HTTPFlow)]
        if len(found) == 1 and (original := self._original(found[0])) is not None:
            found.insert(0, original)
        if len(found) != 2:
            raise exceptions.CommandError(
                f"Expected two flows, or one that is a replay; found {len(found)}."
            )
        text = compare(*found)
        for flow in found:
            flow.metadata[COMPARISON] = text
        view = access.view()
        if view is not None:
            view.update(found)
        place = 'The view "Detour comparison" of either flow shows both answers side by side.'
        return [*summarize(*found), place]

    def _original(self, flow: http.HTTPFlow) -> http.HTTPFlow | None:
        """Find the flow that one is a replay of."""
        view = access.view()
        found = view.get_by_id(str(flow.metadata.get(REPLAY_OF))) if view is not None else None
        return found if isinstance(found, http.HTTPFlow) else None
