"""Which JSON Schemas a provider takes: any sound one for a tool, a subset for strict output.

The subset is Anthropic's structured outputs
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs); OpenAI's strict mode
differs in a few keywords (https://platform.openai.com/docs/guides/structured-outputs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from addon.embedded.refusal import Refusal

type Schema = dict[str, Any]

_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_MAPS_OF_SCHEMAS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains")


@dataclass(frozen=True)
class StrictRules:
    """What one provider's strict mode refuses."""

    refused_keywords: frozenset[str]
    formats: frozenset[str] | None
    """Accepted values of `format`; None for any."""
    all_required: bool
    """Whether every property has to be listed in `required`."""
    recursion: bool
    most_optional: int | None


def words(text: str) -> frozenset[str]:
    """Return the words of a text that lists them."""
    return frozenset(text.split())


ANTHROPIC_STRICT = StrictRules(
    refused_keywords=words(
        "oneOf not if then else patternProperties dependentSchemas dependentRequired uniqueItems "
        "propertyNames minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength "
        "maxLength pattern maxItems minProperties maxProperties contains"
    ),
    formats=words("date-time time date duration email hostname uri ipv4 ipv6 uuid"),
    all_required=False,
    recursion=False,
    most_optional=24,
)
OPENAI_STRICT = StrictRules(
    refused_keywords=words(
        "oneOf allOf not if then else patternProperties dependentSchemas dependentRequired "
        "uniqueItems propertyNames minProperties maxProperties contains"
    ),
    formats=None,
    all_required=True,
    recursion=True,
    most_optional=None,
)


def check_schema(schema: object, where: str) -> None:
    """Check that a value is a sound JSON Schema (draft 2020-12), keyword by keyword.

    Raises:
        Refusal: It is not.
    """
    for path, node in nodes_of(schema, where):
        if isinstance(node, bool):
            continue
        if not isinstance(node, dict):
            raise Refusal(f"{path}: JSON schema is invalid: a schema is an object or a boolean")
        _check_keywords(cast("Schema", node), path)


def _check_keywords(schema: Schema, path: str) -> None:
    kinds = schema.get("type", [])
    for kind in cast("list[object]", kinds) if isinstance(kinds, list) else [kinds]:
        if kind not in _TYPES:
            raise Refusal(f"{path}.type: JSON schema is invalid: {kind!r} is not a type")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(
        isinstance(name, str) for name in cast("list[object]", required)
    ):
        raise Refusal(f"{path}.required: JSON schema is invalid: not a list of names")
    if not isinstance(schema.get("enum", []), list):
        raise Refusal(f"{path}.enum: JSON schema is invalid: not a list")
    for keyword in _MAPS_OF_SCHEMAS:
        if not isinstance(schema.get(keyword, {}), dict):
            raise Refusal(f"{path}.{keyword}: JSON schema is invalid: not an object")
    for keyword in _LISTS_OF_SCHEMAS:
        branches = schema.get(keyword, [{}])
        if not isinstance(branches, list) or not branches:
            raise Refusal(f"{path}.{keyword}: JSON schema is invalid: not a list of schemas")


def check_strict_schema(schema: object, where: str, rules: StrictRules) -> None:
    """Check that a schema lies in the subset that strict output can enforce.

    Raises:
        Refusal: It does not.
    """
    check_schema(schema, where)
    optional = 0
    for path, node in nodes_of(schema, where):
        if isinstance(node, dict):
            optional += _check_strict_node(cast("Schema", node), path, rules)
    if rules.most_optional is not None and optional > rules.most_optional:
        raise Refusal(
            f"{where}: Schemas contains too many optional parameters ({optional}), which would "
            f"make grammar compilation inefficient. Limit: {rules.most_optional}."
        )
    if not rules.recursion and isinstance(schema, dict):
        _check_no_recursion(cast("Schema", schema), where)


def _check_strict_node(schema: Schema, path: str, rules: StrictRules) -> int:
    """Check one node; return how many of its properties are optional."""
    for keyword in schema:
        if keyword in rules.refused_keywords:
            kind = schema.get("type", "schema")
            raise Refusal(f"{path}: For '{kind}' type, property '{keyword}' is not supported")
    if rules.refused_keywords >= {"maxItems"} and schema.get("minItems", 0) not in (0, 1):
        raise Refusal(
            f"{path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        )
    if rules.formats is not None and schema.get("format", "date") not in rules.formats:
        raise Refusal(f"{path}: format '{schema['format']}' is not supported")
    kinds = schema.get("type")
    if kinds != "object" and not (isinstance(kinds, list) and "object" in kinds):
        return 0
    if schema.get("additionalProperties") is not False:
        raise Refusal(
            f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    properties = cast("dict[str, object]", schema.get("properties", {}))
    left_out = [name for name in properties if name not in schema.get("required", [])]
    if rules.all_required and left_out:
        raise Refusal(
            f"{path}: 'required' is required to be supplied and to be an array including every key "
            f"in properties. Missing '{left_out[0]}'."
        )
    return len(left_out)


def _check_no_recursion(schema: Schema, where: str) -> None:
    definitions: dict[str, object] = {}
    for keyword in ("$defs", "definitions"):
        for name, definition in cast("dict[str, object]", schema.get(keyword, {})).items():
            definitions[f"#/{keyword}/{name}"] = definition
    uses = {
        name: {
            cast("Schema", node)["$ref"]
            for _, node in nodes_of(definition, where)
            if isinstance(node, dict) and "$ref" in node
        }
        for name, definition in definitions.items()
    }
    for name in uses:
        reached: set[str] = set()
        waiting = set(uses[name])
        while waiting:
            reached |= waiting
            waiting = {used for other in waiting for used in uses.get(other, ())} - reached
        if name in reached or "#" in reached:
            raise Refusal(f"{where}: Recursive schemas are not supported: '{name}'")


def nodes_of(schema: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield every schema in a schema, itself first, with the path to it."""
    yield path, schema
    if not isinstance(schema, dict):
        return
    fields = cast("Schema", schema)
    for keyword in _MAPS_OF_SCHEMAS:
        if isinstance(fields.get(keyword), dict):
            for name, child in cast("Schema", fields[keyword]).items():
                yield from nodes_of(child, f"{path}.{keyword}.{name}")
    for keyword in _LISTS_OF_SCHEMAS:
        if isinstance(fields.get(keyword), list):
            for index, child in enumerate(cast("list[object]", fields[keyword])):
                yield from nodes_of(child, f"{path}.{keyword}.{index}")
    for keyword in _SINGLE_SCHEMAS:
        if keyword in fields:
            yield from nodes_of(fields[keyword], f"{path}.{keyword}")
