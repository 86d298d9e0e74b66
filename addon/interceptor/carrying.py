"""What becomes of a request to an endpoint in which nothing is translated.

Files, sound, pictures, embeddings and the like go to a provider that offers the same endpoint,
with its model and its key; else they pass or are refused, as the rules say.
"""

from __future__ import annotations

import msgspec

from addon.engine import Call
from addon.formats.base import FormatName
from addon.formats.endpoints import path_below
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.key_headers import key_headers
from addon.interceptor.planning import (
    Incoming,
    Pass,
    Plan,
    Refusal,
    Route,
    blocked,
    spent,
    within_limits,
)
from addon.interceptor.reasons import Reasons
from addon.neutral import ErrorInfo, Loss
from addon.providers import Destination
from addon.providers.offered import offers
from addon.rules import CallFacts, Decision, Excess, Rule, Rules, apply_edits, split_name
from addon.translation import carry
from addon.translation.model_fields import model_of
from addon.wire.codec import decode_object

SPOKEN: FormatName = "openai-chat"
"""Whose words errors are in."""


def carried_facts(incoming: Incoming) -> CallFacts:
    """Say what the rules may look at."""
    endpoint = incoming.endpoint
    agent, phase = split_name(incoming.agent)
    return CallFacts(
        agent=agent,
        stated_phase=phase,
        model=model_of(incoming.body, incoming.headers, endpoint.line),
        endpoint=endpoint.name,
        path=path_below(endpoint.line.path),
        provider=endpoint.provider or None,
        headers=incoming.headers,
        matches_filter=incoming.matches_filter,
    )


def plan_carried(incoming: Incoming, rules: Rules) -> Plan:
    """Ask the rules about a request, and prepare what they say.

    Raises:
        DetourError: It cannot be done.
    """
    endpoint = incoming.endpoint
    if not endpoint.name:
        return _plan_unknown(endpoint, rules)
    facts = carried_facts(incoming)
    decision, limited = within_limits(rules.decide(facts, SPOKEN), incoming, rules, SPOKEN)
    if isinstance(decision, Excess):
        return spent(decision, facts.model)
    match decision.action:
        case "pass":
            why = Reasons(decision)
            return Pass(decision.rule_name, facts.model or None, limited=limited, why=why)
        case "block":
            why = Reasons(decision)
            return blocked(endpoint, decision.rule_name, facts.model or None, why)
        case "route":
            return carry_to(incoming, facts, decision, offering(decision), rules, limited)


def offering(decision: Decision) -> tuple[Destination, ...]:
    """Return the places that a rule names and that offer the endpoint, in order."""
    path = decision.facts.path
    return tuple(place for place in decision.destinations if offers(place.provider, path))


def lacking(endpoint: Endpoint, decision: Decision) -> ErrorInfo:
    """Say that no target of a rule offers an endpoint."""
    names = " or ".join(dict.fromkeys(place.provider.id for place in decision.destinations))
    if not names:
        return ErrorInfo(
            "not_found",
            f"Detour cannot translate {endpoint.place}, and default in rules.yaml sends calls to "
            "another provider. A rule with `when: {endpoint: " + endpoint.name + "}` can name one "
            "that offers the same, or say `use: pass`.",
            code="endpoint_not_offered",
        )
    return ErrorInfo(
        "not_found",
        f"{names} does not offer {endpoint.place} (rule: {decision.rule_name}). Name a provider in "
        "rules.yaml that does, or say `use: pass`; if it does offer it, add it under `providers` "
        "by a name of your own.",
        code="endpoint_not_offered",
    )


def carry_to(
    incoming: Incoming,
    facts: CallFacts,
    decision: Decision,
    places: tuple[Destination, ...],
    rules: Rules,
    limited: Rule | None,
) -> Plan:
    """Send a request on as it is, to those places that take it, or say that none does.

    Raises:
        DetourError: It cannot be done.
    """
    endpoint = incoming.endpoint
    if not places:
        comment = f"not offered: {endpoint.place}"
        rule = decision.rule_name
        return Refusal(lacking(endpoint, decision), comment, rule=rule, requested_model=facts.model)
    body, losses = _edited(incoming, decision)
    carried = carry(endpoint.method, endpoint.line, incoming.headers, body, places[incoming.place])
    rendered = msgspec.structs.replace(carried.rendered, losses=(*carried.rendered.losses, *losses))
    call = Call(
        agent_format=SPOKEN,
        line=endpoint.line,
        body=body,
        rendered=rendered,
        destination=carried.destination,
        key_headers=key_headers(carried.destination, rules.keys, endpoint, incoming.headers),
        agent_headers=incoming.headers,
        carried=True,
        following=carried.following,
        join=carried.join,
    )
    return Route(
        call=call,
        rule=decision.rule_name,
        why=Reasons(decision),
        limited=limited,
        requested_model=facts.model or endpoint.place,
        original_body=incoming.body,
        destinations=places,
        fallback=decision.fallback,
    )


def _edited(incoming: Incoming, decision: Decision) -> tuple[bytes, tuple[Loss, ...]]:
    """Apply the rule's own edits, where the body is such that it can be edited."""
    if not decision.set and not decision.drop:
        return incoming.body, ()
    if decode_object(incoming.body) is None:
        names = (*decision.set, *decision.drop)
        reason = "set and drop change JSON bodies only"
        return incoming.body, tuple(Loss(name, reason, "dropped") for name in names)
    return apply_edits(incoming.body, decision.set, decision.drop), ()


def _plan_unknown(endpoint: Endpoint, rules: Rules) -> Plan:
    """Decide about an address that nobody knows: its body means nothing to anybody else."""
    match rules.default:
        case "pass":
            return Pass()
        case "block":
            return blocked(endpoint, "default")
        case _:
            message = (
                f"Detour cannot translate {endpoint.place}, and default in rules.yaml sends calls "
                "to another provider. With default: pass it would go where it was meant to go."
            )
            return Refusal(ErrorInfo("not_found", message), f"not translatable: {endpoint.place}")
