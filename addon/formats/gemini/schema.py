"""JSON Schemas as the API takes them, in both of its dialects.

`parametersJsonSchema` and `responseJsonSchema` take a subset of JSON Schema; what it lacks is
rewritten where that is possible, else put into descriptions. `parameters` and `responseSchema` take
OpenAPI's dialect; it is only read here, never written.
Follows https://ai.google.dev/gemini-api/docs/structured-output and the type `Schema` of the API.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from addon.formats.gemini.names import field
from addon.wire.codec import decode, encode, encode_text
from addon.wire.reading import integer, mapping, sequence

_KEPT = frozenset((
    "$anchor", "$id", "$ref", "additionalProperties", "anyOf", "description", "enum", "format",
    "items", "maxItems", "maximum", "minItems", "minimum", "oneOf", "prefixItems", "properties",
    "propertyOrdering", "required", "title", "type",
))  # fmt: skip
_DESCRIBED = frozenset((
    "dependentRequired", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "maxProperties",
    "minLength", "minProperties", "multipleOf", "not", "pattern", "patternProperties",
    "propertyNames", "uniqueItems",
))  # fmt: skip
_SUBSCHEMAS = ("items", "additionalProperties")
_SUBSCHEMA_LISTS = ("anyOf", "oneOf", "prefixItems")
_FORMATS = ("date-time", "date", "time", "duration", "enum")
_DEEPEST = 64
_LARGEST_KEPT = 16 << 10
"""Bytes of a schema that is worth remembering."""

_OPENAPI_TYPES = (
    "TYPE_UNSPECIFIED",
    "STRING",
    "NUMBER",
    "INTEGER",
    "BOOLEAN",
    "ARRAY",
    "OBJECT",
    "NULL",
)
_OPENAPI_SAME = (
    "$defs", "$ref", "default", "description", "enum", "maximum", "minimum", "pattern", "title"
)  # fmt: skip
_OPENAPI_COUNTS = (
    "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"
)  # fmt: skip

type Schema = dict[str, Any]


def tool_schema(schema: Schema | None) -> Schema:
    """Return a tool's schema in the dialect of `parametersJsonSchema`; its root is an object.

    It is not to be changed: an agent sends the same tools in every call, so it is kept.
    """
    if not schema:
        return {"type": "object", "properties": {}}
    encoded = encode(schema)
    return _kept(encoded) if len(encoded) <= _LARGEST_KEPT else _tool_schema(schema)


@lru_cache(maxsize=256)
def _kept(encoded: bytes) -> Schema:
    return _tool_schema(decode(encoded))


def _tool_schema(schema: Schema) -> Schema:
    rewritten = json_schema(schema)
    if "type" not in rewritten and not {"anyOf", "oneOf", "$ref"} & rewritten.keys():
        rewritten = {"type": "object", **rewritten}
    return rewritten


def json_schema(schema: Schema) -> Schema:
    """Rewrite a JSON Schema into the API's subset."""
    rewritten = _node(schema, 0)
    definitions = {
        name: _node(child, 1)
        for key in ("$defs", "definitions")
        for name, child in mapping(schema.get(key)).items()
    }
    if definitions:
        rewritten["$defs"] = definitions
    return rewritten


def _node(value: object, depth: int) -> Schema:
    node = mapping(value)
    if depth > _DEEPEST:
        return {}
    reference = node.get("$ref")
    if isinstance(reference, str):  # it may have no siblings
        return {"$ref": reference.replace("#/definitions/", "#/$defs/")}
    node = _merge_all_of(node, depth)
    result: Schema = {key: node[key] for key in ("description",) if key in node}
    for key, child in node.items():
        if key in _SUBSCHEMAS:
            result[key] = child if isinstance(child, bool) else _node(child, depth + 1)
        elif key in _SUBSCHEMA_LISTS:
            result[key] = [_node(branch, depth + 1) for branch in sequence(child)]
        elif key == "properties":
            result[key] = {name: _node(prop, depth + 1) for name, prop in mapping(child).items()}
        elif key == "const":
            result["enum"] = [child]
        elif key == "format" and child not in _FORMATS:
            _describe(result, f"format: {child}")
        elif key in _KEPT:
            result.setdefault(key, child)
        elif key in _DESCRIBED:
            _describe(result, f"{key}: {encode_text(child)}")
    _mend_enum(result)
    _mend_required(result)
    return result


def _merge_all_of(node: Schema, depth: int) -> Schema:
    nested = sequence(node.get("allOf")) if depth < _DEEPEST else []
    branches = [_merge_all_of(mapping(branch), depth + 1) for branch in nested]
    if not branches:
        return node
    if len(branches) == 1 and "$ref" in branches[0]:
        return branches[0]
    merged = {key: child for key, child in node.items() if key != "allOf"}
    for branch in branches:
        for key, child in branch.items():
            if key == "properties":
                merged[key] = {**mapping(merged.get(key)), **mapping(child)}
            elif key == "required":
                known = sequence(merged.get(key))
                merged[key] = known + [name for name in sequence(child) if name not in known]
            else:
                merged.setdefault(key, child)
    return merged


