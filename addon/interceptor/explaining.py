"""Why a rule applies to a call, for people."""

from __future__ import annotations

from addon.interceptor.carrying import SPOKEN, carried_facts
from addon.interceptor.planning import Incoming, facts_of
from addon.rules import Rules


def explain(incoming: Incoming, rules: Rules) -> str:
    """Say which rule applies to a call, where that sends it, and why earlier rules do not apply."""
    endpoint = incoming.endpoint
    if endpoint.format is not None:
        facts, spoken = facts_of(incoming, endpoint.format), endpoint.format
    elif endpoint.name:
        facts, spoken = carried_facts(incoming), SPOKEN
    else:
        default = rules.default if isinstance(rules.default, str) else "refuse"
        return f"{endpoint.place}: rules do not apply to this address; default: {default}"
    decision = rules.decide(facts, spoken)
    about = f"{facts.agent}, phase {facts.phase}"
    lines = [f"{endpoint.place} ({about}): {decision.action} by {decision.rule_name}"]
    lines += [
        f"  {place.provider.id}:{place.model} in the format {place.format} at {place.base_url}"
        for place in decision.destinations
    ]
    lines += [f"  not {step.rule}: {step.reason}" for step in decision.trace if not step.matched]
    return "\n".join(lines)
