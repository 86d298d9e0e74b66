"""Why a rule applies to a call, told when somebody may look at it, not while an agent waits."""

from __future__ import annotations

from addon.rules import Decision


class Reasons:
    """Remembers a decision until it has been put into words."""

    def __init__(self, decision: Decision) -> None:
        self._decision: Decision | None = decision
        self._why: list[list[str]] = []
        self._phase = ""

    @property
    def why(self) -> list[list[str]]:
        """The names of the rules that do not apply, each with what stands against it."""
        self._tell()
        return self._why

    @property
    def phase(self) -> str:
        """What the agent is doing, where that is known without reading the request for it."""
        self._tell()
        return self._phase

    def _tell(self) -> None:
        decision, self._decision = self._decision, None
        if decision is None:
            return
        self._why = [[step.rule, step.reason] for step in decision.trace if not step.matched]
        facts = decision.facts
        if facts.stated_phase is not None or facts.is_parsed:
            self._phase = facts.phase
