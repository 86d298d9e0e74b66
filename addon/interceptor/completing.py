"""`POST /v1/completions`: to a provider that offers it as it is, else as a chat of one message."""

from __future__ import annotations

import msgspec

from addon.formats.base import RequestLine
from addon.formats.endpoints import COMPLETIONS
from addon.formats.openai_chat.legacy_completions import (
    CompletionStream,
    chat_request,
    completion,
    losses_of,
)
from addon.interceptor.carrying import SPOKEN, carried_facts, carry_to, offering
from addon.interceptor.planning import Incoming, Plan, Route, plan, spent, within_limits
from addon.interceptor.state import State
from addon.rules import Excess, Rules
from addon.translation.carrying import OPENAI_FORMATS


def plan_completion(incoming: Incoming, rules: Rules, keep_alive: float, state: State) -> Plan:
    """Say what becomes of a request: rules look at it as at any other for an answer.

    Raises:
        DetourError: It cannot be done.
    """
    facts = carried_facts(incoming)
    facts.path = ""
    decision = rules.decide(facts, SPOKEN)
    facts.path = COMPLETIONS
    places = decision.destinations
    native = offering(decision)
    if decision.action == "route" and len(native) == len(places):
        elsewhere = [place for place in native if place.provider.id != "local"]  # takes raw prompts
        known = [place.provider.facts(place.model) for place in elsewhere]
        if all(place.format in OPENAI_FORMATS for place in native) and not any(known):
            checked, limited = within_limits(decision, incoming, rules, SPOKEN)
            if isinstance(checked, Excess):
                return spent(checked, facts.model)
            if checked is decision:
                return carry_to(incoming, facts, decision, rules, limited)
    if decision.action != "route":
        asked = incoming.body  # its words do not matter
    else:
        asked = chat_request(incoming.body)
    endpoint = msgspec.structs.replace(
        incoming.endpoint,
        format=SPOKEN,
        name=COMPLETIONS,
        line=RequestLine("/v1/chat/completions"),
    )
    asking = msgspec.structs.replace(incoming, endpoint=endpoint, body=asked)
    planned = plan(asking, rules, keep_alive, state.memory)
    if not isinstance(planned, Route):
        return planned
    call = planned.call
    losses = (*call.rendered.losses, *losses_of(incoming.body))
    call.rendered = msgspec.structs.replace(call.rendered, losses=losses)
    return msgspec.structs.replace(
        planned,
        original_body=incoming.body,
        transform=completion,
        transform_stream=CompletionStream().feed,
    )
