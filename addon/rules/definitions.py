"""What a rules file may say: the one definition of every key.

Reading, suggestions for misspelt keys and the JSON Schema all come from these tables.
"""

from __future__ import annotations

from typing import Any

from addon.formats.base import FORMAT_NAMES
from addon.providers import BUILT_IN
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
from addon.rules.decisions import DEFAULT_INTERCEPT
from addon.rules.facts import FEATURES
from addon.rules.patterns import COMPARISON_PATTERN, any_of
from addon.rules.shapes import (
    AnyJson,
    Choice,
    Entries,
    Exactly,
    Field,
    Items,
    Reading,
    Record,
    ScalarOr,
    Seconds,
    Text,
    TruthValue,
    Values,
)
from addon.rules.targets import PATTERN as TARGET_PATTERN
from addon.rules.targets import parse_target
from addon.rules.texts import (
    PROVIDER_ID_PATTERN,
    parse_body_field,
    parse_expandable,
    parse_filter,
    parse_header_name,
    parse_host,
    parse_input_tokens,
    parse_known_provider,
    parse_own_header_name,
    parse_pattern,
    parse_provider_id,
)

ENDPOINTS = ("chat", "responses", "messages", "generate")


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
_TARGET = Text(
    "PROVIDER:MODEL, `pass` or `block` (no blank after the colon)", parse_target, TARGET_PATTERN
)
_SECRET = Text("text", parse_expandable)
_FORMAT = Choice("a format", FORMAT_NAMES)

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
            Items("PROVIDER:MODEL, or a list of them", _TARGET, or_one=True),
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

_MODEL = Record(
    "a model",
    (
        Field(
            "id",
            Text("the name of a model"),
            "The provider's name of it.",
            "qwen3-coder",
            required=True,
        ),
        Field("title", Text("a name"), "What people call it.", "Qwen Coder"),
        Field("default", TruthValue(), "Whether it is the one to try first.", True),
    ),
)

PROVIDER = Record(
    "a provider",
    (
        Field(
            "base_url",
            ScalarOr(
                Text("a URL", parse_expandable),
                Entries(
                    "a URL, or a map of formats to URLs",
                    Text("a URL", parse_expandable),
                    _FORMAT,
                ),
            ),
            "What the official SDK of the format takes: with /v1 for the OpenAI formats, without a"
            " version for anthropic and gemini. One URL for all formats, or a map with one each.",
            "http://127.0.0.1:8000/v1",
        ),
        Field(
            "formats",
            Items("formats", _FORMAT, or_one=True),
            "The formats to call it in, the preferred one first. An agent's own format is used as"
            " it is where it is among them.",
            ["openai-chat"],
        ),
        Field(
            "api_key",
            _SECRET,
            "The key, best as ${VARIABLE}; `none` sends no key.",
            "${OFFICE_KEY}",
        ),
        Field(
            "models",
            Items("models", ScalarOr(Text("the name of a model"), _MODEL), or_one=True),
            "Models that it offers, the one to try first at the head or marked as default; for"
            " lists, tests and finding the owner of a model. Others can be used as well.",
            ["qwen3-coder"],
        ),
        Field("title", Text("a name"), "What people call it.", "Our vLLM"),
        Field(
            "enabled",
            TruthValue(),
            "Whether calls may go there; with `false` none does, also where a rule names it.",
            True,
        ),
        Field(
            "region",
            Text("a region"),
            "Which of its hosts, for a built-in provider with several; see `detour providers`.",
            "intl",
        ),
        Field(
            "api_version",
            Text("a version"),
            "Azure OpenAI: the api-version to name in every URL.",
            "2026-05-01",
        ),
        Field(
            "headers",
            Entries(
                "a map of header names to values", _SECRET, Text("a header", parse_own_header_name)
            ),
            "Headers to add to every call.",
            {"x-team": "research"},
        ),
        Field(
            "timeouts",
            Record(
                "`timeouts`",
                (
                    Field("connect", Seconds(), "Until the connection stands.", 10),
                    Field("first_byte", Seconds(), "Until the answer begins.", 300),
                    Field("idle", Seconds(), "Between two pieces of an answer.", 300),
                    Field("total", Seconds(), "For the whole call.", 3600),
                ),
            ),
            "How long it may take, in seconds.",
        ),
        Field(
            "dialect",
            Choice("a built-in provider", tuple(BUILT_IN)),
            "The built-in provider whose habits it shares.",
            "deepseek",
        ),
    ),
)

FILE = Record(
    "the rules file",
    (
        Field("version", Exactly(1), "The version of this file's format.", 1, required=True),
        Field(
            "providers",
            Entries(
                "a map of providers",
                PROVIDER,
                Text("the name of a provider", parse_provider_id, PROVIDER_ID_PATTERN),
                or_none=True,
            ),
            "Changes to built-in providers, and providers of your own. Text in it may hold"
            " ${VARIABLE} or ${VARIABLE:-default}.",
        ),
        Field(
            "rules",
            Items("a list of rules", RULE, or_none=True),
            "The first rule whose conditions all hold applies.",
        ),
        Field(
            "default",
            _TARGET,
            "What happens to calls that no rule applies to: `pass` lets them through unchanged,"
            " `block` refuses them, PROVIDER:MODEL sends them there.",
            "pass",
        ),
        Field(
            "intercept",
            Items("host names", Text("a host name", parse_host), or_one=True),
            "Hosts whose calls are looked at; all others are tunnelled unopened.",
            list(DEFAULT_INTERCEPT),
        ),
    ),
    elsewhere={
        **{field.name: "in an entry of `rules`" for field in RULE.fields},
        **{field.name: "in an entry of `providers`" for field in PROVIDER.fields},
        **{field.name: "under `when` in an entry of `rules`" for field in WHEN.fields},
    },
)
