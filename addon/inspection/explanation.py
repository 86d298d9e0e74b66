"""What would become of a call that nobody makes, told by what decides about real ones.

Nothing is sent, and no key is shown: in the place of a key stands where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any, override
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from addon.formats.base import Headers
from addon.inspection.questions import PLACES, Question, ask, place_of
from addon.neutral import DetourError, Loss
from addon.providers import BUILT_IN, KeyRing, MissingKeyError, Provider, Secret
from addon.rules import Decision, Excess, Phase, Rules, Standing
from addon.wire.codec import decode, encode

if TYPE_CHECKING:
    from addon.interceptor.planning import Decided, Incoming, Route
    from addon.interceptor.spending import Spending

__all__ = [
    "PLACES",
    "Explanation",
    "Question",
    "Sending",
    "ask",
    "body_document",
    "explain_call",
    "explanation_document",
    "place_of",
]


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """What would go to a provider."""

    method: str
    url: str
    headers: Headers
    """With names of variables where keys would be."""
    body: bytes
    losses: tuple[Loss, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    question: Question
    decision: Decision
    phase: Phase
    """What the agent is doing, by its name or by its request."""
    passed_over: tuple[tuple[str, str], ...] = ()
    """Targets that cannot take the call, each with the reason."""
    limits: tuple[Standing, ...] = ()
    """How far the limits of the rule are used up."""
    excess: Excess | None = None
    """The limit that leaves nothing to the call, if there is one."""
    sending: Sending | None = None
    """None where the call goes nowhere or unchanged."""
    error: str | None = None
    """Why the agent would get an error instead of an answer."""
    note: str | None = None
    """What Detour itself would answer, or why it would not ask the rules."""


class _MaskedKeys(KeyRing):
    """Tells where each key comes from in place of the key."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self.missing: MissingKeyError | None = None

    @override
    def find(self, provider: Provider) -> str | None:
        try:
            key = self._keys.find(provider)
        except MissingKeyError as error:
            self.missing = error
            return "<missing>"
        return None if key is None else f"<key from {self._keys.source(provider)}>"

    @override
    def source(self, provider: Provider) -> str:
        return self._keys.source(provider)


def explain_call(question: Question, rules: Rules, spending: Spending | None = None) -> Explanation:
    """Work out what the rules say about a call and what would be sent.

    Args:
        question: The call.
        rules: The rules.
        spending: What has been used of limits; None: nothing.

    Raises:
        DetourError: The rules cannot be followed.
    """
    from addon.interceptor.choosing import choose
    from addon.interceptor.planning import Answered, Pass, Refusal, Route, within_limits

    keys = _MaskedKeys(rules.keys)
    masked = _masked(rules, keys)
    incoming = _incoming(question, rules, spending)
    chosen = choose(incoming, masked)
    decision, _ = within_limits(chosen.decision, incoming, masked, chosen.spoken)
    excess = decision if isinstance(decision, Excess) else None
    decision = chosen.decision if isinstance(decision, Excess) else decision
    limited = decision.rule is not None and spending is not None and chosen.counts
    found = Explanation(
        question=question,
        decision=decision,
        phase=decision.facts.phase,
        limits=(
            tuple(spending.standing(decision.rule, decision.facts.agent or None))
            if limited and spending is not None and decision.rule is not None
            else ()
        ),
        excess=excess,
        note=chosen.note,
    )
    if chosen.note is not None:
        return found
    passed_over: list[tuple[str, str]] = []
    try:
        planned = _plan(incoming, masked, keys, decision, passed_over)
    except DetourError as failure:
        return replace(found, error=str(failure), passed_over=tuple(passed_over))
    found = replace(found, passed_over=tuple(passed_over))
    match planned:
        case Pass():
            return found
        case Answered():
            return replace(found, note=_answered(planned.comment, question))
        case Refusal():
            blocked = decision.action == "block" and excess is None
            return found if blocked else replace(found, error=planned.error.message)
        case Route():
            error = None if keys.missing is None else str(keys.missing)
            # Of targets that are called as they are, only those that offer the endpoint are left.
            going = replace(decision, destinations=planned.destinations)
            found = replace(found, decision=going)
            return replace(found, sending=_sending(planned, incoming), error=error)


def _answered(comment: str, question: Question) -> str:
    if question.endpoint == "count":
        return "Detour would estimate the number of tokens: the provider does not count them."
    return f"Detour itself would answer: {comment}."


