"""docs/rules.md: every example is valid and does what it says, and no key is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from addon.neutral import ImagePart, Message, ReasoningConfig, Request, TextPart, Tool, UrlMedia
from addon.providers import FAILURES
from addon.providers.fallback_policy import PASSING
from addon.rules import PHASES, CallFacts, load_rules, split_name
from addon.rules.container_shapes import Entries, Items, MapOr, ScalarOr
from addon.rules.definitions import FILE
from addon.rules.facts import FEATURES
from addon.rules.nodes import parse, to_json
from addon.rules.records import Record
from addon.rules.rule_definitions import ENDPOINTS
from addon.rules.shapes import Shape
from tests.support.program import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", PAGE, re.M | re.S)
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S)
LINES = [
    pytest.param(rules, line, id=f"{number}-{line.partition(' ->')[0]}")
    for number, (rules, lines) in enumerate(EXAMPLES, 1)
    for line in lines.splitlines()
]
_LINE = re.compile(
    r"(?P<model>\S+)(?: by (?P<agent>\S+))?(?: at (?P<provider>\S+))?(?: with (?P<has>.+?))?"
    r" -> (?P<uses>.+) \((?P<rule>.+)\)"
)
KEYS = {f"{name}_API_KEY": "k" for name in ("ANTHROPIC", "GROQ", "ZAI")}


def keys_of(shape: Shape) -> Iterator[tuple[str, str]]:
    """Go through all keys below a shape, each with the noun of its map."""
    match shape:
        case Record():
            for field in shape.fields:
                yield shape.noun, field.name
                yield from keys_of(field.shape)
        case Items():
            yield from keys_of(shape.item)
        case Entries():
            yield from keys_of(shape.value)
        case ScalarOr():
            yield from keys_of(shape.container)
        case MapOr():
            yield from keys_of(shape.other)
            yield from keys_of(shape.map)
        case _:
            pass


def keys_in(shape: Shape, value: Any) -> Iterator[tuple[str, str]]:
    """Go through the keys that an example uses."""
    match shape, value:
        case Record(), dict():
            shapes = {field.name: field.shape for field in shape.fields}
            for name, inner in value.items():
                yield shape.noun, name
                yield from keys_in(shapes[name], inner)
        case Items(), list():
            for inner in value:
                yield from keys_in(shape.item, inner)
        case Items(), _:
            yield from keys_in(shape.item, value)
        case Entries(), dict():
            for inner in value.values():
                yield from keys_in(shape.value, inner)
        case ScalarOr(), _:
            yield from keys_in(shape.container, value)
        case MapOr(), dict():
            yield from keys_in(shape.map, value)
        case MapOr(), _:
            yield from keys_in(shape.other, value)
        case _:
            pass


def plain(text: str) -> Any:
    """Read a file as the rules are read, where `on` is a word."""
    root = parse(text, pytest.fail)
    assert root is not None
    return to_json(root)


def test_every_key_has_an_example() -> None:
    used = {key for text, _ in EXAMPLES for key in keys_in(FILE, plain(text))}
    assert set(keys_of(FILE)) - used == set()


def test_every_key_and_word_is_explained() -> None:
    told = set(re.findall(r"`([^`]+)`", PROSE))
    keys = {name for _, name in keys_of(FILE)}
    assert keys - told == set()
    assert {*PHASES, *FEATURES, *ENDPOINTS} - told == set()


def test_tables_name_no_key_that_is_not_there() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \|", PROSE, re.M)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named - {name for _, name in keys_of(FILE)} == set()


def test_failures_that_move_on_are_told_from_the_others() -> None:
    (always,) = re.findall(r"^\| `on` \|.*: (.+) \|$", PROSE, re.M)
    (others,) = re.findall(r"^The others are (.+?)\. What", PROSE, re.M | re.S)
    named = [set(re.findall(r"`([^`]+)`", sentence)) for sentence in (always, others)]
    assert named == [set(PASSING), set(FAILURES) - PASSING]


def request_with(words: str) -> tuple[Request, dict[str, str]]:
    """Make a request that has what a line says: features, a length, a header."""
    name, colon, value = words.partition(": ")
    headers = {name: value} if colon else {}
    parts: list[Any] = [TextPart("a")]
    fields: dict[str, Any] = {}
    for word in [] if colon else words.split(" and "):
        match word.split():
            case ["images"]:
                parts.append(ImagePart(UrlMedia("https://h/a.png")))
            case ["tools"]:
                fields["tools"] = (Tool("t"),)
            case ["reasoning"]:
                fields["reasoning"] = ReasoningConfig(effort="high")
            case [count, "tokens"]:
                parts.append(TextPart("a" * round(int(count) * 3.5)))
            case other:
                assert other == [], f"what is {word!r}?"
    messages = (Message("user", tuple(parts)),)
    return Request(model="m", source_format="openai-chat", messages=messages, **fields), headers


@pytest.mark.parametrize("text", [text for text, _ in EXAMPLES])
def test_an_example_is_valid(text: str) -> None:
    load_rules(text, "rules.yaml", KEYS)


@pytest.mark.parametrize(("text", "line"), LINES)
def test_a_line_below_an_example_is_so(text: str, line: str) -> None:
    told = _LINE.fullmatch(line)
    assert told, line
    request, headers = request_with(told["has"] or "")
    agent, phase = split_name(told["agent"] or "unknown")
    facts = CallFacts(
        model=told["model"],
        endpoint="chat",
        agent=agent,
        stated_phase=phase,
        provider=told["provider"] or "openai",
        headers=tuple(headers.items()),
        request=lambda: request,
    )
    decision = load_rules(text, "rules.yaml", KEYS).decide(facts, "openai-chat")
    places = [f"{place.provider.id}:{place.model}" for place in decision.destinations]
    assert decision.rule_name == told["rule"]
    assert (", ".join(places) or decision.action) == told["uses"]


def test_there_are_lines_for_most_examples() -> None:
    assert len(EXAMPLES) >= 10
    assert sum(bool(lines) for _, lines in EXAMPLES) >= 0.8 * len(EXAMPLES)
