"""The keys of `when`: whether each holds for a call, and why not."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from addon.rules.facts import CallFacts, Feature
from addon.rules.patterns import Comparison, Pattern
from addon.rules.signatures import Phase


class Condition(Protocol):
    """One thing that must hold for a rule to apply."""

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        ...

    def why_not(self, facts: CallFacts) -> str:
        """Say, for a call for which it does not hold, what it wanted."""
        ...


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)


class SwitchedOff(NamedTuple):
    """The rule is in use, which it is not for any call."""

    def holds(self, _: CallFacts) -> bool:
        """Tell that it does not."""
        return False

    def why_not(self, _: CallFacts) -> str:
        """Name the reason."""
        return "it is switched off (`enabled: false`)"


class EndpointCondition(NamedTuple):
    """The agent calls one of these endpoints."""

    endpoints: tuple[str, ...]

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.endpoint in self.endpoints

    def why_not(self, facts: CallFacts) -> str:
        """Name both endpoints."""
        return f"the endpoint is {facts.endpoint}, not {_or(self.endpoints)}"


class ProviderCondition(NamedTuple):
    """The agent calls the host of one of these providers."""

    providers: tuple[str, ...]

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.provider in self.providers

    def why_not(self, facts: CallFacts) -> str:
        """Name both providers."""
        called = facts.provider or "a provider that Detour does not know"
        return f"the agent calls {called}, not {_or(self.providers)}"


class AgentCondition(NamedTuple):
    """The agent has such a name."""

    pattern: Pattern

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.agent is not None and bool(self.pattern.search(facts.agent))

    def why_not(self, facts: CallFacts) -> str:
        """Name the agent."""
        if facts.agent is None:
            return "the agent is not known"
        return f"agent {facts.agent} {self.pattern.mismatch()}"


class ModelCondition(NamedTuple):
    """The agent asks for such a model."""

    pattern: Pattern

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return bool(self.pattern.search(facts.model))

    def why_not(self, facts: CallFacts) -> str:
        """Name the model."""
        return f"model {facts.model} {self.pattern.mismatch()}"


class HeaderCondition(NamedTuple):
    """The request has a header with such a value."""

    name: str
    """In lower case."""
    pattern: Pattern

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return any(map(self.pattern.search, facts.header_values.get(self.name, ())))

    def why_not(self, facts: CallFacts) -> str:
        """Name the header; its value may be a key, so that is left out."""
        if self.name not in facts.header_values:
            return f"there is no header {self.name}"
        return f"header {self.name} {self.pattern.mismatch()}"


class FilterCondition(NamedTuple):
    """A mitmproxy filter expression matches the flow."""

    expression: str

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.matches_filter(self.expression)

    def why_not(self, facts: CallFacts) -> str:
        """Quote the expression."""
        return f"the filter `{self.expression}` does not match"


class HasCondition(NamedTuple):
    """The request has all of these features."""

    features: tuple[Feature, ...]

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.features.issuperset(self.features)

    def why_not(self, facts: CallFacts) -> str:
        """Name the features that are missing."""
        if facts.parsed is None:
            return "the request could not be read"
        missing = [name for name in self.features if name not in facts.features]
        return f"the request has no {_or(tuple(missing))}"


class PhaseCondition(NamedTuple):
    """The agent is doing one of these things."""

    phases: tuple[Phase, ...]

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        return facts.phase in self.phases

    def why_not(self, facts: CallFacts) -> str:
        """Name both phases."""
        return f"the phase is {facts.phase}, not {_or(self.phases)}"


class InputTokensCondition(NamedTuple):
    """The request is about that long."""

    comparison: Comparison

    def holds(self, facts: CallFacts) -> bool:
        """Tell whether it does."""
        tokens = facts.input_tokens
        return tokens is not None and self.comparison.holds(tokens)

    def why_not(self, facts: CallFacts) -> str:
        """Give the estimate."""
        if facts.input_tokens is None:
            return "the request could not be read"
        return f"about {facts.input_tokens} input tokens, not {self.comparison.text}"
