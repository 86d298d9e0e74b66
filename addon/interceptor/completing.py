"""`POST /v1/completions`: to a provider that offers it as it is, else as a chat of one message."""

from __future__ import annotations

import msgspec

from addon.formats.base import RequestLine
from addon.formats.endpoints import COMPLETIONS
from addon.formats.openai_chat.infill import WAYS, InfillAnswer, has_suffix
from addon.formats.openai_chat.legacy_completions import (
    CompletionStream,
    chat_request,
    completion,
    losses_of,
)
from addon.interceptor.carrying import SPOKEN, carry_to, offering
from addon.interceptor.planning import (
    Incoming,
    Plan,
    Route,
    facts_of,
    plan,
    spent,
    within_limits,
)
from addon.interceptor.state import State
from addon.neutral import DetourError
from addon.providers import Destination
from addon.rules import CallFacts, Excess, Rules
from addon.translation.carrying import OPENAI_FORMATS
from addon.wire.codec import decode_object


def plan_completion(incoming: Incoming, rules: Rules, keep_alive: float, state: State) -> Plan:
    """Say what becomes of a request: rules look at it as at any other for an answer.

    Raises:
        DetourError: It cannot be done.
    """
    asking = _as_chat(incoming)
    facts = facts_of(asking, SPOKEN)
    decision, limited = within_limits(rules.decide(facts, SPOKEN), incoming, rules, SPOKEN)
    if isinstance(decision, Excess):
        return spent(decision, facts.model)
    facts.path = COMPLETIONS
    if decision.action == "route":
        native = offering(decision)
        if has_suffix(incoming.body):
            able = tuple(
                place for place in decision.destinations if place in native or _fills_in(place)
            )
            if any(map(_fills_in, able)):
                return _infill(carry_to(incoming, facts, decision, able, rules, limited))
        if len(native) == len(decision.destinations) and _takes_raw_prompts(native):
            return carry_to(incoming, facts, decision, native, rules, limited)
        chat_request(incoming.body)  # raises what there is to tell
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


def _takes_raw_prompts(places: tuple[Destination, ...]) -> bool:
    """Tell whether no place is known to have a chat in place of the endpoint."""
    elsewhere = (place for place in places if place.provider.id != "local")
    known = any(place.provider.facts(place.model) for place in elsewhere)
    return not known and all(place.format in OPENAI_FORMATS for place in places)


def _fills_in(place: Destination) -> bool:
    """Tell whether a place is asked in a way of its own for what is between two texts."""
    return place.provider.dialect in WAYS


def _infill(planned: Plan) -> Plan:
    if not isinstance(planned, Route):
        return planned
    planned.call.stream = bool((decode_object(planned.call.body) or {}).get("stream"))
    answer = InfillAnswer(planned.call.body)
    return msgspec.structs.replace(planned, transform=answer.whole, transform_stream=answer.feed)


def completion_facts(incoming: Incoming) -> CallFacts:
    """Say what the rules may look at: what they would see of a chat that says the same."""
    return facts_of(_as_chat(incoming), SPOKEN)


def _as_chat(incoming: Incoming) -> Incoming:
    """Return the same call as a chat, with the body as it is where no chat says the same."""
    try:
        body = chat_request(incoming.body)
    except DetourError:
        body = incoming.body
    endpoint = msgspec.structs.replace(
        incoming.endpoint,
        format=SPOKEN,
        name=COMPLETIONS,
        line=RequestLine("/v1/chat/completions"),
    )
    return msgspec.structs.replace(incoming, endpoint=endpoint, body=body)
