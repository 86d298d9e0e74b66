"""Simplify the schemas of tools for providers that read part of JSON Schema only."""

from __future__ import annotations

from typing import Any, Literal

from addon.wire.reading import mapping, sequence, text

type Style = Literal["plain", "no_meta", "no_references", "moonshot"]
type Schema = dict[str, Any]

EMPTY: Schema = {"type": "object", "properties": {}}

_META = frozenset(("$schema", "$id", "$comment"))
_UNENFORCEABLE = frozenset(
    (
        *("allOf", "oneOf", "not", "if", "then", "else", "patternProperties"),
        *("dependentRequired", "dependentSchemas", "propertyNames", "uniqueItems"),
    )
)
_DEFINITIONS = ("$defs", "definitions")


def simplify(schema: Schema | None, style: Style) -> Schema:
    """Return a tool's schema in the style that a provider reads.

    * `no_meta`: without `$schema` and its like
    * `no_references`: also with every `$ref` replaced by what it points to, unless it is recursive
    * `moonshot`: without `$schema`, and with `type` inside the branches of an `anyOf`
    """
    if schema is None:
        return EMPTY
    if style == "plain":
        return schema
    schema = _without_meta(schema)
    if style == "no_references":
        return _inline(schema)
    return mapping(_types_into_branches(schema)) if style == "moonshot" else schema


def is_strict(schema: Schema) -> bool:
    """Tell whether OpenAI would enforce a schema, which it refuses to do for most.

    Every object must be closed and demand all its properties; a few keywords are not known.
    """
    if not _UNENFORCEABLE.isdisjoint(schema):
        return False
    properties = mapping(schema.get("properties"))
    if schema.get("type") == "object" or properties:
        closed = schema.get("additionalProperties") is False
        if not closed or properties.keys() != set(sequence(schema.get("required"))):
            return False
    inner = [*properties.values(), schema.get("items"), *sequence(schema.get("anyOf"))]
    for key in _DEFINITIONS:
        inner += mapping(schema.get(key)).values()
    return all(is_strict(node) for node in map(mapping, inner) if node)


def _without_meta(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in _META}


def _inline(schema: Schema) -> Schema:
    resolver = _Resolver(schema)
    inlined = mapping(resolver.resolve(schema, ()))
    if resolver.recursive:
        return inlined
    return {key: value for key, value in inlined.items() if key not in _DEFINITIONS}


class _Resolver:
    """Replaces references by what they point to."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self.recursive = False
        """Whether a reference to itself had to be left, and with it the definitions."""

    def resolve(self, node: object, path: tuple[str, ...]) -> object:
        schema = mapping(node)
        if not schema:
            return [self.resolve(item, path) for item in sequence(node)] or node
        reference = text(schema.get("$ref"))
        target = self._find(reference)
        if target is None or reference in path:
            self.recursive = self.recursive or bool(reference)
            return {key: self.resolve(value, path) for key, value in schema.items()}
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return {
            **mapping(self.resolve(target, (*path, reference))),
            **mapping(self.resolve(siblings, path)),
        }

    def _find(self, reference: str) -> Schema | None:
        if not reference.startswith("#/"):
            return None
        node: object = self._root
        for step in reference[2:].split("/"):
            node = mapping(node).get(step.replace("~1", "/").replace("~0", "~"))
        return mapping(node) or None


def _types_into_branches(node: object) -> object:
    if not mapping(node):
        return [_types_into_branches(item) for item in sequence(node)] or node
    schema = {key: _types_into_branches(value) for key, value in mapping(node).items()}
    branches = [mapping(branch) for branch in sequence(schema.get("anyOf"))]
    if branches and "type" in schema:
        kind = schema.pop("type")
        schema["anyOf"] = [
            branch if "type" in branch else {"type": kind, **branch} for branch in branches
        ]
    return schema
