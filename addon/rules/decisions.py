"""Choosing the rule for a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, override

import msgspec

from addon.formats.base import FormatName
from addon.neutral import DetourError, ErrorInfo
from addon.providers import (
    BUILT_IN,
    Destination,
    KeyRing,
    Provider,
    hosts,
    provider_for_host,
)
from addon.rules.conditions import (
    AgentCondition,
    Condition,
    EndpointCondition,
    HeaderCondition,
    ProviderCondition,
)
from addon.rules.facts import CallFacts
from addon.rules.problems import Mark, Problem
from addon.rules.targets import Target, Verdict

type Action = Literal["route", "pass", "block"]
type WebSockets = Literal["accept", "refuse"]

DEFAULT_INTERCEPT = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
)

_KNOWN_BEFORE_THE_BODY = (EndpointCondition, ProviderCondition, AgentCondition, HeaderCondition)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and what to use."""

    name: str
    mark: Mark
    """Where it stands in the file."""
    conditions: tuple[Condition, ...] = ()
    """All must hold; the cheap ones come first."""
    use: tuple[Target, ...] | Verdict
    set: dict[str, Any] = {}
    """Fields of the agent's body to give another value."""
    drop: tuple[str, ...] = ()
    """Fields of the agent's body to leave out."""

    def obstacle(self, facts: CallFacts) -> str | None:
        """Say why the rule does not apply to a call; None if it does."""
        for condition in self.conditions:
            if not condition.holds(facts):
                return condition.why_not(facts)
        return None


class DisabledProvider(DetourError):
    """A call is to go to a provider that is switched off."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"the provider {provider} is disabled in rules.yaml; `detour providers enable"
            f" {provider}` enables it"
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("permission", str(self), code="provider_disabled")


class Step(NamedTuple):
    """What became of one rule on the way to a decision."""

    rule: str
    matched: bool
    reason: str
    """Why it did not apply; empty if it did."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a call."""

    action: Action
    rule: Rule | None = None
    """The rule that applies; None when it is the default."""
    destinations: tuple[Destination, ...] = ()
    """Where to send the call; the first is used."""
    set: dict[str, Any] = {}
    drop: tuple[str, ...] = ()
    facts: CallFacts
    considered: tuple[Rule, ...]
    """The rules that were looked at, the one that applies included."""

    @property
    def rule_name(self) -> str:
        """The rule's name, or `default`."""
        return self.rule.name if self.rule else "default"

    @property
    def trace(self) -> tuple[Step, ...]:
        """What became of each rule that was looked at, found anew: most calls never ask.

        Read it before anything that a filter expression looks at is changed.
        """
        obstacles = ((rule, rule.obstacle(self.facts)) for rule in self.considered)
        return tuple(Step(rule.name, reason is None, reason or "") for rule, reason in obstacles)


class Rules:
    """What a rules file says.

    Attributes:
        providers: Where calls can go, by id: the built-in places as the file changes them, and
            those it adds.
        rules: In the order of the file.
        default: What happens to calls that no rule applies to.
        intercept: Hosts whose calls are looked at.
        keys: The keys that go with the file.
        websocket: Whether agents may call the Responses API by WebSocket.
        notices: What is legal in the file but surely not meant.
    """

    def __init__(
        self,
        *,
        providers: dict[str, Provider],
        rules: Iterable[Rule] = (),
        default: Target | Verdict = "pass",
        intercept: tuple[str, ...] = DEFAULT_INTERCEPT,
        keys: KeyRing,
        websocket: WebSockets = "accept",
        notices: tuple[Problem, ...] = (),
    ) -> None:
        self.providers = providers
        self.rules = tuple(rules)
        self.default: Target | Verdict = default
        self.intercept = intercept
        self.keys = keys
        self.websocket: WebSockets = websocket
        self.notices = notices
        self._provider_of_host = {
            host: provider.id
            for provider in providers.values()
            if BUILT_IN.get(provider.id) is not provider
            for host in hosts(provider)
        }

    def provider_for_host(self, host: str) -> str | None:
        """Name the provider that answers at a host, those of the file included."""
        return provider_for_host(host) or self._provider_of_host.get(host.lower())

    def hosts_of(self, name: str) -> tuple[str, ...]:
        """List the hosts where a provider answers."""
        return tuple(sorted(hosts(self.providers[name])))

    def targets(self) -> Iterator[Target]:
        """Go through all targets, in the order of the file."""
        for rule in self.rules:
            yield from () if isinstance(rule.use, str) else rule.use
        if isinstance(self.default, Target):
            yield self.default

    def decide(self, facts: CallFacts, agent_format: FormatName) -> Decision:
        """Find the first rule whose conditions all hold for a call.

        Args:
            facts: The call.
            agent_format: The format that the agent speaks; a destination is called in it where it
                offers it.

        Raises:
            UnsupportedFeature: Detour speaks no format of the provider.
            DisabledProvider: Nowhere else may the call go.
        """
        for index, rule in enumerate(self.rules):
            for condition in rule.conditions:
                if not condition.holds(facts):
                    break
            else:
                return Decision(
                    action=rule.use if isinstance(rule.use, str) else "route",
                    rule=rule,
                    destinations=self._destinations(rule.use, facts, agent_format),
                    set=rule.set,
                    drop=rule.drop,
                    facts=facts,
                    considered=self.rules[: index + 1],
                )
        use = self.default if isinstance(self.default, str) else (self.default,)
        return Decision(
            action=use if isinstance(use, str) else "route",
            destinations=self._destinations(use, facts, agent_format),
            facts=facts,
            considered=self.rules,
        )

    def may_divert(self, facts: CallFacts) -> bool:
        """Tell whether anything but `pass` could become of a call whose body is not known yet."""
        for rule in self.rules:
            known = [one for one in rule.conditions if isinstance(one, _KNOWN_BEFORE_THE_BODY)]
            if not all(condition.holds(facts) for condition in known):
                continue
            if rule.use != "pass":
                return True
            if len(known) == len(rule.conditions):
                return False
        return self.default != "pass"

    def _destinations(
        self, use: tuple[Target, ...] | Verdict, facts: CallFacts, agent_format: FormatName
    ) -> tuple[Destination, ...]:
        if isinstance(use, str):
            return ()
        destinations: list[Destination] = []
        for target in use:
            provider = self.providers[target.provider]
            if not provider.enabled:
                continue
            name = provider.format_for(agent_format)
            model = target.model_for(facts.model)
            destinations.append(Destination(provider, name, provider.base_urls[name], model))
        if not destinations:
            raise DisabledProvider(use[0].provider)
        return tuple(destinations)

    @override
    def __repr__(self) -> str:
        """Count the rules."""
        return f"<Rules {len(self.rules)}>"
