"""What is read of a request, in each format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.telemetry.parameters import read_conversation, read_parameters


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (
            {"max_completion_tokens": 9, "temperature": 1, "stop": "x", "n": 2, "seed": 7},
            {
                "max_tokens": 9,
                "temperature": 1.0,
                "stop_sequences": ["x"],
                "choice.count": 2,
                "seed": 7,
            },
        ),
        ({"max_output_tokens": 8, "top_p": 0.5}, {"max_tokens": 8, "top_p": 0.5}),
        (
            {"max_tokens": 7, "top_k": 40, "stop_sequences": ["a", "b"]},
            {"max_tokens": 7, "top_k": 40.0, "stop_sequences": ["a", "b"]},
        ),
        (
            {"generationConfig": {"maxOutputTokens": 6, "topP": 0.1, "stopSequences": ["a"]}},
            {"max_tokens": 6, "top_p": 0.1, "stop_sequences": ["a"]},
        ),
        ({"n": 1, "temperature": None, "stop": None}, {}),
        ({"temperature": "hot", "max_tokens": 1.5, "stop": 3}, {}),
    ],
)
def test_knobs_are_read_in_every_format(body, read):
    found = read_parameters(json.dumps(body).encode())
    assert found == {f"gen_ai.request.{name}": value for name, value in read.items()}


@pytest.mark.parametrize(
    "body",
    [
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "json_schema"}}},
        {"output_config": {"format": {"type": "json_schema"}}},
        {"generationConfig": {"responseMimeType": "application/json"}},
    ],
)
def test_a_wish_for_json_is_seen(body):
    assert read_parameters(json.dumps(body).encode()) == {"gen_ai.output.type": "json"}
    assert read_parameters(b'{"response_format": "json", "text": "x"}') == {}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"conversation": "conv_1"}', "conv_1"),
        ('{"conversation": {"id": "conv_2"}}', "conv_2"),
        ('{"conversation": {"name": "x"}}', None),
        ('{"conversation": null, "input": "hi"}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_a_conversation_is_known_where_it_is_named(body, name):
    assert read_conversation(body.encode()) == name


@given(
    st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["text", "n", "stop", "output_config", "generationConfig", "seed"]),
                inner,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_an_agent_sends_is_no_trouble(body):
    assert isinstance(read_parameters(body), dict)
