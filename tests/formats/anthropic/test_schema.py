import jsonschema
import pytest

from addon.formats.anthropic.schema import restrict, tool_schema

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}),
        ({"type": "object", "x": 1}, {"type": "object", "x": 1}),
        (
            {
                "anyOf": [
                    {"properties": {"a": STRING, "b": STRING}, "required": ["a", "b"]},
                    {"properties": {"a": STRING, "c": STRING}, "required": ["a"]},
                ]
            },
            {
                "type": "object",
                "properties": {"a": STRING, "b": STRING, "c": STRING},
                "required": ["a"],
            },
        ),
        (
            {"type": "array"},
            {"type": "object", "properties": {"value": {"type": "array"}}, "required": ["value"]},
        ),
    ],
)
def test_a_tool_schema_has_an_object_at_its_root(schema, expected):
    assert tool_schema(schema) == expected


def test_a_schema_within_the_subset_is_kept():
    schema = {
        "type": "object",
        "properties": {"a": STRING, "when": {"type": "string", "format": "date"}},
        "required": ["a", "when"],
        "additionalProperties": False,
    }
    assert restrict(schema) == schema


def test_what_the_subset_lacks_becomes_a_description():
    restricted = restrict(
        {
            "type": "object",
            "properties": {
                "n": {"type": "integer", "minimum": 1, "description": "count"},
                "s": {"type": "string", "pattern": "^a", "format": "iri"},
                "l": {"type": "array", "items": STRING, "minItems": 1, "maxItems": 3},
            },
            "required": ["n", "s", "l"],
        }
    )
    properties = restricted["properties"]
    assert properties["n"] == {"type": "integer", "description": "count (minimum: 1)"}
    assert properties["s"]["description"] == 'format: iri (pattern: "^a")'
    assert properties["l"]["minItems"] == 1
    assert "maxItems" not in properties["l"]
    assert restricted["additionalProperties"] is False


def test_what_the_restricted_schema_admits_fits_the_original():
    original = {
        "type": "object",
        "properties": {"pet": {"oneOf": [{"const": "cat"}, {"enum": ["dog"]}]}, "x": STRING},
        "required": ["pet"],
    }
    restricted = restrict(original)
    for value in ({"pet": "cat"}, {"pet": "dog", "x": "y"}):
        jsonschema.validate(value, restricted)
        jsonschema.validate(value, original)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": STRING},
        {"type": "object"},
        {"type": "object", "properties": {"m": {"type": "object"}}},
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING},
        {"type": "object", "properties": {"a": {"not": STRING}}},
        {"type": "object", "properties": {str(n): STRING for n in range(20)}},
        {
            "type": "object",
            "properties": {"t": {"$ref": "#/$defs/T"}},
            "$defs": {
                "T": {
                    "type": "object",
                    "properties": {"t": {"$ref": "#/$defs/T"}},
                    "required": [],
                }
            },
        },
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
    ],
)
def test_what_has_no_equivalent_is_reported(schema):
    assert restrict(schema) is None


def test_a_shared_definition_is_no_recursion():
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/B"}},
        "required": ["a", "b"],
        "additionalProperties": False,
        "$defs": {
            "A": {
                "type": "object",
                "properties": {"b": {"$ref": "#/$defs/B"}},
                "required": ["b"],
                "additionalProperties": False,
            },
            "B": STRING,
        },
    }
    assert restrict(schema) == schema
