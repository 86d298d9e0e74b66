"""Which schemas the API takes: its own OpenAPI-like dialect, and a subset of JSON Schema.

Page followed: https://ai.google.dev/api/caching#Schema and
https://ai.google.dev/gemini-api/docs/structured-output.
"""

from __future__ import annotations

from typing import Any, cast

from addon.embedded.refusal import Refusal
from addon.embedded.schema_rules import check_schema, nodes_of, words

type Schema = dict[str, Any]

_REFUSED_KEYWORDS = words(
    "allOf const not if then else patternProperties dependentSchemas dependentRequired "
    "propertyNames contains unevaluatedProperties"
)
"""Keywords of JSON Schema that the API cannot follow."""
_STRING_FORMATS = ("enum", "date-time")


def check_own_schema(schema: Schema, place: str) -> None:
    """Check a schema in the API's own dialect.

    Raises:
        Refusal: It is not sound.
    """
    _check_kind(schema, schema.get("type", "TYPE_UNSPECIFIED"), place)
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    for index, name in enumerate(schema.get("required", [])):
        if name not in properties:
            raise _violation(f"{place}.required[{index}]", "property is not defined")
    for name, child in properties.items():
        check_own_schema(child, f"{place}.properties[{name}]")
    if "items" in schema:
        check_own_schema(schema["items"], f"{place}.items")
    for index, child in enumerate(schema.get("anyOf", [])):
        check_own_schema(child, f"{place}.any_of[{index}]")


def _check_kind(schema: Schema, kind: str, place: str) -> None:
    """Check what a node's type demands of its other fields."""
    if kind == "TYPE_UNSPECIFIED" and "anyOf" not in schema:
        raise _violation(f"{place}.type", "must be specified.")
    if kind == "ARRAY" and "items" not in schema:
        raise _violation(f"{place}.items", "missing field.")
    if "enum" in schema and kind != "STRING":
        raise _violation(f"{place}.enum", "only allowed for STRING type")
    if "" in schema.get("enum", ()):
        raise _violation(f"{place}.enum[{schema['enum'].index('')}]", "cannot be empty")
    if kind == "STRING" and schema.get("format", "enum") not in _STRING_FORMATS:
        raise _violation(
            f"{place}.format", "only 'enum' and 'date-time' are supported for STRING type"
        )
    if "properties" in schema and kind != "OBJECT":
        raise _violation(f"{place}.properties", "only allowed for OBJECT type")
    # A function without parameters is recorded as accepted; no nested object is.
    is_root = place.endswith(".parameters")
    if kind == "OBJECT" and not schema.get("properties") and not is_root:
        raise _violation(f"{place}.properties", "should be non-empty for OBJECT type")


def check_json_schema(schema: object, place: str) -> None:
    """Check a JSON Schema, whose types may be in the capitals of the API's own dialect.

    Raises:
        Refusal: It is not sound, or uses what the API cannot follow.
    """
    schema = lower_types(schema)
    check_schema(schema, place)
    for path, node in nodes_of(schema, place):
        if not isinstance(node, dict):
            continue
        fields = cast("Schema", node)
        for keyword in fields.keys() & _REFUSED_KEYWORDS:
            raise _violation(path, f"keyword '{keyword}' is not supported")
        reference = fields.get("$ref")
        if reference is None:
            continue
        if any(not key.startswith("$") for key in fields):
            raise _violation(path, "a schema with '$ref' must not have other fields")
        if not str(reference).startswith(("#/$defs/", "#/definitions/")):
            raise _violation(path, f"reference to undefined schema at '{reference}'")


def _violation(field: str, why: str) -> Refusal:
    return Refusal(f"* GenerateContentRequest.{field}: {why}\n", param=field)


def lower_types(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON Schema with its types in small letters."""
    if isinstance(value, list):
        return [lower_types(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        key: child.lower() if key == "type" and isinstance(child, str) else lower_types(child)
        for key, child in cast("Schema", value).items()
    }


def as_json_schema(schema: Schema) -> Schema:
    """Write a schema of the API's own dialect as a JSON Schema."""
    written = {key: value for key, value in schema.items() if key != "nullable"}
    if "type" in schema:
        written["type"] = schema["type"].lower()
    if "properties" in schema:
        properties = cast("dict[str, Schema]", schema["properties"])
        written["properties"] = {name: as_json_schema(child) for name, child in properties.items()}
    if "items" in schema:
        written["items"] = as_json_schema(schema["items"])
    if "anyOf" in schema:
        written["anyOf"] = [as_json_schema(child) for child in schema["anyOf"]]
    return written
