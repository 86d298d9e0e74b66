"""One rule of the file: conditions, and what to do with the calls that meet them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from addon.providers import FallbackPolicy, Provider
from addon.rules.carrying import carries
from addon.rules.conditions import (
    AgentCondition,
    Condition,
    EndpointCondition,
    HeaderCondition,
    ModelCondition,
    ProviderCondition,
    SwitchedOff,
)
from addon.rules.facts import CallFacts
from addon.rules.limits import Limit
from addon.rules.problems import Mark
from addon.rules.signatures import Phase
from addon.rules.targets import Target, Verdict

type Use = tuple[Target, ...] | Verdict
"""Targets in order of preference, or a verdict."""

_EARLY = (SwitchedOff, EndpointCondition, ProviderCondition, AgentCondition, HeaderCondition)
"""What is known to hold, or not to, before the body has come."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and what to use."""

    name: str
    mark: Mark
    """Where it stands in the file."""
    conditions: tuple[Condition, ...] = ()
    """All must hold; the cheap ones come first, and `SwitchedOff` before all."""
    enabled: bool = True
    use: Use
    """What to use, unless `by_phase` says it."""
    by_phase: dict[Phase, Use] = {}
    """What to use in each phase. Without `other` the rule applies in no phase but those named."""
    fallback: FallbackPolicy = FallbackPolicy()
    """When a call goes on to the next target."""
    limits: tuple[Limit, ...] = ()
    """How much its calls may use."""
    key: dict[str, Any] | None = None
    """Fields of the provider that make these calls go under another key."""
    set: dict[str, Any] = {}
    """Fields of the agent's body to give another value."""
    drop: tuple[str, ...] = ()
    """Fields of the agent's body to leave out."""
    keeps_bodies: bool | None = None
    """Whether what is said in its calls is kept; None: as the file says for all."""

    def obstacle(self, facts: CallFacts) -> str | None:
        """Say why the rule does not apply to a call; None if it does."""
        for condition in self.conditions:
            if not condition.holds(facts):
                return condition.why_not(facts)
        if self.use_for(facts) is None:
            return f"the phase is {facts.phase}, and `use` names {', '.join(self.by_phase)} only"
        return None

    def use_of(self, facts: CallFacts, providers: Mapping[str, Provider]) -> Use | None:
        """Say what to use for a call that meets the conditions; None where nothing fits.

        Of an endpoint in which nothing is translated, a rule that does not name it speaks only
        where its target offers that very endpoint, with a model that may well be meant for it.
        """
        use = self.use_for(facts)
        if not facts.path or use is None or isinstance(use, str) or self.names(facts.endpoint):
            return use
        by_model = any(isinstance(condition, ModelCondition) for condition in self.conditions)
        return (
            tuple(
                target
                for target in use
                if carries(target, providers[target.provider], facts, by_model=by_model)
            )
            or None
        )

    def names(self, endpoint: str) -> bool:
        """Tell whether it says that it is about this endpoint."""
        return any(
            isinstance(condition, EndpointCondition) and endpoint in condition.endpoints
            for condition in self.conditions
        )

    def use_for(self, facts: CallFacts) -> Use | None:
        """Say what to use for a call that meets the conditions; None where no phase fits."""
        if not self.by_phase:
            return self.use
        return self.by_phase.get(facts.phase) or self.by_phase.get("other")

    def may_apply(self, facts: CallFacts) -> bool:
        """Tell whether it may apply to a call whose body is not known yet."""
        known = (one for one in self.conditions if isinstance(one, _EARLY))
        return all(condition.holds(facts) for condition in known)

    @property
    def is_known_before_the_body(self) -> bool:
        """Whether no body is needed to tell whether it applies."""
        return not self.by_phase and all(
            isinstance(condition, _EARLY) for condition in self.conditions
        )