def _mend_enum(node: Schema) -> None:
    """Choices may be texts and numbers only; null and booleans are types here."""
    choices: list[Any] = sequence(node.get("enum"))
    if "enum" not in node:
        return
    kept = [choice for choice in choices if isinstance(choice, str | float | int)]
    kept = [choice for choice in kept if not isinstance(choice, bool)]
    if len(kept) == len(choices) > 0:
        return
    if None in choices:
        known = node.get("type")
        types = cast("list[Any]", known) if isinstance(known, list) else [known] if known else []
        if types and "null" not in types:
            node["type"] = [*types, "null"]
        elif not types and not kept:
            node["type"] = "null"
    if any(isinstance(choice, bool) for choice in choices):
        node.setdefault("type", "boolean")
    if kept and not any(isinstance(choice, bool) for choice in choices):
        node["enum"] = kept
    else:
        del node["enum"]


def _mend_required(node: Schema) -> None:
    """A required name without a property is refused."""
    if "required" not in node:
        return
    properties = mapping(node.get("properties"))
    node["required"] = [name for name in sequence(node["required"]) if name in properties]
    if not node["required"]:
        del node["required"]


def _describe(result: Schema, words: str) -> None:
    before = result.get("description")
    result["description"] = f"{before} ({words})" if before else words


def from_json_schema(schema: Schema) -> Schema:
    """Read a JSON Schema, as `parametersJsonSchema` and `responseJsonSchema` hold it.

    The API takes OpenAPI's capitals for the types there as well, and clients rely on it.
    """
    return _lower_types(schema, 0) if _is_capital(schema.get("type")) else schema


def _is_capital(kind: object) -> bool:
    return isinstance(kind, str) and kind in _OPENAPI_TYPES


def _lower_types(value: object, depth: int) -> Schema:
    result = dict(mapping(value)) if depth < _DEEPEST else {}
    kind = result.get("type")
    if _is_capital(kind):
        result["type"] = str(kind).lower()
    for key, child in result.items():
        if key in ("properties", "$defs", "definitions"):
            result[key] = {
                name: _lower_types(node, depth + 1) for name, node in mapping(child).items()
            }
        elif key in _SUBSCHEMA_LISTS:
            result[key] = [_lower_types(branch, depth + 1) for branch in sequence(child)]
        elif key in _SUBSCHEMAS and not isinstance(child, bool):
            result[key] = _lower_types(child, depth + 1)
    return result


def from_openapi(value: object, depth: int = 0) -> Schema:
    """Read a schema in OpenAPI's dialect, as `parameters` and `responseSchema` hold it.

    Args:
        value: The schema.
        depth: How deep it stands within another; what is too deep is left out.
    """
    wire = mapping(value) if depth < _DEEPEST else {}
    result: Schema = {}
    kind = _openapi_type(wire.get("type"))
    if kind:
        result["type"] = [kind, "null"] if wire.get("nullable") is True else kind
    result |= {key: wire[key] for key in _OPENAPI_SAME if key in wire}
    for key in _OPENAPI_COUNTS:
        count = _count(field(wire, key))
        if count is not None:
            result[key] = count
    if wire.get("format") not in (None, "enum"):
        result["format"] = wire["format"]
    if kind == "object":
        result["properties"] = {}
    result |= _openapi_children(wire, depth + 1)
    if wire.get("required"):
        result["required"] = sequence(wire["required"])
    return result


def _openapi_children(wire: Schema, depth: int) -> Schema:
    result: Schema = {}
    if "items" in wire:
        result["items"] = from_openapi(wire["items"], depth)
    if properties := mapping(wire.get("properties")):
        result["properties"] = {
            name: from_openapi(child, depth) for name, child in properties.items()
        }
    if branches := sequence(field(wire, "anyOf")):
        result["anyOf"] = [from_openapi(branch, depth) for branch in branches]
    additional = field(wire, "additionalProperties")
    if isinstance(additional, bool):
        result["additionalProperties"] = additional
    elif additional is not None:
        result["additionalProperties"] = from_openapi(additional, depth)
    return result


def _openapi_type(value: object) -> str:
    if isinstance(value, str):
        return value.lower() if value.upper() in _OPENAPI_TYPES[1:] else ""
    number = integer(value)
    return _OPENAPI_TYPES[number].lower() if number and 0 < number < len(_OPENAPI_TYPES) else ""


def _count(value: object) -> int | None:
    """64 bit numbers are texts in Google's JSON."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    return integer(value)
