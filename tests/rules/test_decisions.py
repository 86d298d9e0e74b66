import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import Message, Request, TextPart, Tool, UnsupportedFeature
from addon.rules import CallFacts, RulesError, load_rules

HEADER = "version: 1\n"


def decide(rules, agent_format="openai-chat", tail="", **fields):
    text = HEADER + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules) + tail
    loaded = load_rules(text, "rules.yaml", {})
    facts = CallFacts(**({"model": "gpt-5", "endpoint": "chat"} | fields))
    return loaded.decide(facts, agent_format)


def why_not(when, **fields):
    """Return the reason for which a single condition fails, or None if it holds."""
    decision = decide([f"{{name: r, when: {{{when}}}, use: block}}"], **fields)
    [step] = decision.trace
    assert step.matched == (decision.action == "block")
    return None if step.matched else step.reason


REQUEST = Request(
    model="gpt-5",
    source_format="openai-chat",
    messages=(Message("user", (TextPart("a" * 3500),)),),
    tools=(Tool("t"),),
    stream=True,
)
UNREADABLE = "the request could not be read"


@pytest.mark.parametrize(
    ("when", "fields", "reason"),
    [
        ("model: gpt-5", {}, None),
        ("model: gpt-5*", {"model": "gpt-4o"}, "model gpt-4o does not match gpt-5*"),
        ("model: [a, b*]", {}, "model gpt-5 matches none of a, b*"),
        ("model: [a, gpt-*]", {}, None),
        ("model: '/^gpt-[0-9]$/'", {}, None),
        ("agent: Codex", {"agent": "codex"}, None),
        ("agent: [a, plan*]", {"agent": "planner"}, None),
        ("agent: planner", {"agent": "codex"}, "agent codex does not match planner"),
        ("agent: '*'", {}, "the agent is not known"),
        ("endpoint: chat", {}, None),
        ("endpoint: [chat, messages]", {"endpoint": "messages"}, None),
        ("endpoint: messages", {}, "the endpoint is chat, not messages"),
        ("endpoint: [messages, responses]", {}, "the endpoint is chat, not messages or responses"),
        ("provider: openai", {"provider": "openai"}, None),
        (
            "provider: openai",
            {"provider": "anthropic"},
            "the agent calls anthropic, not openai",
        ),
        (
            "provider: [openai, xai]",
            {},
            "the agent calls a provider that Detour does not know, not openai or xai",
        ),
        ("header: {X-Phase: plan*}", {"headers": (("x-phase", "Planning"),)}, None),
        (
            "header: {x-phase: plan*}",
            {"headers": (("X-Phase", "act"),)},
            "header x-phase does not match plan*",
        ),
        ("header: {x-a: '*'}", {}, "there is no header x-a"),
        ("header: {a: x, b: y}", {"headers": (("a", "x"), ("b", "y"))}, None),
        (
            "header: {a: x, b: y}",
            {"headers": (("a", "x"), ("b", "z"))},
            "header b does not match y",
        ),
        ("header: {a: x}", {"headers": (("a", "z"), ("a", "x"))}, None),
        ("has: tools", {"request": lambda: REQUEST}, None),
        ("has: [tools, stream]", {"request": lambda: REQUEST}, None),
        ("has: [tools, images]", {"request": lambda: REQUEST}, "the request has no images"),
        (
            "has: [images, files]",
            {"request": lambda: REQUEST},
            "the request has no images or files",
        ),
        ("has: tools", {}, UNREADABLE),
        ("input_tokens: '> 900'", {"request": lambda: REQUEST}, None),
        (
            "input_tokens: '> 60000'",
            {"request": lambda: REQUEST},
            "about 1001 input tokens, not > 60000",
        ),
        ("input_tokens: '< 5'", {}, UNREADABLE),
        ("filter: ~a", {"matches_filter": lambda expression: expression == "~a"}, None),
        ("filter: ~b", {}, "the filter `~b` does not match"),
        ("model: gpt-5, endpoint: chat, agent: x", {"agent": "x"}, None),
        ("model: gpt-5, agent: x", {"agent": "y"}, "agent y does not match x"),
    ],
)
def test_conditions(when, fields, reason):
    assert why_not(when, **fields) == reason


def test_the_first_rule_that_applies_wins():
    decision = decide(
        [
            "{name: a, when: {model: x}, use: block}",
            "{name: b, when: {model: gpt*}, use: 'anthropic:claude-a', set: {t: 1}, drop: [u]}",
            "{name: c, use: block}",
        ]
    )
    assert decision.action == "route"
    assert decision.rule_name == "b"
    assert (decision.set, decision.drop) == ({"t": 1}, ("u",))
    assert decision.trace == (
        ("a", False, "model gpt-5 does not match x"),
        ("b", True, ""),
    )
    [destination] = decision.destinations
    assert destination.provider.id == "anthropic"
    assert destination.format == "anthropic"
    assert destination.base_url == "https://api.anthropic.com"
    assert destination.model == "claude-a"


