"""Making up a JSON value that a JSON Schema accepts."""

from __future__ import annotations

from typing import Any, cast

type Schema = dict[str, Any]

_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT1S",
    "email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
_DEEPEST = 6
"""Optional parts are left out below this depth, so that recursive schemas end."""


def sample(schema: object, name: str = "value") -> Any:  # noqa: ANN401 - any JSON value
    """Return a value that the schema accepts; a string's text is the property's own `name`.

    Keywords that only a constraint solver could satisfy (`pattern`, `not`, `if`) are not looked at.
    """
    return _sample(schema, name, cast("Schema", schema) if isinstance(schema, dict) else {}, 0)


def _sample(schema: object, name: str, root: Schema, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(schema, dict):
        return name
    fields = _resolved(cast("Schema", schema), root)
    if "const" in fields:
        return fields["const"]
    if fields.get("enum"):
        return fields["enum"][0]
    for keyword in ("anyOf", "oneOf"):
        if fields.get(keyword):
            given = cast("list[Schema | bool]", fields[keyword])
            branches = [one if isinstance(one, dict) else {} for one in given if one is not False]
            plain = [branch for branch in branches if branch.get("type") != "null"] or branches
            chosen = plain[0] if depth < _DEEPEST else branches[-1]
            rest = {key: value for key, value in fields.items() if key != keyword}
            return _sample(_merged(rest, chosen, root), name, root, depth)
    match _kind(fields):
        case "object":
            return _object(fields, root, depth)
        case "array":
            return _array(fields, name, root, depth)
        case "string":
            return _string(fields, name)
        case "integer" | "number":
            return _number(fields)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return name


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = cast("list[str]", kind)
        return next((name for name in kinds if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow `$ref` and fold `allOf` in."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target: Any = root
        for key in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            target = target.get(key, {})
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return _merged(siblings, cast("Schema", target), root)
    for branch in cast("list[Schema]", schema.get("allOf", [])):
        schema = _merged({k: v for k, v in schema.items() if k != "allOf"}, branch, root)
    return schema


def _merged(schema: Schema, other: Schema, root: Schema) -> Schema:
    other = _resolved(other, root)
    merged = {**schema, **other}
    if "properties" in schema and "properties" in other:
        merged["properties"] = {**schema["properties"], **other["properties"]}
        merged["required"] = [*schema.get("required", []), *other.get("required", [])]
    return merged


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    properties = cast("dict[str, object]", schema.get("properties", {}))
    required = cast("list[str]", schema.get("required", []))
    names = list(properties) if depth < _DEEPEST else [n for n in properties if n in required]
    names += [name for name in required if name not in properties]
    return {name: _sample(properties.get(name), name, root, depth + 1) for name in names}


def _array(schema: Schema, name: str, root: Schema, depth: int) -> list[Any]:
    items = [
        _sample(item, name, root, depth + 1)
        for item in cast("list[object]", schema.get("prefixItems", []))
    ]
    least = int(schema.get("minItems", 1 if depth < _DEEPEST else 0))
    while len(items) < least and schema.get("items") is not False:
        items.append(_sample(schema.get("items"), name, root, depth + 1))
    return items


def _string(schema: Schema, name: str) -> str:
    value = _FORMATS.get(str(schema.get("format")), name)
    value = value.ljust(int(schema.get("minLength", 0)), "x")
    return value[: int(schema["maxLength"])] if "maxLength" in schema else value


def _number(schema: Schema) -> float:
    whole = schema.get("type") != "number"
    value: float = 1
    bounded_above = "maximum" in schema or "exclusiveMaximum" in schema
    if "minimum" in schema:
        value = max(value, schema["minimum"])
    if "exclusiveMinimum" in schema:
        value = max(value, schema["exclusiveMinimum"] + (1 if whole else 0.5))
    if "maximum" in schema:
        value = min(value, schema["maximum"])
    if "exclusiveMaximum" in schema:
        value = min(value, schema["exclusiveMaximum"] - (1 if whole else 0.5))
    step = schema.get("multipleOf")
    if step:
        value = value // step * step if bounded_above else -(-value // step) * step
    return int(value) if whole and float(value).is_integer() else value
