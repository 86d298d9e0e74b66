"""What an entry under `rules` may say."""

from __future__ import annotations

from addon.formats.endpoints import OTHER_ENDPOINTS
from addon.providers import FAILURES, PASSING, FallbackPolicy
from addon.rules.conditions import (
    AgentCondition,
    Condition,
    EndpointCondition,
    FilterCondition,
    HasCondition,
    HeaderCondition,
    InputTokensCondition,
    ModelCondition,
    PhaseCondition,
    ProviderCondition,
)
from addon.rules.container_shapes import Entries, Items, MapOr
from addon.rules.facts import FEATURES
from addon.rules.limits import PERIODS
from addon.rules.patterns import COMPARISON_PATTERN, any_of
from addon.rules.records import Field, Record, Values
from addon.rules.scalar_shapes import AnyJson, Choice, Quantity, Text, TruthValue
from addon.rules.shapes import Reading
from addon.rules.signatures import PHASES
from addon.rules.targets import PATTERN as TARGET_PATTERN
from addon.rules.targets import Target, Verdict, parse_target
from addon.rules.texts import (
    parse_body_field,
    parse_expandable,
    parse_filter,
    parse_header_name,
    parse_input_tokens,
    parse_known_provider,
    parse_pattern,
)

ENDPOINTS = ("chat", "responses", "messages", "generate", "count", *OTHER_ENDPOINTS)


MOST_RETRIES = 10
EVERY_PHASE = ""
"""The key of what `use` says where it is no map of phases."""


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
    if phases := values.get("phase"):
        conditions.append(PhaseCondition(phases))
    if features := values.get("has"):
        conditions.append(HasCondition(features))
    if comparison := values.get("input_tokens"):
        conditions.append(InputTokensCondition(comparison))
    return tuple(conditions)


def _fallback_policy(values: Values, reading: Reading) -> FallbackPolicy:
    retries: float = values.get("retries", 0)
    if retries != int(retries) or retries > MOST_RETRIES:
        message = f"retries: expected a whole number up to {MOST_RETRIES}"
        reading.record(values.marks["retries"], message)
        retries = 0
    added, removed = values.get("on", ()), values.get("not_on", ())
    for failure in removed:
        if failure in added:
            reading.record(values.marks["not_on"], f"not_on: `{failure}` stands under `on` as well")
    return FallbackPolicy(
        on=(PASSING | frozenset(added)) - frozenset(removed),
        retries=int(retries),
        cooldown=values.get("cooldown", FallbackPolicy().cooldown),
    )


def _check_limit(values: Values, reading: Reading) -> Values:
    if not {"requests", "tokens", "cost_usd"} & (values.keys() | values.failed):
        message = "limit: an amount is missing: `requests`, `tokens` or `cost_usd`"
        reading.record(values.mark, message)
    verdicts = [item for item in values.get("else", ()) if isinstance(item, str)]
    if verdicts and len(values["else"]) > 1:
        message = f"else: `{verdicts[0]}` stands alone, not in a list"
        reading.record(values.marks["else"], message)
    return values


def _check_rule(values: Values, reading: Reading) -> Values:
    if "use" in values and not isinstance(values["use"], dict):
        values["use"] = {EVERY_PHASE: values["use"]}
    by_phase: dict[str, tuple[Target | Verdict, ...]] = values.get("use", {})
    uses = list(by_phase.values())
    verdicts = [item for use in uses for item in use if isinstance(item, str)]
    for use in uses:
        alone = [item for item in use if isinstance(item, str)]
        if alone and len(use) > 1:
            message = f"use: `{alone[0]}` stands alone, not in a list"
            reading.record(values.marks["use"], message)
    for key in ("set", "drop", "api_key", "fallback"):
        if verdicts and len(verdicts) == sum(map(len, uses)) and key in values:
            message = f"{key}: a rule that uses `{verdicts[0]}` changes nothing in the call"
            reading.record(values.marks[key], message)
    if "api_key" in values:
        names = {item.provider for use in uses for item in use if isinstance(item, Target)}
        if len(names) > 1:
            message = f"api_key: one key cannot be for {' and '.join(sorted(names))}; split it"
            reading.record(values.marks["api_key"], message)
    for name in values.get("drop", ()):
        if name in values.get("set", {}):
            reading.record(values.marks["drop"], f"drop: `{name}` stands under `set` as well")
    return values


