import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import RulesError, load_rules
from addon.rules.container_shapes import Entries, Items, ScalarOr
from addon.rules.definitions import FILE
from addon.rules.nodes import parse, to_json
from addon.rules.records import Record
from addon.rules.schema import PATH, rules_schema, schema_text
from addon.rules.shapes import Reading

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft7Validator(rules_schema())

EXAMPLE = """
version: 1
providers:
  anthropic: {api_key: "${ANTHROPIC_API_KEY}"}
  office-vllm:
    base_url: "http://127.0.0.1:8000/v1"
    formats: [openai-chat]
    api_key: none
    models: [qwen3-coder]
    timeouts: {connect: 5, first_byte: 60.5}
    dialect: deepseek
    headers: {x-team: research}
  gateway: {base_url: {openai-chat: "https://g/v1", anthropic: "https://g"}}
rules:
  - name: plan with Opus
    when: {agent: planner, model: "gpt-5*"}
    use: anthropic:claude-opus-5-5
  - when: {agent: coder, has: tools, header: {x-a: b}, input_tokens: "> 5", filter: ~q}
    use: [zai:glm-5.3, anthropic:claude-sonnet-5-5]
    set: {temperature: 0.2, metadata: {a: [1, null]}}
    drop: [logit_bias]
  - when: {model: ["gpt-*-mini", "gpt-*-nano"], endpoint: chat, provider: [openai]}
    use: local:*
  - use: block
default: pass
intercept: [api.openai.com]
"""


def document(text):
    node = parse(text, pytest.fail)
    assert node is not None
    return to_json(node)


def complaints(text):
    return [error.message for error in VALIDATOR.iter_errors(document(text))]


def test_the_file_is_what_the_generator_writes():
    remedy = "run `python -m addon.rules.schema > addon/rules/rules.schema.json`"
    assert PATH.read_text(encoding="utf-8") == schema_text(), remedy


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(rules_schema())


@pytest.mark.parametrize("text", [EXAMPLE, "version: 1\n", "version: 1\nrules:\nproviders:\n"])
def test_valid_files_are_valid_by_the_schema(text):
    load_rules(text, "rules.yaml", {})
    assert complaints(text) == []


def test_the_shipped_file_is_valid_by_the_schema_it_names():
    text = (ROOT / "rules.yaml").read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(.*)\n", text)
    assert named
    assert (ROOT / named[1]).samefile(PATH)
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "rules: []",
        "version: 2",
        "version: 1\nrule: []",
        "version: 1\nrules: [{name: a}]",
        "version: 1\nrules: [{use: anthropic}]",
        "version: 1\nrules: [{use: []}]",
        "version: 1\nrules: [{use: pass, when: {}}]",
        "version: 1\nrules: [{use: pass, when: {modle: a}}]",
        "version: 1\nrules: [{use: pass, when: {endpoint: chats}}]",
        "version: 1\nrules: [{use: pass, when: {has: [image]}}]",
        "version: 1\nrules: [{use: pass, when: {model: 5}}]",
        "version: 1\nrules: [{use: pass, when: {input_tokens: 60k}}]",
        "version: 1\nproviders: {mine: {base_url: {openai: http://h}}}",
        "version: 1\nproviders: {mine: {timeouts: {connect: 0}}}",
        "version: 1\nproviders: {'a b': {base_url: http://h}}",
    ],
)
def test_what_the_schema_can_know_to_be_wrong_is_wrong_for_both(text):
    assert complaints(text)
    with pytest.raises(RulesError):
        load_rules(text, "rules.yaml", {})


def fields(shape):
    """Go through all fields of a shape, however deep."""
    match shape:
        case Record():
            for field in shape.fields:
                yield field
                yield from fields(field.shape)
        case Items():
            yield from fields(shape.item)
        case Entries():
            yield from fields(shape.value)
        case ScalarOr():
            yield from fields(shape.container)


@pytest.mark.parametrize("field", list(fields(FILE)), ids=lambda field: field.name)
def test_every_field_is_described_and_its_example_fits(field):
    assert re.fullmatch(r"[A-Z].*\.( \(.*\))?", field.description)
    if field.example is None:
        assert isinstance(field.shape, Record | Entries | Items)
        return
    text = str(field.example).lower() if isinstance(field.example, int) else repr(field.example)
    node = parse(text, pytest.fail)
    assert node is not None
    reading = Reading(("openai", "anthropic"), lambda expression: None)
    reading.attempt(field.shape, node)
    assert reading.mistakes == []


anything = (
    st.none() | st.integers(-2, 9) | st.sampled_from(["a", "", "chat", [], ["a"], {}, {"a": 1}])
)


def mostly(*valid):
    """Give a value that fits, or now and then any other."""
    return st.sampled_from(valid) | st.sampled_from(valid) | anything


whens = st.fixed_dictionaries(
    {},
    optional={
        "model": mostly("gpt-5*", ["a", "/b/"]),
        "agent": mostly("codex", ["a"]),
        "endpoint": mostly("chat", ["chat", "messages"]),
        "header": mostly({"x-a": "b"}),
        "has": mostly("tools", ["tools", "stream"]),
        "input_tokens": mostly("> 5", "<=1_000"),
        "provider": mostly("openai"),
    },
)
rules = st.fixed_dictionaries(
    {"use": mostly("pass", "local:*", ["local:a", "openai:b:c"])},
    optional={"when": whens, "set": mostly({"a": [1]}), "drop": mostly("b", ["b", "c"])},
)
providers = st.fixed_dictionaries(
    {"base_url": mostly("http://h/v1", {"anthropic": "http://h"})},
    optional={
        "formats": mostly("anthropic"),
        "api_key": mostly("none"),
        "models": mostly("a", ["a"]),
        "timeouts": mostly({"idle": 5}),
        "headers": mostly({"x-a": "b"}),
        "dialect": mostly("qwen"),
    },
)


@given(st.lists(rules, max_size=2), st.none() | providers, mostly("pass", "local:*"))
def test_what_loads_is_valid_by_the_schema(entries, provider, default):
    entry = {} if provider is None else {"mine": provider}
    parts = {"version": 1, "providers": entry, "rules": entries, "default": default}
    text = json.dumps(parts)
    try:
        load_rules(text, "rules.yaml", {})
    except RulesError:
        return
    assert complaints(text) == []
