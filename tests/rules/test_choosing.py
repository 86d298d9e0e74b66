import pytest

from addon.neutral import Request, SystemMessage, TextPart
from addon.rules import CallFacts, RulesError, load_rules

KEYS = {"ANTHROPIC_API_KEY": "a", "ZAI_API_KEY": "z", "GROQ_API_KEY": "g", "MISTRAL_API_KEY": "m"}


def rules(text="", environment=KEYS):
    return load_rules(f"version: 1\n{text}", "rules.yaml", environment)


def decide(text="", model="m", provider="openai", environment=KEYS, **facts):
    facts = CallFacts(model=model, endpoint="chat", provider=provider, **facts)
    decision = rules(text, environment).decide(facts, "openai-chat")
    places = [f"{place.provider.id}:{place.model}" for place in decision.destinations]
    return decision.action, decision.rule_name, places


ONE_RULE = "rules: [{name: one, use: 'anthropic:claude-a'}]\n"
BLOCK_ALL = "rules: [{name: none, use: block}]\n"


@pytest.mark.parametrize("text", ["", ONE_RULE, BLOCK_ALL, "default: block\n"])
@pytest.mark.parametrize("model", ["zai:glm-5.3", "zai/glm-5.3"])
def test_a_model_name_that_says_where_to_go_comes_before_all_rules(text, model):
    assert decide(text, model) == ("route", "model name", ["zai:glm-5.3"])


def test_a_slash_is_part_of_the_name_where_the_provider_has_such_names():
    assert decide(model="openai/gpt-oss-120b", provider="groq")[0] == "pass"
    assert decide(model="zai:glm-5.3", provider="groq")[2] == ["zai:glm-5.3"]


@pytest.mark.parametrize("model", ["nobody:glm", "zai:", "zai", ":x", "a/b", "", "ft:gpt-4:org"])
def test_other_names_are_mere_names(model):
    assert decide(ONE_RULE, model) == ("route", "one", ["anthropic:claude-a"])


def test_an_alias_is_asked_for_as_a_model():
    text = "aliases: {fast: 'groq:openai/gpt-oss-20b', same: 'zai:*'}\n" + ONE_RULE
    assert decide(text, "fast") == ("route", "alias fast", ["groq:openai/gpt-oss-20b"])
    assert decide(text, "same")[2] == ["zai:same"]
    assert decide(text, "faster")[1] == "one"


def test_an_alias_must_lead_to_a_provider():
    with pytest.raises(RulesError, match="aliases: `no` must be PROVIDER:MODEL, not `block`"):
        rules("aliases: {no: block}\n")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", "anthropic:claude-opus-5-5"),
        ("glm-5.3", "zai:glm-5.3"),
        ("codestral-latest", "mistral:codestral-latest"),
    ],
)
def test_the_owner_of_a_model_gets_what_no_rule_takes(model, expected):
    assert decide("default: block\n", model) == ("route", "owner of the model", [expected])
    assert decide(ONE_RULE, model)[1] == "one"


def test_a_model_of_the_called_provider_stays_with_default():
    assert decide(model="gpt-5") == ("pass", "default", [])
    assert decide(model="claude-a", provider="anthropic") == ("pass", "default", [])


def test_an_owner_without_a_key_or_switched_off_is_passed_over():
    assert decide(model="kimi-k3") == ("pass", "default", [])
    off = "providers: {zai: {enabled: false}}\n"
    assert decide(off, "glm-5.3") == ("pass", "default", [])
    other = {"ZHIPUAI_API_KEY": "k"}
    assert decide(model="glm-5.3", environment=other)[2] == ["glm:glm-5.3"]


def test_a_provider_that_lists_the_model_owns_it():
    text = "providers: {office: {base_url: 'http://h/v1', api_key: none, models: [claude-own]}}\n"
    assert decide(text, "claude-own")[2] == ["office:claude-own"]


def test_choosing_by_name_can_be_switched_off():
    text = "by_model_name: false\naliases: {fast: 'zai:x'}\n"
    assert decide(text, "zai:glm-5.3")[0] == "pass"
    assert decide(text, "claude-a")[0] == "pass"
    assert decide(text, "fast")[2] == ["zai:x"]


