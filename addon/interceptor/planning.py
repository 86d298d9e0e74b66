"""What becomes of one request: the engine answers it, it passes, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import override

import msgspec

from addon.engine import Call
from addon.formats import COUNT, COUNTING, FORMATS
from addon.formats.base import FormatName, Headers, Reply, RequestLine
from addon.formats.openai_responses import NAME as RESPONSES
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.following import Items
from addon.interceptor.key_headers import key_headers
from addon.interceptor.leaning import Leaning, Remembered, lean, shape
from addon.interceptor.reasons import Reasons
from addon.interceptor.spending import Admission
from addon.neutral import DetourError, ErrorInfo, Request
from addon.providers import Destination, FallbackPolicy, KeyRing, MediaPolicy, failure_of
from addon.rules import (
    CallFacts,
    Decision,
    Excess,
    Rule,
    Rules,
    apply_edits,
    estimate_tokens,
    split_name,
)
from addon.rules.shortcomings import check_model, check_request
from addon.stateful import History
from addon.translation import (
    NO_MEDIA,
    Media,
    Memory,
    Wanted,
    fetches_pictures,
    media_to_fetch,
    render_count_for,
    render_for,
)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The engine answers."""

    call: Call
    rule: str
    """The name of the rule that said so."""
    limited: Rule | None = None
    """The rule, where it limits what its calls may use and this call counts."""
    admission: Admission | None = None
    """What is to be told how much the call has used."""
    why: Reasons | None = None
    """Why it did."""
    requested_model: str
    original_body: bytes
    """What the agent sent, unpacked."""
    destinations: tuple[Destination, ...] = ()
    """All places that the rule names, in order; the call goes to one of them."""
    fallback: FallbackPolicy = FallbackPolicy()
    """When it goes to another one."""
    remembered: Remembered | None = None
    """What is to be remembered of it."""
    transform: Callable[[bytes], bytes] | None = None
    """Makes what the agent gets of the provider's whole answer.

    Raises `ProviderResponseError`: it cannot be made of this answer.
    """

    transform_type: str | None = None
    """The content type of what `transform` makes; None: that of the answer."""
    transform_stream: Callable[[bytes], bytes] | None = None
    """Makes what the agent gets of each piece of a streamed answer."""
    successors: list[Route] = []
    """The routes to other destinations that were taken after this one had failed."""

    @property
    def keeper(self) -> str:
        """Id of the provider that keeps the response of the route taken last; see `Remembered`."""
        remembered = (self.successors or [self])[-1].remembered
        return remembered.keeper if remembered is not None else ""

    @property
    def comment(self) -> str:
        """What happens, in one line."""
        destination = self.call.destination
        target = f"{destination.provider.id}:{destination.model}"
        return f"{self.requested_model} -> {target} ({self.rule})"


class Pass(msgspec.Struct, frozen=True):
    """The request goes where the agent sent it, untouched."""

    rule: str | None = None
    """What said so."""
    requested_model: str | None = None
    stream: bool = False
    limited: Rule | None = None
    """The rule, where it limits what its calls may use."""
    admission: Admission | None = None
    """What is to be told how much the call has used."""
    why: Reasons | None = None
    """Why it does."""


class Refusal(msgspec.Struct, frozen=True):
    """The request goes nowhere."""

    error: ErrorInfo
    comment: str
    status: int | None = None
    """HTTP status, where it is not the format's usual one for the error."""
    rule: str | None = None
    """What said so, where a rule did."""
    requested_model: str | None = None
    why: Reasons | None = None
    """Why it did."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Detour itself gives the answer."""

    body: bytes = b""
    stream: Items | None = None
    """In place of a body."""
    comment: str


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """First, media have to be fetched that the provider cannot fetch: `Incoming.media`."""

    wanted: Wanted
    policy: MediaPolicy


type Decided = Route | Pass | Refusal | Answered
type Plan = Fetch | Decided


class PassedOver(DetourError):
    """A target cannot take a call, and its rule then goes on to the next one."""

    def __init__(self, error: DetourError) -> None:
        super().__init__(str(error))
        self.error = error

    @override
    def to_error_info(self) -> ErrorInfo:
        return self.error.to_error_info()


def no_excess(_rule: Rule, _agent: str | None) -> Excess | None:
    """Tell that nothing is used up."""
    return None


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as far as a plan depends on it."""

    endpoint: Endpoint
    agent: str
    headers: Headers
    body: bytes
    """Unpacked."""
    matches_filter: Callable[[str], bool]
    excess: Callable[[Rule, str | None], Excess | None] = no_excess
    """Tells whether the calls of a rule, by an agent, have used up a limit."""
    place: int = 0
    """Which of the rule's targets the call goes to."""
    media: Media | None = None
    """What was fetched for the provider; None: nobody has looked yet whether anything is needed."""