_GLOB = Text("a name, a glob such as `gpt-5*` or a /regular expression/", parse_pattern)
TARGET = Text(
    "PROVIDER:MODEL, `pass` or `block` (no blank after the colon)", parse_target, TARGET_PATTERN
)
_SECRET = Text("text", parse_expandable)


_PHASE = Choice("a phase, or PROVIDER:MODEL with no blank after the colon", PHASES)
_USE = Items("PROVIDER:MODEL, or a list of them", TARGET, or_one=True)

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
            "phase",
            Items("phases", Choice("a phase", PHASES), or_one=True),
            "What the agent is doing: recognised from the traffic of Codex, Claude Code, opencode"
            " and aider, or said by the proxy user name (coder.planning). Or several.",
            "planning",
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
            "The API that the agent calls, or several. Those after `completions` are never"
            " translated: they go to providers that have the same.",
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

_LIMIT = Record(
    "`limit`",
    (
        Field("requests", Quantity(whole=True), "How many calls.", 100),
        Field("tokens", Quantity(whole=True), "How many tokens, read and written.", 2_000_000),
        Field(
            "cost_usd",
            Quantity(),
            "How many US dollars, by the price lists; what a model of unknown price costs does not"
            " count.",
            5,
        ),
        Field(
            "per",
            Choice("a period", PERIODS),
            "The hour, day or month of the calendar in which that much may be used. `day` when not"
            " given.",
            "day",
        ),
        Field(
            "by",
            Choice("`agent`", ("agent",)),
            "Whether each agent may use that much (`agent`), not all of them together.",
            "agent",
        ),
        Field(
            "else",
            _USE,
            "Where calls go once that is used up, as under `use`; they are refused when not given.",
            "anthropic:claude-haiku-5-5",
        ),
    ),
    finish=_check_limit,
)

RECORD = Choice("`bodies` or `events`", ("bodies", "events"))
RECORD_MEANING = (
    "What is recorded of a call: `events` is its record without anything that was said, as always;"
    " `bodies` also keeps the request and the answer, without keys, in a file of their own."
)

RULE = Record(
    "a rule",
    (
        Field("name", Text("a name"), "Shown in logs and in mitmweb.", "plan with Opus"),
        Field(
            "enabled",
            TruthValue(),
            "Whether the rule is in use; with `false` it applies to no call. True when not given.",
            False,
        ),
        Field(
            "when",
            WHEN,
            "Conditions, all of which must hold; without any the rule applies to every call.",
        ),
        Field(
            "use",
            MapOr(_USE, Entries("a map of phases to targets", _USE, _PHASE)),
            "Where to send the call: PROVIDER:MODEL (a `*` in MODEL stands for the model that the"
            " agent asked for), several of them in order of preference, `pass` or `block`; or a map"
            " with one for each phase, `other` standing for those that it does not name.",
            "anthropic:claude-sonnet-5-5",
            required=True,
        ),
        Field(
            "fallback",
            Record(
                "`fallback`",
                (
                    Field(
                        "on",
                        Items("failures", Choice("a failure", FAILURES), or_one=True),
                        "Failures after which the next target is tried, beside those that always"
                        " move on: connect, timeout, cut, conflict, rate_limit, overloaded,"
                        " server_error and quota.",
                        ["context_length"],
                    ),
                    Field(
                        "not_on",
                        Items("failures", Choice("a failure", FAILURES), or_one=True),
                        "Failures that the agent is told of at once.",
                        ["rate_limit"],
                    ),
                    Field(
                        "retries",
                        Quantity(),
                        "How often each target is tried again, a little later, before the next"
                        " one. 0 when not given.",
                        2,
                    ),
                    Field(
                        "cooldown",
                        Quantity(),
                        "Seconds for which a target that has failed is passed over, where it does"
                        " not say itself how long. 30 when not given.",
                        60,
                    ),
                ),
                finish=_fallback_policy,
            ),
            "What happens when a target fails before the agent has got anything of an answer.",
        ),
        Field(
            "limit",
            Items("a limit", _LIMIT, or_one=True),
            "How much the calls of this rule may use, or several such limits. Once it is used up,"
            " they are refused with status 429, or go elsewhere.",
        ),
        Field("record", RECORD, RECORD_MEANING, "bodies"),
        Field(
            "api_key",
            _SECRET,
            "Another key than the provider's usual one for these calls, best as ${VARIABLE}; `pass`"
            " sends the agent's own key, to the host that it was meant for and to no other.",
            "${TEAM_KEY}",
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