PHASED = """
rules:
  - name: plan and code
    when: {agent: coder}
    use:
      planning: anthropic:claude-opus-5-5
      coding: [zai:glm-5.3, anthropic:claude-a]
      title: block
"""


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("planning", ("route", "plan and code", ["anthropic:claude-opus-5-5"])),
        ("coding", ("route", "plan and code", ["zai:glm-5.3", "anthropic:claude-a"])),
        ("title", ("block", "plan and code", [])),
        ("review", ("pass", "default", [])),
    ],
)
def test_a_rule_has_a_target_for_each_phase(phase, expected):
    assert decide(PHASED, agent="coder", stated_phase=phase) == expected


def test_other_stands_for_the_phases_without_a_target():
    text = PHASED + "      other: zai:rest\n"
    assert decide(text, agent="coder", stated_phase="review")[2] == ["zai:rest"]
    assert decide(text, agent="coder")[2] == ["zai:rest"]


def test_the_trace_says_why_a_phase_did_not_fit():
    facts = CallFacts(model="m", endpoint="chat", agent="coder", stated_phase="review")
    (step,) = rules(PHASED).decide(facts, "openai-chat").trace
    assert (step.matched, step.reason) == (
        False,
        "the phase is review, and `use` names planning, coding, title only",
    )


def test_a_phase_is_a_condition():
    text = "rules: [{name: r, when: {phase: [review, title]}, use: 'zai:x'}]\n"
    assert decide(text, stated_phase="title")[2] == ["zai:x"]
    assert decide(text, stated_phase="coding")[0] == "pass"
    with pytest.raises(RulesError, match="phase: expected a phase, found `plan`; did you mean"):
        rules("rules: [{when: {phase: plan}, use: 'zai:x'}]\n")


def test_a_phase_is_recognised_from_traffic():
    said = "You are a title generator. You output ONLY a thread title."
    system = (SystemMessage((TextPart(said),)),)
    request = Request(source_format="openai-chat", model="m", messages=(), system=system)
    agent = {"headers": (("user-agent", "opencode/1.18.33"),), "request": lambda: request}
    text = "rules: [{name: titles, when: {phase: title}, use: 'zai:x'}]\n"
    assert decide(text, **agent)[1] == "titles"
    assert decide(text, headers=(("user-agent", "x/1"),), request=lambda: request)[1] == "default"


def test_a_disabled_provider_is_left_out_of_a_list_and_refused_alone():
    off = "providers: {zai: {enabled: false}}\n"
    assert decide(off + "rules: [{use: ['zai:a', 'anthropic:b']}]\n")[2] == ["anthropic:b"]
    with pytest.raises(Exception, match=r"the provider zai is disabled in rules\.yaml; `detour"):
        decide(off + "rules: [{use: 'zai:a'}]\n")


def find_key(entry, environment=KEYS):
    loaded = rules(f"rules: [{entry}]\n", environment)
    facts = CallFacts(model="m", endpoint="chat")
    (place, *_) = loaded.decide(facts, "openai-chat").destinations
    return loaded.keys.find(place.provider), loaded.keys.source(place.provider)


def test_a_rule_may_have_a_key_of_its_own():
    entry = "{use: 'zai:a', api_key: '${TEAM}'}"
    assert find_key(entry, {**KEYS, "TEAM": "team-key"}) == ("team-key", "TEAM")
    with pytest.raises(Exception, match="no key for zai: set TEAM"):
        find_key(entry)
    assert find_key("{use: 'zai:a', api_key: pass}") == (None, "the agent")
    assert find_key("{use: 'zai:a'}") == ("z", "ZAI_API_KEY")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{use: ['zai:a', 'groq:b'], api_key: k}", "api_key: one key cannot be for groq and zai"),
        ("{use: block, api_key: k}", "api_key: a rule that uses `block` changes nothing"),
        ("{use: {planning: ['zai:a', block]}}", "use: `block` stands alone"),
        ("{use: {plan: 'zai:a'}}", "found `plan`; did you mean `planning`"),
        ("{use: {zai: glm-5.3}}", "PROVIDER:MODEL with no blank after the colon, found `zai`"),
        ("{use: {}}", "expected a map of phases to targets, found an empty map"),
    ],
)
def test_mistakes(entry, message):
    with pytest.raises(RulesError, match=message):
        rules(f"rules: [{entry}]\n")
