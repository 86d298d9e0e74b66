"""What a prompt can ask for, and how mistakes in it show."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.embedded.directives import Directives, Failure, ToolCall, parse_directives
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def only(text: str) -> Directives:
    (directives,) = parse_directives(text)
    return directives


def test_a_plain_prompt_asks_for_nothing() -> None:
    assert parse_directives("Write me [a] poem, please. [[ ]]") == [Directives()]


@given(JSON)
def test_a_tool_takes_any_json_whatever_brackets_it_holds(arguments: Any) -> None:
    text = f"Do it. [[tool run {json.dumps(arguments)}]] [[tool stop]]"
    assert only(text).calls == [ToolCall("run", arguments), ToolCall("stop", {})]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("[[say a b\nc]]", "say", "a b\nc"),
        ("[[say a]][[say b]]", "say", "ab"),
        ("[[think deep]]", "think", "deep"),
        ("[[redacted]]", "redacted", True),
        ("[[stop max_tokens]]", "stop", "max_tokens"),
        ("[[events 5]]", "events", 5),
        ("[[error 429 rate_limit_error]]", "failure", Failure(429, "rate_limit_error")),
        ("[[error 500 api_error 2]]", "failure", Failure(500, "api_error", None, 2)),
        (
            "[[error 400 invalid_request_error 1 too long: 3 > 2]]",
            "failure",
            Failure(400, "invalid_request_error", "too long: 3 > 2", 1),
        ),
        ("[[html 502]]", "failure", Failure(502, "html")),
        ("[[retry-after 1.5]]", "retry_after", 1.5),
        ("[[cut 3]]", "ending", "cut"),
        ("[[reset 3]]", "ending", "reset"),
        ("[[end 3]]", "ends_after", 3),
        ("[[error-in-stream overloaded_error]]", "ends_after", 4),
        ("[[error-in-stream overloaded_error 2]]", "stream_error", "overloaded_error"),
        ("[[slow 0.5]]", "slow", 0.5),
        ("[[silent 2]]", "silent", 2),
        ("[[gate]]", "gated", True),
        ("[[plain]]", "plain", True),
        ("[[gzip]]", "gzip", True),
    ],
)
def test_reads(text: str, field: str, value: object) -> None:
    assert getattr(only(f"Please {text}, will you?"), field) == value


def test_then_begins_the_next_turn() -> None:
    first, second = parse_directives("[[tool f]] [[then]] [[say done]]")
    assert (first.calls, first.say) == ([ToolCall("f", {})], None)
    assert (second.calls, second.say) == ([], "done")


@pytest.mark.parametrize(
    "text",
    ["[[dance]]", "[[say hi", "[[error teapot]]", "[[cut]]", "[[stop]]", "[[tool f {]]", "[[tool"],
)
def test_a_mistake_is_refused_and_not_overlooked(text: str) -> None:
    with pytest.raises(Refusal, match="directive"):
        parse_directives(text)


@given(st.text(), st.none() | st.integers(1, 50))
def test_deltas_add_up_to_the_text(text: str, count: int | None) -> None:
    cut = pieces(text, count)
    assert "".join(cut) == text
    assert all(cut)
    if count is not None:
        assert len(cut) == min(count, len(text))


def test_conduct_says_how_an_answer_goes_and_not_what_it_says() -> None:
    asked, told = only("[[say a b]] [[events 2]] [[slow 1]]"), only("[[say c]] [[cut 3]]")
    asked.go_like(told)
    assert (asked.say, asked.events, asked.slow) == ("a b", 2, 0)
    assert (asked.ending, asked.ends_after) == ("cut", 3)
