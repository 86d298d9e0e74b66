"""What would happen to a call that nobody makes, worked out as the proxy would do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from addon.formats import COUNT, COUNTING, FORMATS
from addon.formats.base import FormatName, Headers, RequestLine, header
from addon.neutral import DetourError, Loss, Request
from addon.providers import (
    BUILT_IN,
    Destination,
    KeyRing,
    MediaPolicy,
    MissingKeyError,
    Provider,
    Secret,
)
from addon.rules import CallFacts, Decision, Phase, Rules, agent_name, apply_edits, split_name
from addon.rules.shortcomings import check_model, check_request
from addon.wire.codec import decode, encode

if TYPE_CHECKING:
    from addon.translation import RenderedRequest


class Place(msgspec.Struct, frozen=True):
    """An API that agents call, with the smallest request that fits it."""

    format: FormatName
    provider: str
    path: str
    greeting: dict[str, Any]


_HELLO = [{"role": "user", "content": "Hello"}]

PLACES: dict[str, Place] = {
    "chat": Place("openai-chat", "openai", "/v1/chat/completions", {"messages": _HELLO}),
    "responses": Place("openai-responses", "openai", "/v1/responses", {"input": "Hello"}),
    "messages": Place(
        "anthropic", "anthropic", "/v1/messages", {"max_tokens": 1024, "messages": _HELLO}
    ),
    "generate": Place(
        "gemini",
        "google",
        "/v1beta/models/{model}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    ),
    "count": Place("anthropic", "anthropic", "/v1/messages/count_tokens", {"messages": _HELLO}),
}
"""By the names that `endpoint` in rules.yaml knows."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The call that is asked about."""

    endpoint: str
    model: str
    agent: str | None
    provider: str
    headers: Headers
    line: RequestLine
    body: bytes

    @property
    def format(self) -> FormatName:
        """The format that the agent speaks."""
        return PLACES[self.endpoint].format


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
    sending: Sending | None = None
    """None where the call goes nowhere or unchanged."""
    error: str | None = None
    """Why the agent would get an error instead of an answer."""
    note: str | None = None
    """Why the proxy would not even ask the rules."""


def ask(
    *,
    endpoint: str,
    model: str | None,
    agent: str | None,
    provider: str | None,
    headers: Headers,
    body: bytes | None,
) -> Question:
    """Put together the call that is asked about.

    Args:
        endpoint: A key of `PLACES`.
        model: The model that the agent asks for; None takes the body's.
        agent: Who calls; None derives it from a User-Agent header.
        provider: Whose host the agent calls; None takes the owner of the API.
        headers: The agent's headers.
        body: The agent's body; None takes a greeting.

    Raises:
        DetourError: Body and model do not fit together.
    """
    place = PLACES[endpoint]
    in_body = place.format != "gemini"
    if body is None:
        body = encode({"model": model, **place.greeting} if in_body else place.greeting)
    elif model is not None and in_body:
        body = apply_edits(body, {"model": model}, ())
    if model is None and place.format in FORMATS:
        model = FORMATS[place.format].reply(body, RequestLine()).model
    if not model:
        raise DetourError("the body names no model; give one with --model")
    user_agent = header(headers, "user-agent")
    return Question(
        endpoint=endpoint,
        model=model,
        agent=agent or (agent_name(user_agent) if user_agent else None),
        provider=provider or place.provider,
        headers=headers,
        line=RequestLine(place.path.format(model=model)),
        body=body,
    )


def explain_call(question: Question, rules: Rules) -> Explanation:
    """Work out what the rules say about a call and what would be sent."""
    agent, phase = split_name(question.agent) if question.agent else (None, None)
    facts = CallFacts(
        model=question.model,
        endpoint=question.endpoint,
        agent=agent,
        stated_phase=phase,
        provider=question.provider,
        headers=question.headers,
        request=lambda: _parse(question),
        matches_filter=_filter_for(question, rules),
    )
    decision = rules.decide(facts, question.format)
    found = Explanation(question=question, decision=decision, phase=facts.phase)
    if question.format not in FORMATS:
        fate = "passes unchanged" if rules.default == "pass" else "is refused"
        note = f"Detour does not speak {question.format} yet: such a call {fate} by `default`."
        return replace(found, note=note)
    if not decision.destinations:
        return found
    try:
        sending, error = _sending(question, decision, rules)
    except DetourError as failure:
        return replace(found, error=str(failure))
    if sending is None:
        note = "Detour would estimate the number of tokens: the provider does not count them."
        return replace(found, note=note)
    return replace(found, sending=sending, error=error)


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
        "body": decode(sending.body),
        "losses": decode(encode(sending.losses)),
    }


