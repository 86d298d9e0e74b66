"""Choosing the rule for a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal, NamedTuple, override

import msgspec

from addon.formats.base import FormatName
from addon.neutral import DetourError
from addon.providers import (
    BUILT_IN,
    Destination,
    FallbackPolicy,
    KeyRing,
    MediaPolicy,
    Provider,
    hosts,
    provider_for_host,
)
from addon.rules.carrying import carries, first_fitting
from addon.rules.disabled import DisabledProvider
from addon.rules.facts import CallFacts
from addon.rules.model_names import explicit_target, makers, owners
from addon.rules.problems import START, Problem
from addon.rules.rule import Rule, Use
from addon.rules.targets import AUTO, Target, Verdict

type Action = Literal["route", "pass", "block"]
type WebSockets = Literal["accept", "refuse"]

DEFAULT_INTERCEPT = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
)


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
    """The rule that applies; None when none does."""
    reason: str = "default"
    """What decided where no rule did: `default`, the model's name, ..."""
    destinations: tuple[Destination, ...] = ()
    """Where to send the call, in order of preference."""
    set: dict[str, Any] = {}
    drop: tuple[str, ...] = ()
    limited: bool = False
    """Whether a limit of the rule is used up, and this is what it says for then."""
    facts: CallFacts
    considered: tuple[Rule, ...]
    """The rules that were looked at, the one that applies included."""

    @property
    def rule_name(self) -> str:
        """The rule's name, or what decided in place of a rule."""
        if self.rule is None:
            return self.reason
        return f"{self.rule.name}, limit reached" if self.limited else self.rule.name

    @property
    def fallback(self) -> FallbackPolicy:
        """When the call goes on to the next destination."""
        return self.rule.fallback if self.rule else FallbackPolicy()

    @property
    def trace(self) -> tuple[Step, ...]:
        """What became of each rule that was looked at, found anew: most calls never ask.

        Read it before anything that a filter expression looks at is changed.
        """
        obstacles = ((rule, self._obstacle(rule)) for rule in self.considered)
        return tuple(Step(rule.name, reason is None, reason or "") for rule, reason in obstacles)

    def _obstacle(self, rule: Rule) -> str | None:
        reason = rule.obstacle(self.facts)
        if reason is None and rule is not self.rule:
            return f"it does not name the endpoint {self.facts.endpoint}, which its target lacks"
        return reason


