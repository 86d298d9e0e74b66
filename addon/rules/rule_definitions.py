"""What an entry under `rules` may say."""

from __future__ import annotations

from typing import Any

from addon.rules.conditions import (
    AgentCondition,
    Condition,
    EndpointCondition,
    FilterCondition,
    HasCondition,
    HeaderCondition,
    InputTokensCondition,
    ModelCondition,
    ProviderCondition,
)
from addon.rules.facts import FEATURES
from addon.rules.patterns import COMPARISON_PATTERN, any_of
from addon.rules.shapes import (
    AnyJson,
    Choice,
    Entries,
    Field,
    Items,
    Reading,
    Record,
    Text,
    Values,
)
from addon.rules.targets import PATTERN as TARGET_PATTERN
from addon.rules.targets import parse_target
from addon.rules.texts import (
    parse_body_field,
    parse_expandable,
    parse_filter,
    parse_header_name,
    parse_input_tokens,
    parse_known_provider,
    parse_pattern,
)

ENDPOINTS = ("chat", "responses", "messages", "generate", "count")


def _conditions(values: Values, _: Reading) -> tuple[Condition, ...]:
    """Make conditions, the cheapest to check first."""
    conditions: list[Condition] = []
    if endpoints := values.get("endpoint"):
        conditions.append(EndpointCondition(endpoints))
    if providers := values.get("provider"):
        conditions.append(ProviderCondition(providers))
    if agents := values.get("agent"):
        conditions.append(AgentCondition(any_of(agents)))
    if models := values.get("model"):
        conditions.append(ModelCondition(any_of(models)))
    for name, pattern in values.get("header", {}).items():
        conditions.append(HeaderCondition(name, pattern))
    if expression := values.get("filter"):
        conditions.append(FilterCondition(expression))
    if features := values.get("has"):
        conditions.append(HasCondition(features))
    if comparison := values.get("input_tokens"):
        conditions.append(InputTokensCondition(comparison))
    return tuple(conditions)


def _check_rule(values: Values, reading: Reading) -> Values:
    use: tuple[Any, ...] = values.get("use", ())
    verdicts = [item for item in use if isinstance(item, str)]
    if verdicts and len(use) > 1:
        message = f"use: `{verdicts[0]}` stands alone, not in a list"
        reading.record(values.marks["use"], message)
    for key in ("set", "drop"):
        if verdicts and key in values:
            message = f"{key}: a rule that uses `{verdicts[0]}` changes nothing in the call"
            reading.record(values.marks[key], message)
    for name in values.get("drop", ()):
        if name in values.get("set", {}):
            reading.record(values.marks["drop"], f"drop: `{name}` stands under `set` as well")
    return values


_GLOB = Text("a name, a glob such as `gpt-5*` or a /regular expression/", parse_pattern)
TARGET = Text(
    "PROVIDER:MODEL, `pass` or `block` (no blank after the colon)", parse_target, TARGET_PATTERN
)
_SECRET = Text("text", parse_expandable)

WHEN = Record(
    "`when`",
    (
        Field(
            "agent",
            Items("agent names", _GLOB, or_one=True),
            "Who calls: the user name in the proxy URL, else a name derived from User-Agent. A"
            " glob, several, or a /regular expression/.",
            "planner",
        ),
        Field(
            "model",
            Items("model names", _GLOB, or_one=True),
            "The model that the agent asks for. A glob, several, or a /regular expression/.",
            "gpt-5*",
        ),
        Field(
            "endpoint",
            Items("endpoints", Choice("an endpoint", ENDPOINTS), or_one=True),
            "The API that the agent calls, or several.",
            "chat",
        ),
        Field(
            "provider",
            Items("providers", Text("a provider", parse_known_provider), or_one=True),
            "The provider whose host the agent calls, or several.",
            "openai",
        ),
        Field(
            "header",
            Entries(
                "a map of header names to globs",
                _GLOB,
                Text("the name of a header", parse_header_name),
            ),
            "Headers of the agent's request and a glob or /regular expression/ for each value.",
            {"x-phase": "plan*"},
        ),
        Field(
            "has",
            Items("features", Choice("a feature", FEATURES), or_one=True),
            "What the request holds or asks for; all of it, where several are given.",
            ["tools", "images"],
        ),
        Field(
            "input_tokens",
            Text("a comparison such as `> 60000`", parse_input_tokens, COMPARISON_PATTERN),
            "About how long the request is: >, >=, < or <= and a number of tokens.",
            "> 60000",
        ),
        Field(
            "filter",
            Text("a mitmproxy filter expression", parse_filter),
            "A mitmproxy filter expression (https://docs.mitmproxy.org/stable/concepts/filters/).",
            "~u /v1/chat",
        ),
    ),
    elsewhere=dict.fromkeys(("name", "use", "set", "drop"), "beside `when`"),
    finish=_conditions,
)

RULE = Record(
    "a rule",
    (
        Field("name", Text("a name"), "Shown in logs and in mitmweb.", "plan with Opus"),
        Field(
            "when",
            WHEN,
            "Conditions, all of which must hold; without any the rule applies to every call.",
        ),
        Field(
            "use",
            Items("PROVIDER:MODEL, or a list of them", TARGET, or_one=True),
            "Where to send the call: PROVIDER:MODEL (a `*` in MODEL stands for the model that the"
            " agent asked for), several of them in order of preference, `pass` or `block`.",
            "anthropic:claude-sonnet-5-5",
            required=True,
        ),
        Field(
            "set",
            Entries("a map of body fields to values", AnyJson(), Text("a field", parse_body_field)),
            "Fields of the request body to give another value, in the words of the agent's format.",
            {"temperature": 0.2},
        ),
        Field(
            "drop",
            Items("body fields", Text("a body field", parse_body_field), or_one=True),
            "Fields of the request body to leave out.",
            ["logit_bias"],
        ),
    ),
    elsewhere={field.name: "under `when`" for field in WHEN.fields},
    finish=_check_rule,
)
