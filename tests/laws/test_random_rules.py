"""Whatever the rules say, `explain` and the proxy say the same; a file with mistakes says where."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mitmproxy.test import tflow, tutils

from addon.inspection.explanation import PLACES, Question, ask, explain_call
from addon.interceptor import filters
from addon.interceptor.endpoints import endpoint_of
from addon.interceptor.planning import (
    Answered,
    Fetch,
    Incoming,
    Pass,
    Refusal,
    Route,
    plan,
)
from addon.neutral import DetourError
from addon.providers import BUILT_IN
from addon.rules import PHASES, Rules, RulesError, load_rules
from tests.laws.random_rules import AGENTS, MODELS, broken_texts, rules_files

KEYS = {name: "k" for provider in BUILT_IN.values() for name in provider.key_variables} | {
    "SET": "k"
}
HOSTS = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "google": "generativelanguage.googleapis.com",
}
_TOOL: dict[str, Any] = {"type": "object", "properties": {}}
_PNG = "iVBORw0KGgo="


def _message(endpoint: str, text: str, picture: bool) -> dict[str, Any]:
    """Write what the user says, in the words of an endpoint."""
    match endpoint:
        case "chat":
            part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}
            said = {"type": "text", "text": text}
        case "responses":
            part = {"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"}
            said = {"type": "input_text", "text": text}
        case "generate":
            part = {"inlineData": {"mimeType": "image/png", "data": _PNG}}
            return {"role": "user", "parts": [{"text": text}, *([part] if picture else [])]}
        case _:
            source = {"type": "base64", "media_type": "image/png", "data": _PNG}
            part = {"type": "image", "source": source}
            said = {"type": "text", "text": text}
    return {"role": "user", "content": [said, *([part] if picture else [])]}


def _tools(endpoint: str) -> list[dict[str, Any]]:
    match endpoint:
        case "chat":
            return [{"type": "function", "function": {"name": "t", "parameters": _TOOL}}]
        case "responses":
            return [{"type": "function", "name": "t", "parameters": _TOOL}]
        case "generate":
            return [{"functionDeclarations": [{"name": "t", "parameters": _TOOL}]}]
        case _:
            return [{"name": "t", "input_schema": _TOOL}]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Make calls to every endpoint that is translated, some of which are not what it takes."""
    endpoint = draw(st.sampled_from([*PLACES]))
    place = PLACES[endpoint]
    text = "word " * draw(st.sampled_from((1, 300)))
    body: dict[str, Any] = dict(place.greeting)
    conversation = next(key for key in body if key in ("messages", "input", "contents"))
    body[conversation] = [_message(endpoint, text, picture=draw(st.booleans()))]
    if draw(st.booleans()):
        body["tools"] = _tools(endpoint)
    if draw(st.integers(0, 9)) == 0:
        body[conversation] = draw(st.sampled_from((None, 7, "", [])))
    headers = draw(
        st.fixed_dictionaries(
            {"authorization": st.just("Bearer agent-key")},
            optional={
                "x-team": st.sampled_from(("lab-1", "other")),
                "x-phase": st.just("plan"),
                "user-agent": st.sampled_from(("codex/1.0", "opencode/1.18", "curl/8")),
            },
        )
    )
    name = draw(st.sampled_from(AGENTS))
    said = draw(st.sampled_from(("", *(f".{phase}" for phase in PHASES))))
    model = draw(st.sampled_from(MODELS))
    if place.format != "gemini":
        body["model"] = model
    return ask(
        endpoint=endpoint,
        model=model if place.format == "gemini" else None,
        agent=name + said,
        provider=None,
        headers=tuple(headers.items()),
        body=json.dumps(body).encode(),
    )


def explained(question: Question, rules: Rules) -> tuple[object, ...]:
    """Say what `detour explain` says."""
    try:
        found = explain_call(question, rules)
    except DetourError as error:
        return "error", str(error)
    decision = found.decision
    if found.error is not None:
        return "error", found.error
    if decision.action != "route":
        return decision.action, decision.rule_name
    if found.sending is None:
        return ("estimate",)
    return "route", decision.rule_name, decision.destinations, found.sending.url, found.sending.body


def planned(question: Question, rules: Rules) -> tuple[object, ...]:
    """Say what the proxy would do."""
    host = HOSTS[question.provider]
    request = tutils.treq(
        host=host,
        authority=host.encode(),
        method=b"POST",
        path=question.line.path.encode(),
        headers=[(name.encode(), value.encode()) for name, value in question.headers],
        content=question.body,
    )
    flow = tflow.tflow(req=request)
    incoming = Incoming(
        endpoint=endpoint_of(request, rules.provider_for_host),
        agent=question.agent or "",
        headers=question.headers,
        body=question.body,
        matches_filter=filters.matcher(flow),
    )
    try:
        found = plan(incoming, rules, 15)
    except DetourError as error:
        return "error", str(error)
    match found:
        case Pass():
            return "pass", found.rule
        case Refusal():
            return "block", found.rule
        case Answered():
            return ("estimate",)
        case Route():
            rendered = found.call.rendered
            return "route", found.rule, found.destinations, rendered.url, rendered.body
        case Fetch():
            raise AssertionError("nothing is to be fetched")


def load(text: str) -> Rules | None:
    """Load a file; where it has mistakes, hold that each says where it stands."""
    try:
        return load_rules(text, "rules.yaml", KEYS, filters.check_filter)
    except RulesError as error:
        problems, whole = error.problems, str(error)
    assert problems
    for problem in problems:
        assert 1 <= problem.line <= len(text.splitlines()) + 1
        assert problem.column >= 1
        assert problem.message
        assert f"rules.yaml:{problem.line}:{problem.column}: " in whole
    return None


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rules_files(), st.lists(questions(), min_size=2, max_size=4))
def test_explain_and_the_proxy_agree(text: str, asked: list[Question]) -> None:
    rules = load(text)
    event("with mistakes" if rules is None else "valid")
    for question in asked if rules is not None else ():
        said = explained(question, rules)
        event(f"{said[0]}")
        assert planned(question, rules) == said


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(broken_texts(), questions())
def test_a_damaged_text_is_refused_or_agreed_about(text: str, question: Question) -> None:
    rules = load(text)
    if rules is not None:
        assert planned(question, rules) == explained(question, rules)