def plan(
    incoming: Incoming,
    rules: Rules,
    keep_alive: float,
    memory: Memory | None = None,
    history: History | None = None,
) -> Plan:
    """Ask the rules about a request in a format that Detour speaks, and prepare what they say.

    Args:
        incoming: The request.
        rules: The rules in force.
        keep_alive: Seconds of silence after which a streaming agent gets a comment.
        memory: What is known of the earlier turns of all conversations.
        history: What was said before, for requests that lean on it; None: nothing is known.

    Raises:
        DetourError: It cannot be done: the key is missing, the request cannot be expressed, ...
        PassedOver: The target at `incoming.place` cannot take the call, but the next one may.
    """
    spoken = incoming.endpoint.format
    assert spoken is not None
    original = incoming.body
    leaning: Leaning | None = None
    if history is not None and spoken == RESPONSES:
        leaning = lean(original, history)
        incoming = msgspec.structs.replace(incoming, body=leaning.whole)
    reply = FORMATS[spoken].reply(incoming.body, incoming.endpoint.line)
    facts = facts_of(incoming, spoken, reply)
    decision, limited = within_limits(rules.decide(facts, spoken), incoming, rules, spoken)
    if isinstance(decision, Excess):
        return spent(decision, facts.model)
    destinations = decision.destinations
    decision = msgspec.structs.replace(decision, destinations=destinations[incoming.place :])
    remembered: Remembered | None = None
    if leaning is not None and decision.action == "route":
        body, remembered = leaning.send_to(decision.destinations[0])
        if body != incoming.body:
            incoming = msgspec.structs.replace(incoming, body=body)
            reply = FORMATS[spoken].reply(body, incoming.endpoint.line)
            facts = facts_of(incoming, spoken, reply)
    match decision.action:
        case "pass":
            why = Reasons(decision)
            return Pass(decision.rule_name, facts.model, reply.stream, limited, why=why)
        case "block":
            return blocked(incoming.endpoint, decision.rule_name, facts.model, Reasons(decision))
        case "route" if incoming.endpoint.name == COUNT:
            with _passing_over(decision):  # to count where the call itself would go
                call = _count(incoming, spoken, decision, rules.keys, facts, memory)
        case "route":
            looks = rules.media.fetch and incoming.media is None
            if looks and (wanted := _wanted(facts, decision, spoken)):
                return Fetch(wanted=wanted, policy=rules.media)
            with _passing_over(decision):
                call = _call(incoming, reply, decision, rules.keys, facts, memory, remembered)
            call.keep_alive = keep_alive
    if isinstance(call, Answered):
        return call
    return Route(
        call=call,
        rule=decision.rule_name,
        why=Reasons(decision),
        limited=limited,
        requested_model=facts.model,
        original_body=original,
        destinations=destinations,
        fallback=decision.fallback,
        remembered=None if decision.set.get("store") is False else remembered,
    )


@contextmanager
def _passing_over(decision: Decision) -> Generator[None]:
    try:
        yield
    except DetourError as error:
        if goes_on(decision, error):
            raise PassedOver(error) from error
        raise


def goes_on(decision: Decision, error: DetourError) -> bool:
    """Tell whether a rule goes on from its first destination to the next after such an error."""
    failure = failure_of(error.to_error_info())
    return failure in decision.fallback.on and len(decision.destinations) > 1


def facts_of(incoming: Incoming, spoken: FormatName, reply: Reply | None = None) -> CallFacts:
    """Say what the rules may look at; a `reply` that has been read already is not read again."""
    reply = reply or FORMATS[spoken].reply(incoming.body, incoming.endpoint.line)
    speaker = COUNTING[spoken] if incoming.endpoint.name == COUNT else FORMATS[spoken]

    def parse() -> Request | None:
        try:
            return speaker.parse_request(incoming.body, incoming.endpoint.line)
        except DetourError:
            return None

    agent, phase = split_name(incoming.agent)
    return CallFacts(
        agent=agent,
        stated_phase=phase,
        model=reply.model or "",
        endpoint=incoming.endpoint.name,
        provider=incoming.endpoint.provider or None,
        headers=incoming.headers,
        request=parse,
        matches_filter=incoming.matches_filter,
    )


def _parse(spoken: FormatName, body: bytes, line: RequestLine) -> Request | None:
    try:
        return FORMATS[spoken].parse_request(body, line)
    except DetourError:
        return None


