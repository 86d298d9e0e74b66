"""Every recorded request, written for other providers, judged by those who would receive it.

The strict embedded provider answers 400 as the real API does; the official SDK's own types are
checked beside it.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter

import pydantic
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from addon.embedded.anthropic.validation import check_messages_request
from addon.embedded.chat.validation import check_chat_request
from addon.embedded.gemini.validation import check_generate_request
from addon.embedded.responses.store import ResponseStore
from addon.embedded.responses.validation import check_responses_request
from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ClientRequestError, UnsupportedFeature
from addon.translation.requests import DEFAULT_PROVIDER
from tests.support.gemini_rules import check_gemini_request
from tests.support.recordings import (
    Recording,
    agent_requests,
    captured_bodies,
    needs_recordings,
    recordings,
)
from tests.support.responses_requests import check_responses

LINE = RequestLine("/v1beta/models/asked-for:generateContent")
"""Gemini keeps in it what the others say in the body."""
SECRET = b"signatures of the strict provider"

CLAUDES = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5",
    "claude-opus-4-8",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
)
GEMINIS = ("gemini-2.5-flash", "gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-4-argon")
VENDORS = ("openai", "azure", "anthropic", "bedrock", "vertex", "google")
"""Where an agent's request is in the format's own words."""
SERVERS_OWN = ("top_k",)
"""Fields beyond OpenAI's that local servers take."""

ANTHROPIC_TYPE = pydantic.TypeAdapter(MessageCreateParamsNonStreaming)
CHAT_TYPE = pydantic.TypeAdapter(CompletionCreateParamsNonStreaming)

_LONG_ID = re.compile(rb'"tool_call_id": ?"[^"]{41}')
"""OpenRouter hands out ids of calls that are longer than what OpenAI takes."""


def check_anthropic(body):
    wire = json.loads(body)
    check_messages_request(wire, {"anthropic-version": "2023-06-01"}, SECRET)
    wire.pop("stream", None)
    ANTHROPIC_TYPE.validate_python(wire)


def check_chat(body, beyond=()):
    wire = {field: value for field, value in json.loads(body).items() if field not in beyond}
    check_chat_request(wire)
    wire.pop("stream", None)
    CHAT_TYPE.validate_python(wire)


def check_gemini(body, model):
    check_generate_request(json.loads(body), model, None)
    check_gemini_request(json.loads(body), generation=int(model[7]))


def check_openai_responses(body):
    check_responses_request(json.loads(body), ResponseStore(), None)
    check_responses(body)


def targets(target):
    if target == "gemini":
        return [
            (model, "google", functools.partial(check_gemini, model=model)) for model in GEMINIS
        ]
    if target == "openai-responses":
        others = (("grok-4.5", "xai"), ("deepseek-v4-pro", "deepseek"))
        own = [(model, "openai", check_openai_responses) for model in ("gpt-5.5", "gpt-4.1")]
        return [*own, *((*model, check_responses) for model in others)]
    if target == "anthropic":
        return [(model, "anthropic", check_anthropic) for model in CLAUDES]
    check_local = functools.partial(check_chat, beyond=SERVERS_OWN)
    return [("gpt-4.1", "openai", check_chat), ("qwen3-coder", "local", check_local)]


def run(chosen, source, target):
    """Render and judge; return how it went and the failures."""
    outcomes, failures = Counter(), []
    for recording in chosen:
        try:
            request = FORMATS[source].parse_request(recording.request, LINE)
        except ClientRequestError as problem:
            # Words that only a gateway's own dialect knows are an error of the agent here.
            stateful = problem.code == "previous_response_not_found"
            if recording.succeeded and recording.provider in VENDORS and not stateful:
                failures.append(f"{recording.name}: {problem}")
            outcomes[f"unreadable: {problem.param}"] += 1
            continue
        for model, dialect, judge in targets(target):
            try:
                judge(FORMATS[target].render_request(request, model, dialect).body)
                outcomes["accepted"] += 1
            except UnsupportedFeature as refusal:
                outcomes[f"refused: {refusal.feature}"] += 1
            except Exception as problem:
                words = getattr(problem, "message", None) or str(problem)
                failures.append(f"{recording.name} ({model}): {words[:300]}")
    return outcomes, failures


def summary(outcomes):
    """Count by the first word: accepted, refused by name, unreadable."""
    counted = Counter()
    for outcome, count in outcomes.items():
        counted[outcome.partition(":")[0]] += count
    return counted


@needs_recordings
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_format_changes_the_model_and_nothing_else(name, matrix):
    outcomes = Counter()
    for recording in recordings(name):
        if recording.request is None or not recording.succeeded:
            continue
        provider = DEFAULT_PROVIDER[name]
        rewrite = FORMATS[name].rewrite_request
        try:
            kept = rewrite(recording.request, LINE, "asked-for", provider)
        except UnsupportedFeature as refusal:
            outcomes[f"refused: {refusal.feature}"] += 1
            continue
        before, after = json.loads(recording.request), json.loads(kept.body)
        asked = before.pop("model", None)
        assert after.pop("model", "asked-for").endswith("asked-for"), recording.name
        if not kept.losses and not _LONG_ID.search(recording.request):
            assert after == before, recording.name
            if asked is not None and name != "gemini":
                again = rewrite(recording.request, LINE, asked, provider)
                assert again.body == recording.request, recording.name
        outcomes["untouched" if not kept.losses else "mended"] += 1
    matrix("requests", name, name, summary(outcomes), 0)
    assert outcomes["untouched"]


PAIRS = [
    (source, target)
    for source in FORMATS
    for target in FORMATS
    if source != target or source == "gemini"
]
"""Gemini's own are written anew too: its generations differ in what they accept."""


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_agent_request_is_accepted(source, target, matrix):
    outcomes, failures = run(agent_requests(source), source, target)
    matrix("requests of agents", source, target, summary(outcomes), len(failures))
    assert not failures, "\n".join(failures)


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_recorded_request_is_accepted(source, target, matrix):
    chosen = [r for r in recordings(source) if r.request is not None and r.succeeded]
    outcomes, failures = run(chosen, source, target)
    matrix("requests", source, target, summary(outcomes), len(failures))
    assert not failures, "\n".join(failures)


@needs_recordings
@pytest.mark.parametrize("target", ["anthropic", "openai-chat"])
def test_every_body_of_a_real_responses_agent_is_accepted(target, matrix):
    chosen = [
        Recording(name, "openai-responses", "openai", True, 200, body, b"", frozenset())
        for name, body in captured_bodies("/v1/responses")
    ]
    outcomes, failures = run(chosen, "openai-responses", target)
    matrix("captured requests", "openai-responses", target, summary(outcomes), len(failures))
    assert outcomes["accepted"] >= len(chosen)
    assert not failures, "\n".join(failures)
