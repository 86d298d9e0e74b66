"""Whatever the rules say, `explain` and the proxy say the same; a file with mistakes says where."""

from __future__ import annotations

import asyncio
import collections
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mitmproxy.test import tflow, tutils

from addon.engine import ClientPool
from addon.inspection.explanation import PLACES, Question, ask, explain_call, place_of
from addon.interceptor import filters
from addon.interceptor.endpoints import endpoint_of
from addon.interceptor.model_answers import Models
from addon.interceptor.planning import Answered, Incoming, Pass, Refusal, Route
from addon.interceptor.preparing import Preparation
from addon.interceptor.spending import Spending
from addon.interceptor.state import State
from addon.neutral import DetourError
from addon.providers import BUILT_IN
from addon.rules import (
    PHASES,
    Decision,
    Rule,
    Rules,
    RulesError,
    Standing,
    Used,
    conditions,
    load_rules,
)
from addon.rules.rule_definitions import ENDPOINTS
from addon.vault import MemoryVault
from tests.laws.random_rules import AGENTS, MODELS, broken_texts, rules_files

SPOKEN = ("chat", "responses", "messages", "generate")
PATHS = ("audio/transcriptions", "images/edits", "files/file-1", "other/evals", "realtime/calls")
FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-5\r\n--b--\r\n'
_KEYED = [provider for name, provider in BUILT_IN.items() if name not in ("groq", "deepseek")]
KEYS = {name: "k" for provider in _KEYED for name in provider.key_variables} | {"SET": "k"}
"""Some are missing, so that some calls fail for want of a key, or go on to the next target."""
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


