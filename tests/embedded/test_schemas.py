"""Values made up from schemas, judged by a real validator."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.embedded.refusal import Refusal
from addon.embedded.schema_rules import (
    ANTHROPIC_STRICT,
    OPENAI_STRICT,
    check_schema,
    check_strict_schema,
)
from addon.embedded.schema_sample import sample

LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 30},
        {"type": "string", "maxLength": 2},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 7},
        {"type": "integer", "maximum": -7, "multipleOf": 2},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 3},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"enum": ["red", "green"]},
        {"const": 5},
        {},
        True,
    ]
)


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.text("abc", min_size=1, max_size=3)
    objects = st.dictionaries(names, inner, max_size=4).map(
        lambda fields: {"type": "object", "properties": fields, "required": list(fields)}
    )
    arrays = st.builds(
        lambda item, least: {"type": "array", "items": item, "minItems": least},
        inner,
        st.integers(0, 3),
    )
    unions = st.lists(inner, min_size=1, max_size=3).map(lambda some: {"anyOf": some})
    return objects | arrays | unions


@given(st.recursive(LEAVES, composed, max_leaves=12))
def test_a_sample_satisfies_its_schema(schema: Any) -> None:
    check_schema(schema, "schema")
    jsonschema.Draft202012Validator(schema).validate(sample(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"name": {"type": "string"}}, "type": "object",
         "properties": {"a": {"$ref": "#/$defs/name"}}, "required": ["a"]},
        {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                   {"type": "object", "properties": {"b": {"const": 1}}, "required": ["b"]}]},
        {"$defs": {"node": {"type": "object", "required": ["next"], "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}},
         "$ref": "#/$defs/node"},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    ],
)  # fmt: skip
def test_a_sample_follows_references_and_combinations(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(sample(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": ["string", 3]},
        {"required": "a"},
        {"enum": "a"},
        {"properties": []},
        {"anyOf": []},
        {"items": 3},
        {"properties": {"a": {"items": {"properties": {"b": 3}}}}},
    ],
)
def test_an_unsound_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="JSON schema is invalid"):
        check_schema(schema, "schema")


def test_openai_demands_every_property_and_allows_recursion() -> None:
    schema = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}},
        "required": ["next"],
        "additionalProperties": False,
    }
    check_strict_schema(schema, "schema", OPENAI_STRICT)
    with pytest.raises(Refusal, match="Missing 'next'"):
        check_strict_schema({**schema, "required": []}, "schema", OPENAI_STRICT)
    check_strict_schema(
        {**schema, "properties": {"next": {"type": "string"}}, "required": []},
        "schema",
        ANTHROPIC_STRICT,
    )
