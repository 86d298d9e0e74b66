"""JSON Schemas as the API takes them.

Tools take nearly any schema whose root is an object. Structured output (`output_config.format`)
compiles the schema to a grammar and knows a subset only; `restrict` rewrites a schema into the
subset, putting what it cannot say into descriptions, or reports that it has no equivalent.
Limits after https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs.
"""

from __future__ import annotations

from typing import Any, cast

from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence

MOST_OPTIONAL_PROPERTIES = 10
"""The documented limit is 24, but grammars with more than a dozen time out while compiling."""
MOST_UNION_PROPERTIES = 16

FORMATS = frozenset(
    (
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    )
)
_KEPT = frozenset(("type", "enum", "const", "$ref", "description", "title", "default", "examples"))
_DESCRIBED = frozenset(
    (
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
    )
)
_IMPOSSIBLE = frozenset(
    (
        "not",
        "if",
        "then",
        "else",
        "patternProperties",
        "propertyNames",
        "dependentSchemas",
        "dependentRequired",
        "prefixItems",
        "$dynamicRef",
    )
)

type Schema = dict[str, Any]


class _NoEquivalent(Exception):
    """The subset cannot say this."""


def tool_schema(schema: Schema | None) -> Schema:
    """Return a schema whose root is an object, as tools demand."""
    if not schema:
        return {"type": "object", "properties": {}}
    if schema.get("type") == "object":
        return schema
    if "properties" in schema or ("type" not in schema and not _is_union(schema)):
        return {"type": "object", **{key: schema[key] for key in schema if key != "type"}}
    if _is_union(schema):
        return _merged_union(schema)
    return {"type": "object", "properties": {"value": schema}, "required": ["value"]}


def restrict(schema: Schema) -> Schema | None:
    """Rewrite a schema for structured output; None when the subset cannot say it."""
    try:
        restricted = _Restriction(schema).schema()
    except (_NoEquivalent, RecursionError):
        return None
    return restricted if restricted.get("type") == "object" else None


def _is_union(schema: Schema) -> bool:
    return "anyOf" in schema or "oneOf" in schema


def _merged_union(schema: Schema) -> Schema:
    """Offer the properties of all branches, requiring those that every branch requires."""
    branches = [
        mapping(branch) for branch in sequence(schema.get("anyOf")) + sequence(schema.get("oneOf"))
    ]
    properties: Schema = {}
    for branch in branches:
        for name, value in mapping(branch.get("properties")).items():
            properties.setdefault(name, value)
    required = [
        name
        for name in properties
        if branches and all(name in sequence(branch.get("required")) for branch in branches)
    ]
    merged: Schema = {"type": "object", "properties": properties}
    if required:
        merged["required"] = required
    for key in ("$defs", "definitions", "description"):
        if key in schema:
            merged[key] = schema[key]
    return merged


class _Restriction:
    """One walk over one schema, counting what is limited."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._optional = 0
        self._unions = 0

    def schema(self) -> Schema:
        self._refuse_recursion()
        restricted = self._node(self._root)
        if self._optional > MOST_OPTIONAL_PROPERTIES or self._unions > MOST_UNION_PROPERTIES:
            raise _NoEquivalent
        return restricted

    def _node(self, value: object) -> Schema:
        if value is True:
            raise _NoEquivalent
        node = mapping(value)
        if _IMPOSSIBLE & node.keys():
            raise _NoEquivalent
        result: Schema = {key: node[key] for key in node if key in _KEPT}
        self._put_format(node, result)
        self._put_limits(node, result)
        if isinstance(node.get("type"), list):
            self._unions += 1
        branches = sequence(node.get("anyOf")) + sequence(node.get("oneOf"))
        if branches:
            self._unions += 1
            result["anyOf"] = [self._node(branch) for branch in branches]
        if "allOf" in node:
            result["allOf"] = [self._node(branch) for branch in sequence(node["allOf"])]
        if "items" in node:
            result["items"] = self._node(node["items"])
        for key in ("$defs", "definitions"):
            if key in node:
                result[key] = {
                    name: self._node(child) for name, child in mapping(node[key]).items()
                }
        if "properties" in node or _has_type(node, "object"):
            self._put_properties(node, result)
        return result

    def _put_properties(self, node: Schema, result: Schema) -> None:
        properties = mapping(node.get("properties"))
        if node.get("additionalProperties") not in (None, False) or not properties:
            # The API would close an open map in silence, and the model could say only {}.
            raise _NoEquivalent
        required = [name for name in sequence(node.get("required")) if name in properties]
        self._optional += len(properties) - len(required)
        result["properties"] = {name: self._node(child) for name, child in properties.items()}
        result["required"] = required
        result["additionalProperties"] = False

    def _put_format(self, node: Schema, result: Schema) -> None:
        value = node.get("format")
        if value in FORMATS:
            result["format"] = value
        elif value is not None:
            _describe(result, f"format: {value}")

    def _put_limits(self, node: Schema, result: Schema) -> None:
        for key in node:
            if key == "minItems" and node[key] in (0, 1):
                result[key] = node[key]
            elif key in _DESCRIBED:
                _describe(result, f"{key}: {encode_text(node[key])}")

    def _refuse_recursion(self) -> None:
        """Refuse a definition that reaches itself; the grammar has no recursion."""
        definitions = {
            f"#/{key}/{name}": child
            for key in ("$defs", "definitions")
            for name, child in mapping(self._root.get(key)).items()
        }
        reached = {name: _references(child) for name, child in definitions.items()}
        if "#" in _references(self._root):
            raise _NoEquivalent
        done: set[str] = set()
        for name in definitions:
            _visit(name, reached, done, ())


def _visit(name: str, reached: dict[str, set[str]], done: set[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise _NoEquivalent
    if name in done:
        return
    for following in reached.get(name, ()):
        _visit(following, reached, done, (*path, name))
    done.add(name)


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        node = cast("Schema", value)
        found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set[str]()
        return found.union(*(_references(child) for child in node.values()))
    if isinstance(value, list):
        return set[str]().union(*(_references(child) for child in cast("list[object]", value)))
    return set()


def _has_type(node: Schema, name: str) -> bool:
    kind = node.get("type")
    return kind == name or (isinstance(kind, list) and name in cast("list[object]", kind))


def _describe(result: Schema, words: str) -> None:
    before = result.get("description")
    result["description"] = f"{before} ({words})" if before else words