def _headers() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {"authorization": st.just("Bearer agent-key")},
        optional={
            "x-team": st.sampled_from(("lab-1", "other")),
            "x-phase": st.just("plan"),
            "user-agent": st.sampled_from(("codex/1.0", "opencode/1.18", "curl/8")),
        },
    )


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Make calls to every endpoint that rules know, some of which are not what it takes."""
    name = draw(st.sampled_from(AGENTS)) + draw(st.sampled_from(("", *(f".{p}" for p in PHASES))))
    headers = tuple(draw(_headers()).items())
    model = draw(st.sampled_from(MODELS))
    endpoint = draw(st.sampled_from([*PLACES, *PATHS]) | st.sampled_from(SPOKEN))
    found = place_of(endpoint)
    assert found is not None
    place = found[1]
    if place.format is None:
        asked = None if draw(st.booleans()) and not place.names_model else model
        body = draw(st.sampled_from((None, None, b"{", FORM))) if place.greeting else None
        if body is not None and place.names_model:
            body = None
        provider = draw(st.sampled_from((None, None, "anthropic", "google")))
        return ask(
            endpoint=endpoint,
            model=asked,
            agent=name,
            provider=provider,
            headers=headers,
            body=body if body is None or asked is None else None,
        )
    text = "word " * draw(st.sampled_from((1, 300)))
    document: dict[str, Any] = dict(place.greeting or {})
    conversation = next(key for key in document if key in ("messages", "input", "contents"))
    document[conversation] = [_message(endpoint, text, picture=draw(st.booleans()))]
    if endpoint != "generate":
        document["stream"] = draw(st.booleans())
    if draw(st.booleans()):
        document["tools"] = _tools(endpoint)
    if draw(st.integers(0, 9)) == 0:
        document[conversation] = draw(st.sampled_from((None, 7, "", [])))
    if place.format != "gemini":
        document["model"] = model
    return ask(
        endpoint=endpoint,
        model=model if place.format == "gemini" else None,
        agent=name,
        provider=None,
        headers=headers,
        body=json.dumps(document).encode(),
    )


class Scripted(Spending):
    """Says of some agents that they have used up every limit."""

    def __init__(self, spent: frozenset[str]) -> None:
        super().__init__(Path("/nowhere"), lambda: None)
        self._spent = spent

    async def prepare(self, rules: Rules) -> None:
        """Know it all along."""

    def standing(self, rule: Rule, agent: str | None) -> list[Standing]:
        used = Used(10**9, 10**9, 1e9) if agent in self._spent else Used()
        return [Standing(limit, used, 0) for limit in rule.limits]


class NoNetwork(Models):
    """Decides about lists of models without asking anybody for one."""

    async def freshen(self, rules: Rules, incoming: Incoming, clients: ClientPool) -> None:
        """Leave `local` as it is."""

    async def owns(self, *arguments: Any) -> bool:
        """Believe that no model is here alone."""
        return False

    async def _merged(self, *arguments: Any) -> Answered:
        return Answered(comment="merged")

    async def _of_targets(self, *arguments: Any) -> Answered:
        return Answered(comment=arguments[3].rule_name)


def places(found: Decision | Route) -> list[tuple[str, str, str, str]]:
    """Name where a call may go; of carried ones, the address tells the format."""
    return [
        (place.provider.id, place.format, place.base_url, place.model)
        for place in found.destinations
    ]


def explained(question: Question, rules: Rules, spending: Spending) -> tuple[object, ...]:
    """Say what `detour explain` says."""
    try:
        found = explain_call(question, rules, spending)
    except DetourError as error:
        return "error", str(error)
    decision = found.decision
    if found.error is not None:
        return "error", found.error
    if found.note is not None and "itself would answer" in found.note:
        return "answered", decision.rule_name if "models of" in found.note else "merged"
    if found.note is not None and "estimate" in found.note:
        return ("estimate",)
    if found.sending is None:
        known = found.note is None
        return decision.action, decision.rule_name if known else None
    sending = found.sending
    return "route", decision.rule_name, places(decision), sending.url, sending.body


@functools.cache
def unused() -> ClientPool:
    """Return the means to connect, which nobody uses here and which are dear to make."""
    return ClientPool()


async def planned(question: Question, rules: Rules, spending: Spending) -> tuple[object, ...]:
    """Say what the proxy would do, up to the network."""
    host = HOSTS[question.provider]
    line = question.line
    path = line.path + (f"?{line.query}" if line.query else "")
    request = tutils.treq(
        host=host,
        authority=host.encode(),
        method=question.method.encode(),
        path=path.encode(),
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
    preparation = Preparation()
    preparation._models = NoNetwork()
    try:
        state = State(MemoryVault(), 15)
        found = await preparation.decide(incoming, rules, 15, state, unused(), spending)
    except DetourError as error:
        return "error", str(error)
    match found:
        case Pass():
            return "pass", found.rule
        case Refusal() if found.error.code == "blocked_by_detour":
            return "block", found.rule if incoming.endpoint.name else None
        case Refusal():
            known = incoming.endpoint.name
            return ("error", found.error.message) if known else ("block", None)
        case Answered():
            estimated = found.comment.endswith("estimated")
            return ("estimate",) if estimated else ("answered", found.comment)
        case Route():
            rendered = found.call.rendered
            return "route", found.rule, places(found), rendered.url, rendered.body


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


async def agree(rules: Rules, asked: list[Question], spending: Spending) -> set[str]:
    """Hold that both say the same of all calls; return what had a say in it."""
    deciding: set[str] = set()
    for question in asked:
        said = explained(question, rules, spending)
        event(f"{said[0]}")
        assert await planned(question, rules, spending) == said
        deciding.update(decided_by(question, rules, spending))
    return deciding


def decided_by(question: Question, rules: Rules, spending: Spending) -> Iterator[str]:
    """Name what had a say in where a call goes."""
    try:
        found = explain_call(question, rules, spending)
    except DetourError:
        return
    decision = found.decision
    for rule in rules.rules:
        for condition in rule.conditions:
            yield f"{type(condition).__name__}: {condition.holds(decision.facts)}"
    yield decision.action
    yield "a chain" if len(decision.destinations) > 1 else "one target or none"
    if decision.rule is not None:
        yield "a map of phases" if decision.rule.by_phase else "no map"
        yield "a limit that is not reached" if decision.rule.limits else "no limit"
    if found.excess is not None:
        yield "a limit that refuses"
    if decision.limited:
        yield "a limit that leads elsewhere"
    if found.passed_over:
        yield "a target that cannot take the call"
    if found.error is not None and "no key for" in found.error:
        yield "a missing key"
    yield decision.rule_name.partition(" ")[0] if decision.rule is None else "a rule"


CONDITIONS = [
    name
    for name, kind in vars(conditions).items()
    if isinstance(kind, type) and hasattr(kind, "why_not") and hasattr(kind, "_fields")
]
DECIDING = {
    *(f"{name}: {holds}" for name in CONDITIONS for holds in (True, False)),
    *("pass", "block", "route", "a chain", "one target or none", "a map of phases", "no map"),
    *("a limit that is not reached", "a limit that refuses", "a limit that leads elsewhere"),
    *("no limit", "a target that cannot take the call", "a missing key"),
    *("a rule", "alias", "model", "owner", "default"),
} - {"SwitchedOff: True"}
"""What must have had a say in some of the calls: else the files are too tame."""

SPENT = st.frozensets(st.sampled_from(AGENTS)).map(Scripted)


def test_explain_and_the_proxy_agree() -> None:
    deciding: collections.Counter[str] = collections.Counter()

    @settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(rules_files(), st.lists(questions(), min_size=4, max_size=6), SPENT)
    def agree_about(text: str, asked: list[Question], spent: Spending) -> None:
        rules = load(text)
        event("with mistakes" if rules is None else "valid")
        deciding["valid" if rules else "with mistakes"] += 1
        if rules is None:
            return
        deciding.update(asyncio.run(agree(rules, asked, spent)))

    agree_about()
    for _ in range(2):
        if DECIDING - set(deciding):  # chance has left something out
            agree_about()
    assert min(deciding["valid"], deciding["with mistakes"]) > 100

    assert DECIDING - set(deciding) == set()


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(broken_texts(), questions(), SPENT)
def test_a_damaged_text_is_refused_or_agreed_about(
    text: str, question: Question, spent: Spending
) -> None:
    rules = load(text)
    if rules is not None:
        asyncio.run(agree(rules, [question], spent))


def test_every_endpoint_that_rules_know_can_be_asked_about() -> None:
    assert set(PLACES) == set(ENDPOINTS)