def _parse(question: Question) -> Request | None:
    speakers = COUNTING if question.endpoint == COUNT else FORMATS
    try:
        return speakers[question.format].parse_request(question.body, question.line)
    except (DetourError, KeyError):
        return None


def _sending(
    question: Question, decision: Decision, rules: Rules
) -> tuple[Sending | None, str | None]:
    from addon.engine import Call
    from addon.engine.headers import provider_headers

    destination = decision.destinations[0]
    counting = COUNTING.get(question.format) if question.endpoint == COUNT else None
    known = decision.set if counting is None else counting.fields
    set = {name: value for name, value in decision.set.items() if name in known}
    body = apply_edits(question.body, set, decision.drop)
    if counting is None:
        check_model(destination, datetime.now(UTC).date())
    rendered = _render(question, body, destination, rules.media)
    if rendered is None:
        # To estimate it is to read it: what cannot be read is refused.
        COUNTING[question.format].parse_request(body, question.line)
        return None, None
    if counting is None:
        edited = replace(question, body=body)
        facts = CallFacts(
            model=question.model, endpoint=question.endpoint, request=lambda: _parse(edited)
        )
        check_request(destination, body, facts, rendered.losses)
    key_headers, error = _masked_headers(destination, rules.keys, _host(question, rules))
    call = Call(
        agent_format=question.format,
        line=question.line,
        body=body,
        rendered=rendered,
        destination=destination,
        key_headers=key_headers,
        agent_headers=question.headers,
        stream=FORMATS[question.format].reply(body, question.line).stream,
    )
    sending = Sending(
        method=rendered.method,
        url=rendered.url,
        headers=provider_headers(call),
        body=rendered.body,
        losses=rendered.losses,
    )
    return sending, error


def _render(
    question: Question, body: bytes, destination: Destination, policy: MediaPolicy
) -> RenderedRequest | None:
    """Write what would be sent, with a note in the place of what would be fetched before."""
    from addon.translation import (
        NO_MEDIA,
        media_to_fetch,
        render_count_for,
        render_for,
        stand_ins,
    )

    if question.endpoint == COUNT:
        return render_count_for(question.format, body, question.line, destination)
    parsed = _parse(question) if policy.fetch else None
    media = stand_ins(media_to_fetch(parsed, destination)) if parsed else NO_MEDIA
    return render_for(question.format, body, question.line, destination, media=media)


def _masked_headers(
    destination: Destination, keys: KeyRing, called: str
) -> tuple[Headers, str | None]:
    """Return the headers with the key, naming its place instead of the key."""
    from addon.interceptor.key_headers import StrangeHost, check_host

    provider = _masked(destination.provider)
    try:
        place = keys.source(destination.provider)
    except MissingKeyError as error:
        return provider.auth_headers(destination.format, "<missing>"), str(error)
    key = None if place == "none" else f"<key from {place}>"
    headers = provider.auth_headers(destination.format, key)
    try:
        check_host(destination, called)
    except StrangeHost as error:
        return headers, str(error)
    return headers, None


def _masked(provider: Provider) -> Provider:
    headers = tuple((name, Secret("<from rules.yaml>")) for name, _ in provider.headers)
    return replace(provider, headers=headers)


def _host(question: Question, rules: Rules) -> str:
    """Name the host that the agent calls: the provider's own, wherever the rules have moved it."""
    provider = BUILT_IN.get(question.provider) or rules.providers[question.provider]
    urls = provider.base_urls
    url = urls.get(question.format) or next(iter(urls.values()), "")
    return urlsplit(url).hostname or "api.openai.com"


def _filter_for(question: Question, rules: Rules) -> Callable[[str], bool]:
    """Return what evaluates mitmproxy filter expressions on the call."""

    def matches(expression: str) -> bool:
        from mitmproxy import connection, http

        from addon.interceptor import filters

        host = _host(question, rules)
        client = connection.Client(
            peername=("127.0.0.1", 0), sockname=("127.0.0.1", 0), timestamp_start=0
        )
        flow = http.HTTPFlow(client, connection.Server(address=(host, 443)))
        url = f"https://{host}{question.line.path}"
        flow.request = http.Request.make("POST", url, question.body, dict(question.headers))
        return filters.matcher(flow)(expression)

    return matches
