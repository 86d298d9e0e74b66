"""Shapes of maps with known keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from addon.rules.nodes import Mapping as MappingNode
from addon.rules.nodes import Node, Scalar
from addon.rules.problems import Mark, Mistake, suggestion
from addon.rules.shapes import FAILED, Reading, Schema, Shape, describe


class Field(msgspec.Struct, frozen=True):
    """One known key of a `Record`."""

    name: str
    shape: Shape
    description: str
    example: Any = None
    required: bool = False


class Values(dict[str, Any]):
    """What was read of a record, and where each value stands."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: dict[str, Mark] = {}
        self.failed: set[str] = set()
        """Keys that are there with a value that does not fit."""


class Record(msgspec.Struct, frozen=True):
    """A map with known keys."""

    noun: str
    """What the map is, for messages: `a rule`."""
    fields: tuple[Field, ...]
    elsewhere: Mapping[str, str] = {}
    """Keys that people put here although they belong elsewhere, and where that is."""
    finish: Callable[[Values, Reading], Any] | None = None
    """Checks the values against each other and returns what to make of them."""

    def read(self, node: Node, reading: Reading) -> Any:  # noqa: ANN401 - what `finish` returns
        """Return the values that could be read, in the order of the definition."""
        if not isinstance(node, MappingNode):
            raise Mistake(node.mark, f"expected {self.noun} (a map), found {describe(node)}")
        known = [field.name for field in self.fields]
        given = {key.text: (key, value) for key, value in node.entries}
        for key, _ in node.entries:
            if key.text not in known:
                self._record_unknown(key, known, reading)
        if not node.entries:
            raise Mistake(node.mark, f"expected {self.noun}, found an empty map")
        values = Values(node.mark)
        for field in self.fields:
            if field.name not in given:
                if field.required:
                    example = f"for example `{field.name}: {field.example}`"
                    message = f"`{field.name}` is missing in {self.noun}; {example}"
                    reading.record(node.mark, message)
                continue
            key, value = given[field.name]
            content = reading.attempt(field.shape, value, key)
            if content is FAILED:
                values.failed.add(field.name)
            else:
                values[field.name] = content
                values.marks[field.name] = value.mark
        return self.finish(values, reading) if self.finish else values

    def _record_unknown(self, key: Scalar, known: list[str], reading: Reading) -> None:
        if place := self.elsewhere.get(key.text):
            reading.record(key.mark, f"`{key.text}` belongs {place}, not in {self.noun}")
        else:
            hint = suggestion(key.text, known)
            reading.record(key.mark, f"unknown key `{key.text}` in {self.noun}{hint}")

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        required = [field.name for field in self.fields if field.required]
        return {
            "type": "object",
            "additionalProperties": False,
            **({"required": required} if required else {"minProperties": 1}),
            "properties": {field.name: _field_schema(field) for field in self.fields},
        }


def _field_schema(field: Field) -> Schema:
    examples = {} if field.example is None else {"examples": [field.example]}
    return {"description": field.description, **examples, **field.shape.schema()}
