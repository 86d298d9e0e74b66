"""What the rules say about any request, without preparing anything: for those who explain it."""

from __future__ import annotations

import msgspec

from addon.formats import COUNT
from addon.formats.base import FormatName
from addon.formats.endpoints import COMPLETIONS, MODELS
from addon.formats.openai_responses import NAME
from addon.interceptor.carrying import SPOKEN, carried_facts
from addon.interceptor.completing import completion_facts
from addon.interceptor.model_answers import model_question, rule_on_models
from addon.interceptor.planning import Incoming, facts_of
from addon.rules import Decision, Rules
from addon.stateful.addresses import read_operation


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say."""

    decision: Decision
    spoken: FormatName
    """The format in which destinations were looked for."""
    note: str | None = None
    """What becomes of the call, where the decision does not say it."""
    counts: bool = True
    """Whether limits count it."""


def choose(incoming: Incoming, rules: Rules) -> Choice:
    """Ask the rules about a request.

    Raises:
        DetourError: They cannot be followed.
    """
    endpoint = incoming.endpoint
    if (question := model_question(incoming)) is not None:
        found = rule_on_models(question, incoming, rules)
        if found is None:
            facts = carried_facts(incoming)
            listed = Decision(
                action="pass", reason="Detour's list", facts=facts, considered=rules.rules
            )
            note = "Detour itself would answer with the list of all models that can be asked for."
            return Choice(decision=listed, spoken=SPOKEN, note=note, counts=False)
        names = " and ".join(dict.fromkeys(place.provider.id for place in found.destinations))
        note = f"Detour itself would answer with the models of {names}." if names else None
        return Choice(decision=found, spoken=SPOKEN, note=note, counts=False)
    if endpoint.provider in ("", "openai") and read_operation(endpoint.method, endpoint.line.path):
        asking = msgspec.structs.replace(
            incoming, endpoint=msgspec.structs.replace(endpoint, name="responses")
        )
        return Choice(decision=rules.foresee(facts_of(asking, NAME), NAME), spoken=NAME)
    if endpoint.name == COMPLETIONS and endpoint.method == "POST":
        return Choice(decision=rules.decide(completion_facts(incoming), SPOKEN), spoken=SPOKEN)
    if (spoken := endpoint.format) is not None:
        decision = rules.decide(facts_of(incoming, spoken), spoken)
        return Choice(decision=decision, spoken=spoken, counts=endpoint.name != COUNT)
    facts = carried_facts(incoming)
    if endpoint.name:
        counts = endpoint.name != MODELS
        return Choice(decision=rules.decide(facts, SPOKEN), spoken=SPOKEN, counts=counts)
    action = rules.default if isinstance(rules.default, str) else "block"
    decision = Decision(action=action, facts=facts, considered=())
    fate = "passes unchanged" if action == "pass" else "is refused"
    note = f"Rules do not apply to {endpoint.place} at {endpoint.host}: such a call {fate}."
    return Choice(decision=decision, spoken=SPOKEN, note=note, counts=False)