def test_the_agents_own_format_is_kept_where_the_provider_offers_it():
    rules = ["{use: ['deepseek:deepseek-flash', 'anthropic:*']}"]
    chat = decide(rules, "openai-chat").destinations
    assert [(place.format, place.model) for place in chat] == [
        ("openai-chat", "deepseek-flash"),
        ("anthropic", "gpt-5"),
    ]
    messages = decide(rules, "anthropic").destinations
    assert messages[0].base_url == "https://api.deepseek.com/anthropic"


@pytest.mark.parametrize(
    ("target", "asked", "model"),
    [
        ("local:*", "gpt-5", "gpt-5"),
        ("openrouter:openai/*", "gpt-5", "openai/gpt-5"),
        ("local:qwen3:8b", "gpt-5", "qwen3:8b"),
        ("openrouter:deepseek/deepseek-v3:free", "gpt-5", "deepseek/deepseek-v3:free"),
        ("local: spaced", "gpt-5", "spaced"),
        ("local:*", "a*b", "a*b"),
    ],
)
def test_targets(target, asked, model):
    [destination] = decide([f"{{use: '{target}'}}"], model=asked).destinations
    assert destination.model == model


@pytest.mark.parametrize(
    ("default", "action", "models"),
    [
        ("", "pass", []),
        ("default: pass\n", "pass", []),
        ("default: block\n", "block", []),
        ("default: anthropic:*\n", "route", ["gpt-5"]),
    ],
)
def test_without_a_rule_the_default_counts(default, action, models):
    decision = decide(["{name: a, when: {model: x}, use: block}"], tail=default)
    assert decision.action == action
    assert decision.rule is None
    assert decision.rule_name == "default"
    assert [place.model for place in decision.destinations] == models
    assert [step.rule for step in decision.trace] == ["a"]


@pytest.mark.parametrize("verdict", ["pass", "block"])
def test_a_rule_may_let_through_or_refuse(verdict):
    decision = decide([f"{{use: {verdict}}}"])
    assert (decision.action, decision.destinations) == (verdict, ())


def test_costly_conditions_are_not_looked_at_when_a_cheap_one_fails():
    def never(*_):
        raise AssertionError

    when = "{has: tools, input_tokens: '> 5', filter: ~a, model: x}"
    decision = decide([f"{{when: {when}, use: block}}"], request=never, matches_filter=never)
    assert decision.action == "pass"


def test_a_rule_may_stand_above_the_provider_it_uses():
    rules = "rules: [{use: 'mine:m', when: {provider: mine}}]\n"
    text = rules + "providers: {mine: {base_url: 'http://h'}}\nversion: 1\n"
    loaded = load_rules(text, "rules.yaml", {})
    decision = loaded.decide(CallFacts(model="m", endpoint="chat", provider="mine"), "openai-chat")
    assert decision.destinations[0].base_url == "http://h"
    assert [target.provider for target in loaded.targets()] == ["mine"]


def test_a_format_nobody_speaks_is_refused_at_the_call_too(monkeypatch):
    loaded = load_rules("version: 1\nrules: [{use: 'anthropic:m'}]\n", "rules.yaml", {})
    monkeypatch.setattr(type(loaded.providers["anthropic"]), "format_for", _refuse)
    with pytest.raises(UnsupportedFeature):
        loaded.decide(CallFacts(model="m", endpoint="chat"), "openai-chat")


def _refuse(self, agent_format):
    raise UnsupportedFeature(self.id, "no format")


conditions = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["gpt-5", "gpt-*", "[a, b*]", "/o/"]),
        "agent": st.sampled_from(["codex", "c*", "aider"]),
        "endpoint": st.sampled_from(["chat", "[messages, responses]"]),
        "provider": st.sampled_from(["openai", "anthropic"]),
        "has": st.sampled_from(["tools", "images", "[tools, stream]"]),
        "input_tokens": st.sampled_from(["'> 100'", "'<= 100'"]),
        "header": st.sampled_from(["{x-a: b*}", "{x-b: '*'}"]),
        "filter": st.sampled_from(["~a", "~b"]),
    },
)