class Rules:
    """What a rules file says.

    Attributes:
        providers: Where calls can go, by id: the built-in places as the file changes them, and
            those it adds.
        rules: In the order of the file.
        default: What happens to calls that no rule applies to.
        intercept: Hosts whose calls are looked at.
        aliases: The file's own names for targets.
        by_model_name: Whether an agent may choose by the name of the model.
        media: What may be fetched for providers that cannot.
        keys: The keys that go with the file.
        websocket: Whether agents may call the Responses API by WebSocket.
        keeps_bodies: Whether what is said in calls is kept, where no rule says otherwise.
        notices: What is legal in the file but surely not meant.
        local: The provider `local` as the file has it; among `providers` it is as it was found.
    """

    def __init__(
        self,
        *,
        providers: dict[str, Provider],
        rules: Iterable[Rule] = (),
        default: Target | Verdict = "pass",
        intercept: tuple[str, ...] = DEFAULT_INTERCEPT,
        aliases: dict[str, Target] | None = None,
        by_model_name: bool = True,
        media: MediaPolicy = MediaPolicy(),  # noqa: B008 - immutable
        keys: KeyRing,
        websocket: WebSockets = "accept",
        keeps_bodies: bool = False,
        notices: tuple[Problem, ...] = (),
    ) -> None:
        self.providers = providers
        self.rules = tuple(rules)
        self.default: Target | Verdict = default
        self.intercept = intercept
        self.aliases = aliases or {}
        self.by_model_name = by_model_name
        self.media = media
        self.keys = keys
        self.websocket: WebSockets = websocket
        self.keeps_bodies = keeps_bodies
        self.notices = notices
        self.local = providers.get("local", BUILT_IN["local"])
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

    @property
    def finds_local(self) -> bool:
        """Whether `local` is whatever runs on this machine: the file gives no address, and no key.

        A key would be shown to whoever listens.
        """
        local, built_in = self.local, BUILT_IN["local"]
        unchanged = local.base_urls is built_in.base_urls and local.api_key is built_in.api_key
        return local.enabled and unchanged and not local.headers

    @cached_property
    def limited(self) -> tuple[Rule, ...]:
        """The rules whose calls may not use as much as they like."""
        return tuple(rule for rule in self.rules if rule.limits)

    @cached_property
    def uses_local(self) -> bool:
        """Whether the file sends calls to `local`."""
        return any(target.provider == "local" for target in self.targets())

    def may_own_locally(self, model: str) -> bool:
        """Tell whether a model that no rule takes may be one of a server on this machine.

        Names that makers elsewhere give their models are not worth asking for.
        """
        unknown = bool(model) and not makers(model) and not model.startswith("ft:")
        return unknown and self.by_model_name and self.finds_local

    def targets(self) -> Iterator[Target]:
        """Go through all targets of what is in use, in the order of the file."""
        for rule in (rule for rule in self.rules if rule.enabled):
            for use in rule.by_phase.values() or (rule.use,):
                yield from () if isinstance(use, str) else use
            for limit in rule.limits:
                yield from limit.otherwise if isinstance(limit.otherwise, tuple) else ()
        yield from self.aliases.values()
        if isinstance(self.default, Target):
            yield self.default

    def keeps_bodies_of(self, rule: str | None) -> bool:
        """Tell whether what is said in the calls of a rule is kept; None: of no rule."""
        said = next((each.keeps_bodies for each in self.rules if each.name == rule), None)
        return self.keeps_bodies if said is None else said

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
        if chosen := self._asked_for(facts, agent_format):
            return chosen
        for index, rule in enumerate(self.rules):
            for condition in rule.conditions:
                if not condition.holds(facts):
                    break
            else:
                use = rule.use_of(facts, self.providers)
                if use is None:
                    continue
                return self._ruled(index, use, facts, agent_format)
        return self._owned(facts, agent_format) or self._by_default(facts, agent_format)

    def _asked_for(self, facts: CallFacts, agent_format: FormatName) -> Decision | None:
        """Go by an alias, or by a model name that says where to go."""
        if target := self.aliases.get(facts.model):
            return self._chosen(target, f"alias {facts.model}", facts, agent_format)
        if not self.by_model_name:
            return None
        found = explicit_target(facts.model, self.providers, facts.provider)
        if found is None:
            return None
        return self._chosen(Target(*found, START), "model name", facts, agent_format)

    def _owned(self, facts: CallFacts, agent_format: FormatName) -> Decision | None:
        """Go to the provider that owns the model, where it is not the one that was called."""
        if not self.by_model_name:
            return None
        for name in owners(facts.model, self.providers):
            if name == facts.provider:
                return None
            if self._is_ready(self.providers[name]):
                target = Target(name, facts.model.removeprefix("models/"), START)
                if facts.path and not carries(target, self.providers[name], facts, by_model=True):
                    return None
                return self._chosen(
                    target, "owner of the model", facts, agent_format, considered=self.rules
                )
        return None

    def _is_ready(self, provider: Provider) -> bool:
        """Tell whether a provider can be called without having been named."""
        try:
            reachable = provider.enabled and bool(provider.base_urls)
            return reachable and bool(self.keys.source(provider))
        except DetourError:
            return False

    def _chosen(
        self,
        target: Target,
        reason: str,
        facts: CallFacts,
        agent_format: FormatName,
        considered: tuple[Rule, ...] = (),
    ) -> Decision:
        return Decision(
            action="route",
            reason=reason,
            destinations=self._destinations((target,), facts, agent_format),
            facts=facts,
            considered=considered,
        )

    def _ruled(self, index: int, use: Use, facts: CallFacts, agent_format: FormatName) -> Decision:
        rule = self.rules[index]
        return Decision(
            action=use if isinstance(use, str) else "route",
            rule=rule,
            destinations=self._destinations(use, facts, agent_format, rule.key),
            set=rule.set,
            drop=rule.drop,
            facts=facts,
            considered=self.rules[: index + 1],
        )

    def _by_default(self, facts: CallFacts, agent_format: FormatName) -> Decision:
        use = self.default if isinstance(self.default, str) else (self.default,)
        fits = not facts.path or all(
            isinstance(target, str)
            or carries(target, self.providers[target.provider], facts, by_model=False)
            for target in use
        )
        return Decision(
            action=use if isinstance(use, str) else "route",
            destinations=self._destinations(use, facts, agent_format) if fits else (),
            facts=facts,
            considered=self.rules,
        )

    def instead(self, decision: Decision, use: Use, agent_format: FormatName) -> Decision:
        """Say what becomes of a call whose rule has used up its limit.

        Raises:
            UnsupportedFeature: Detour speaks no format of the provider.
            DisabledProvider: Nowhere else may the call go.
        """
        return msgspec.structs.replace(
            decision,
            action=use if isinstance(use, str) else "route",
            destinations=self._destinations(use, decision.facts, agent_format),
            limited=True,
        )

    def foresee(self, facts: CallFacts, agent_format: FormatName) -> Decision:
        """Find the first rule that may apply to the calls which this one prepares.

        A conversation, say, is made before anything is said in it: conditions on the model and on
        what a request holds count as met.

        Raises:
            UnsupportedFeature: Detour speaks no format of the provider.
            DisabledProvider: Nowhere else may the call go.
        """
        for index, rule in enumerate(self.rules):
            if rule.may_apply(facts):
                uses: list[Use] = [*rule.by_phase.values(), rule.use]
                return self._ruled(index, uses[0], facts, agent_format)
        return self._by_default(facts, agent_format)

    def naming(self, facts: CallFacts, agent_format: FormatName) -> Decision | None:
        """Find the first rule that applies to a call and names its endpoint; None: there is none.

        Raises:
            UnsupportedFeature: Detour speaks no format of the provider.
            DisabledProvider: Nowhere else may the call go.
        """
        for index, rule in enumerate(self.rules):
            if rule.names(facts.endpoint) and rule.obstacle(facts) is None:
                use = rule.use_for(facts)
                assert use is not None
                return self._ruled(index, use, facts, agent_format)
        return None

    def may_divert(self, facts: CallFacts) -> bool:
        """Tell whether anything but `pass` could become of a call whose body is not known yet.

        Where agents may choose by the model's name, no rule comes before what the body says.
        """
        if self.aliases or self.by_model_name:
            return True
        for rule in self.rules:
            if not rule.may_apply(facts):
                continue
            if rule.limits or any(use != "pass" for use in rule.by_phase.values() or (rule.use,)):
                return True
            if rule.is_known_before_the_body:
                return False
        return self.default != "pass"

    def _destinations(
        self,
        use: Use,
        facts: CallFacts,
        agent_format: FormatName,
        key: dict[str, Any] | None = None,
    ) -> tuple[Destination, ...]:
        if isinstance(use, str):
            return ()
        destinations: list[Destination] = []
        for target in use:
            provider = self.providers[target.provider]
            if not provider.enabled:
                continue
            if key is not None:
                provider = msgspec.structs.replace(provider, asks_store=False, **key)
            model = self._model(target, provider, facts)
            provider = provider.at(model)
            name = provider.format_for(agent_format)
            destinations.append(Destination(provider, name, provider.base_urls[name], model))
        if not destinations:
            raise DisabledProvider(use[0].provider)
        return tuple(destinations)

    def _model(self, target: Target, provider: Provider, facts: CallFacts) -> str:
        """Name the model: `auto` is the one asked for where it is there, else one that fits."""
        if target.model == AUTO and provider.id == "local":
            if facts.model in provider.models or facts.model in provider.servers:
                return facts.model
            return first_fitting(provider, facts) or facts.model
        return target.model_for(facts.model)

    @override
    def __repr__(self) -> str:
        """Count the rules."""
        return f"<Rules {len(self.rules)}>"