def _wanted(facts: CallFacts, decision: Decision, spoken: FormatName) -> Wanted:
    """Name the media that the provider cannot fetch by itself.

    A request that stays in its format is parsed only where pictures are known to be trouble.
    """
    destination = decision.destinations[0]
    if destination.format == spoken and fetches_pictures(destination):
        return {}
    request = facts.parsed
    return {} if request is None else media_to_fetch(request, destination)


def _call(
    incoming: Incoming,
    reply: Reply,
    decision: Decision,
    keys: KeyRing,
    facts: CallFacts,
    memory: Memory | None,
    remembered: Remembered | None,
) -> Call:
    spoken = incoming.endpoint.format
    assert spoken is not None
    destination = decision.destinations[0]
    line = incoming.endpoint.line
    body = incoming.body
    parsed: Request | None = None
    if decision.set or decision.drop:
        body = apply_edits(body, decision.set, decision.drop)
        reply = FORMATS[spoken].reply(body, line)
    elif destination.format != spoken:
        parsed = facts.parsed
    if remembered and (remembered.background or destination.format != spoken):
        reply = shape(reply, remembered)
    check_model(destination, datetime.now(UTC).date())
    media = incoming.media or NO_MEDIA
    rendered = render_for(spoken, body, line, destination, parsed, memory, media)
    if body is not incoming.body:
        facts = replace(facts, request=lambda: _parse(spoken, body, line))
    check_request(destination, body, facts, rendered.losses)
    recorder = None if memory is None else memory.recorder(spoken, destination, rendered.origin)
    return Call(
        agent_format=spoken,
        line=line,
        body=body,
        rendered=rendered,
        destination=destination,
        key_headers=key_headers(destination, keys, incoming.endpoint, incoming.headers),
        agent_headers=incoming.headers,
        stream=reply.stream,
        shape=reply,
        recorder=recorder,
    )


def _count(
    incoming: Incoming,
    spoken: FormatName,
    decision: Decision,
    keys: KeyRing,
    facts: CallFacts,
    memory: Memory | None,
) -> Call | Answered:
    """Ask for a count of tokens, or estimate it for a destination that does not count.

    Of the fields that the rule sets, only those are that a request for a count may hold.
    """
    destination = decision.destinations[0]
    line = incoming.endpoint.line
    counting = COUNTING[spoken]
    set = {name: value for name, value in decision.set.items() if name in counting.fields}
    body = apply_edits(incoming.body, set, decision.drop)
    unchanged = facts.parsed if body is incoming.body else None
    rendered = render_count_for(spoken, body, line, destination, unchanged, memory)
    if rendered is None:
        estimate = estimate_tokens(unchanged or counting.parse_request(body, line))
        target = f"{destination.provider.id}:{destination.model}"
        comment = f"{facts.model} -> {target} ({decision.rule_name}): {estimate} tokens, estimated"
        return Answered(body=counting.render_count(estimate), comment=comment)
    return Call(
        agent_format=spoken,
        line=line,
        body=body,
        rendered=rendered,
        destination=destination,
        key_headers=key_headers(destination, keys, incoming.endpoint, incoming.headers),
        agent_headers=incoming.headers,
        estimate=facts.input_tokens or 0,
    )


def within_limits(
    decision: Decision, incoming: Incoming, rules: Rules, spoken: FormatName
) -> tuple[Decision | Excess, Rule | None]:
    """Change a decision where its rule has used up a limit.

    Returns:
        What to do, or what is used up; and the rule for whose limits the call counts.
    """
    rule = decision.rule
    if rule is None or not rule.limits or incoming.endpoint.name == COUNT:  # to count is free
        return decision, None
    excess = incoming.excess(rule, decision.facts.agent or None)
    if excess is None:
        return decision, rule
    use = excess.limit.otherwise
    return excess if use is None else rules.instead(decision, use, spoken), None


def spent(excess: Excess, model: str) -> Refusal:
    """Refuse a call whose rule has used up its limit."""
    comment = f"limit reached ({excess.rule})"
    rule = f"{excess.rule}, limit reached"
    return Refusal(excess.error(), comment, 429, rule=rule, requested_model=model)


def blocked(
    endpoint: Endpoint, rule: str, model: str | None = None, why: Reasons | None = None
) -> Refusal:
    """Refuse what a rule forbids."""
    message = (
        f"Detour blocks {endpoint.place} (rule: {rule}). To let it through, change that in "
        "rules.yaml."
    )
    error = ErrorInfo("permission", message, code="blocked_by_detour")
    return Refusal(error, f"blocked ({rule})", rule=rule, requested_model=model, why=why)