@given(
    st.lists(conditions, max_size=5),
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(["gpt-5", "gpt-4o", "b1", "x"]),
            "agent": st.sampled_from([None, "codex", "aider"]),
            "endpoint": st.sampled_from(["chat", "messages"]),
            "provider": st.sampled_from([None, "openai", "anthropic"]),
            "headers": st.sampled_from([(), (("x-a", "bc"),), (("x-b", ""),)]),
            "request": st.sampled_from([lambda: None, lambda: REQUEST]),
            "matches_filter": st.sampled_from([lambda text: text == "~a", lambda text: False]),
        }
    ),
)
def test_decision_and_explanation_agree(whens, call):
    rules = []
    for number, when in enumerate(whens):
        inner = ", ".join(f"{key}: {value}" for key, value in when.items())
        condition = f"when: {{{inner}}}, " if inner else ""
        rules.append(f"{{name: r{number}, {condition}use: block}}")
    decision = decide(rules or ["{when: {model: none}, use: pass}"], **call)
    trace = decision.trace
    assert all(not step.matched and step.reason for step in trace[:-1])
    if decision.rule is not None:
        assert trace[-1] == (decision.rule.name, True, "")
    else:
        assert not any(step.matched for step in trace)
        assert len(trace) == max(len(whens), 1)
    alone = [why_not_alone(rule, call) for rule in rules]
    first = next((number for number, reason in enumerate(alone) if reason is None), None)
    assert decision.rule_name == ("default" if first is None else f"r{first}")
    assert [step.reason for step in trace[: len(rules)]] == [
        reason or "" for reason in alone[: len(trace)]
    ]


def why_not_alone(rule, call):
    [step] = decide([rule], **call).trace
    return None if step.matched else step.reason


def may_divert(rules, tail="", **fields):
    text = HEADER + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules) + tail
    facts = CallFacts(**({"model": "", "endpoint": "responses", "agent": "codex"} | fields))
    return load_rules(text, "rules.yaml", {}).may_divert(facts)


@pytest.mark.parametrize(
    ("rules", "tail", "expected"),
    [
        (["{name: a, use: pass}"], "", False),
        (["{name: a, use: pass}"], "default: block", False),
        (["{name: a, when: {model: x}, use: pass}"], "default: block", True),
        (["{name: a, when: {model: x}, use: 'anthropic:*'}"], "", True),
        (["{name: a, when: {has: tools}, use: block}"], "", True),
        (["{name: a, when: {agent: other, model: x}, use: block}"], "", False),
        (["{name: a, when: {agent: codex}, use: pass}", "{name: b, use: block}"], "", False),
        (["{name: a, when: {endpoint: chat}, use: block}"], "", False),
        (["{name: a, when: {header: {x-a: b}}, use: block}"], "", False),
        (["{name: a, when: {filter: '~q'}, use: block}"], "", True),
    ],
)
def test_before_the_body_is_known_it_shows_whether_a_call_can_only_pass(rules, tail, expected):
    assert may_divert(rules, f"by_model_name: false\n{tail}") is expected


def test_a_rule_that_is_switched_off_applies_to_nothing_and_says_so():
    text = """
version: 1
rules:
  - {name: off, enabled: false, use: block}
  - {name: "on", enabled: true, use: anthropic:claude-opus-5-5}
"""
    rules = load_rules(text, "rules.yaml", {})
    facts = CallFacts(model="gpt-5", endpoint="chat")
    decision = rules.decide(facts, "openai-chat")
    assert decision.rule_name == "on"
    assert decision.trace[0] == ("off", False, "it is switched off (`enabled: false`)")
    assert rules.foresee(facts, "openai-responses").rule_name == "on"
    assert [rule.enabled for rule in rules.rules] == [False, True]
    assert rules.notices == ()


def test_a_rule_that_is_switched_off_diverts_nothing():
    text = "version: 1\nby_model_name: false\nrules: [{enabled: false, use: block}, {use: pass}]\n"
    rules = load_rules(text, "rules.yaml", {})
    assert not rules.may_divert(CallFacts(model="gpt-5", endpoint="chat"))


def test_what_is_switched_off_may_lack_what_it_would_need():
    text = """
version: 1
providers: {mine: {base_url: "${NOWHERE}"}}
rules:
  - {enabled: %s, use: "mine:m", limit: {cost_usd: 1}}
  - {enabled: %s, use: "azure:gpt"}
"""
    rules = load_rules(text % ("false", "false"), "rules.yaml", {})
    assert list(rules.targets()) == []
    with pytest.raises(RulesError) as raised:
        load_rules(text % ("true", "true"), "rules.yaml", {})
    assert "NOWHERE" in str(raised.value)
    with pytest.raises(RulesError, match="unknown provider"):
        load_rules("version: 1\nrules: [{enabled: false, use: 'nobody:m'}]", "rules.yaml", {})
