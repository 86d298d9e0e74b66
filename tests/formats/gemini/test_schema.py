import pytest

from addon.formats.gemini.schema import from_json_schema, from_openapi, json_schema, tool_schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": "a"}, {"enum": ["a"]}),
        ({"const": 1}, {"enum": [1]}),
        ({"const": True}, {"type": "boolean"}),
        ({"const": None}, {"type": "null"}),
        ({"enum": ["a", None]}, {"enum": ["a"]}),
        ({"type": "string", "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a"]}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"enum": []}, {}),
        ({"default": 1, "examples": [1], "$schema": "x", "title": "T"}, {"title": "T"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"format": "uri", "description": "d"}, {"description": "d (format: uri)"}),
        (
            {"description": "d", "pattern": "^a$", "minLength": 2},
            {"description": 'd (pattern: "^a$") (minLength: 2)'},
        ),
        (
            {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a", "gone"]},
            {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"]},
        ),
        ({"type": "object", "required": ["gone"]}, {"type": "object"}),
        ({"$ref": "#/definitions/a", "description": "d"}, {"$ref": "#/$defs/a"}),
        ({"allOf": [{"$ref": "#/$defs/a"}], "description": "d"}, {"$ref": "#/$defs/a"}),
        (
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {}}, "required": ["a"]},
                    {"properties": {"b": {}}, "required": ["b", "a"]},
                ]
            },
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]},
        ),
        (
            {"oneOf": [{"const": "a"}, {"type": "array", "items": {"const": "b"}}]},
            {"oneOf": [{"enum": ["a"]}, {"type": "array", "items": {"enum": ["b"]}}]},
        ),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"additionalProperties": {"const": 1}}, {"additionalProperties": {"enum": [1]}}),
        ({"definitions": {"a": {"const": 1}}}, {"$defs": {"a": {"enum": [1]}}}),
    ],
)
def test_what_the_subset_lacks_is_rewritten(schema, expected):
    assert json_schema(schema) == expected


@pytest.mark.parametrize("schema", [None, {}, {"$schema": "x"}])
def test_a_tool_takes_an_object(schema):
    assert tool_schema(schema)["type"] == "object"


def test_a_property_may_have_the_name_of_a_keyword():
    schema = {"type": "object", "properties": {"const": {"type": "string"}, "default": {}}}
    assert json_schema(schema) == schema


@pytest.mark.parametrize("key", ["allOf", "anyOf"])
def test_endless_depth_is_cut(key):
    schema = {}
    for _ in range(5000):
        schema = {key: [schema]}
    assert isinstance(json_schema(schema), dict)


def test_openapi_of_endless_depth_is_cut():
    schema = {}
    for _ in range(5000):
        schema = {"type": "ARRAY", "items": schema}
    assert from_openapi(schema)["type"] == "array"


@pytest.mark.parametrize("value", [None, 7, [], {"type": 99}, {"type": "FOO"}, {"anyOf": 7}])
def test_no_type_is_trusted(value):
    assert from_openapi(value) == {}


def test_types_in_capitals_are_read_in_a_json_schema():
    """Gemini CLI asks its router for an answer of this kind, and the API takes it."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "enum": ["OBJECT"], "description": "STRING"},
            "scores": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER"}]}},
        },
        "additionalProperties": False,
        "required": ["type"],
    }
    assert from_json_schema(schema) == {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["OBJECT"], "description": "STRING"},
            "scores": {"type": "array", "items": {"anyOf": [{"type": "integer"}]}},
        },
        "additionalProperties": False,
        "required": ["type"],
    }
    assert schema["type"] == "OBJECT"


@pytest.mark.parametrize("schema", [{}, {"type": ["string", "null"]}, {"type": "object"}])
def test_other_json_schemas_stay_as_they_are(schema):
    assert from_json_schema(schema) is schema


@pytest.mark.parametrize("size", [1, 20_000], ids=["kept", "too large to keep"])
def test_a_schema_that_comes_again_is_written_alike(size):
    """Tools come with every call; what is remembered of them must not depend on what was sent."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "const": "x" * size}}}
    first = tool_schema(schema)
    other = tool_schema({**schema, "properties": {"a": {"type": "integer"}}})
    assert tool_schema(schema) == first
    assert first["properties"]["a"] == {"type": "string", "enum": ["x" * size]}
    assert other["properties"]["a"] == {"type": "integer"}