def _plan(
    incoming: Incoming,
    rules: Rules,
    keys: _MaskedKeys,
    decision: Decision,
    passed_over: list[tuple[str, str]],
) -> Decided:
    """Plan the call for the first target that can take it, as the proxy does.

    Raises:
        DetourError: It cannot be done.
    """
    from addon.engine.call import KEEP_ALIVE
    from addon.interceptor.planning import Fetch, PassedOver, goes_on
    from addon.interceptor.state import State
    from addon.interceptor.state_planning import plan_call
    from addon.translation import stand_ins
    from addon.vault import MemoryVault

    state = State(MemoryVault(), KEEP_ALIVE)
    while True:
        here = replace(incoming, place=len(passed_over))
        try:
            planned = plan_call(here, rules, KEEP_ALIVE, state)
            if isinstance(planned, Fetch):
                media = stand_ins(planned.wanted)
                planned = plan_call(replace(here, media=media), rules, KEEP_ALIVE, state)
                assert not isinstance(planned, Fetch)
        except PassedOver as passed:
            error = passed.error
        else:
            rest = replace(decision, destinations=decision.destinations[len(passed_over) :])
            if keys.missing is None or not goes_on(rest, keys.missing):
                return planned
            error, keys.missing = keys.missing, None
        place = decision.destinations[len(passed_over)]
        passed_over.append((f"{place.provider.id}:{place.model}", str(error)))


def _sending(route: Route, incoming: Incoming) -> Sending:
    from addon.engine.headers import provider_headers

    call = route.call
    if call.destination.provider.passes_key:
        own = {value for _, value in incoming.headers}
        call.key_headers = tuple(
            (name, "<the agent's own key>" if value in own else value)
            for name, value in call.key_headers
        )
    return Sending(
        method=call.rendered.method,
        url=call.rendered.url,
        headers=provider_headers(call),
        body=call.rendered.body,
        losses=call.rendered.losses,
    )


def _masked(rules: Rules, keys: _MaskedKeys) -> Rules:
    """Return rules by which no key can be told."""
    masked = copy(rules)
    masked.keys = keys
    masked.providers = {
        name: replace(
            provider,
            headers=tuple((name, Secret("<from rules.yaml>")) for name, _ in provider.headers),
        )
        if provider.headers
        else provider
        for name, provider in rules.providers.items()
    }
    return masked


def _incoming(question: Question, rules: Rules, spending: Spending | None) -> Incoming:
    from mitmproxy import connection, http

    from addon.interceptor import filters
    from addon.interceptor.endpoints import endpoint_of
    from addon.interceptor.planning import Incoming, no_excess

    host = _host(question, rules)
    line = question.line
    target = line.path + (f"?{line.query}" if line.query else "")
    client = connection.Client(
        peername=("127.0.0.1", 0), sockname=("127.0.0.1", 0), timestamp_start=0
    )
    flow = http.HTTPFlow(client, connection.Server(address=(host, 443)))
    url = f"https://{host}{target}"
    flow.request = http.Request.make(
        question.method, url, question.body, [(n.encode(), v.encode()) for n, v in question.headers]
    )
    excess: Callable[..., Any] = no_excess if spending is None else spending.excess
    return Incoming(
        endpoint=endpoint_of(flow.request, rules.provider_for_host),
        agent=question.agent or "",
        headers=question.headers,
        body=question.body,
        matches_filter=filters.matcher(flow),
        excess=excess,
    )


def _host(question: Question, rules: Rules) -> str:
    """Name the host that the agent calls: the provider's own, wherever the rules have moved it."""
    provider = BUILT_IN.get(question.provider) or rules.providers[question.provider]
    urls = provider.base_urls
    url = (urls.get(question.format) if question.format else None) or next(iter(urls.values()), "")
    return urlsplit(url).hostname or "api.openai.com"


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON knows it."""
    question, decision = explanation.question, explanation.decision
    return {
        "call": {
            "endpoint": question.endpoint,
            "format": question.format,
            "model": question.model,
            "agent": question.agent,
            "phase": explanation.phase,
            "provider": question.provider,
        },
        "action": decision.action,
        "rule": decision.rule_name,
        "line": decision.rule.mark.line if decision.rule else None,
        "trace": [step._asdict() for step in decision.trace],
        "destinations": [
            {
                "provider": place.provider.id,
                "model": place.model,
                "format": place.format,
                "base_url": place.base_url,
            }
            for place in decision.destinations
        ],
        "passed_over": [{"target": name, "reason": why} for name, why in explanation.passed_over],
        "limits": [
            {
                "limit": str(standing.limit),
                "used": msgspec.to_builtins(standing.used),
                "left": standing.left,
                "until": standing.until,
                "reached": standing.limit.reached(standing.used) is not None,
            }
            for standing in explanation.limits
        ],
        "limit_reached": explanation.excess is not None or decision.limited,
        "request": _sending_document(explanation.sending),
        "error": explanation.error,
        "note": explanation.note,
    }


def _sending_document(sending: Sending | None) -> dict[str, Any] | None:
    if sending is None:
        return None
    return {
        "method": sending.method,
        "url": sending.url,
        "headers": dict(sending.headers),
        "body": body_document(sending.body),
        "losses": decode(encode(sending.losses)),
    }


def body_document(body: bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return a body as JSON knows it; a form as text, none as null."""
    try:
        return decode(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")
