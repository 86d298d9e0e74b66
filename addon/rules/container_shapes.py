"""Shapes of lists and of maps with keys of the author's choice."""

from __future__ import annotations

from typing import Any

import msgspec

from addon.rules.nodes import Mapping as MappingNode
from addon.rules.nodes import Node, Scalar, Sequence
from addon.rules.problems import Mistake
from addon.rules.scalar_shapes import Text
from addon.rules.shapes import FAILED, Reading, Schema, Shape, describe, is_nothing


class Items(msgspec.Struct, frozen=True):
    """A list, or (with `or_one`) a single value in its place."""

    noun: str
    item: Shape
    or_one: bool = False
    or_none: bool = False
    """Whether the list may be empty, or its key left without a value."""

    def read(self, node: Node, reading: Reading) -> tuple[Any, ...]:
        """Return the values that could be read."""
        if not isinstance(node, Sequence):
            if self.or_none and is_nothing(node):
                return ()
            if self.or_one:
                return (self.item.read(node, reading),)
            raise Mistake(node.mark, f"expected {self.noun}, found {describe(node)}")
        if not node.items and not self.or_none:
            raise Mistake(node.mark, f"expected {self.noun}, found an empty list")
        values = [reading.attempt(self.item, item) for item in node.items]
        return tuple(value for value in values if value is not FAILED)

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        item = self.item.schema()
        if self.or_none:
            return {"type": ["array", "null"], "items": item}
        many = {"type": "array", "items": item, "minItems": 1}
        return {"anyOf": [item, many]} if self.or_one else many


class Entries(msgspec.Struct, frozen=True):
    """A map with keys of the author's choice."""

    noun: str
    value: Shape
    key: Shape = Text("a name")
    or_none: bool = False
    """Whether the map may be empty, or its key left without a value."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any]:
        """Return the entries that could be read."""
        if self.or_none and is_nothing(node):
            return {}
        if not isinstance(node, MappingNode):
            raise Mistake(node.mark, f"expected {self.noun}, found {describe(node)}")
        if not node.entries and not self.or_none:
            raise Mistake(node.mark, f"expected {self.noun}, found an empty map")
        values: dict[str, Any] = {}
        for key, value in node.entries:
            name = reading.attempt(self.key, Scalar(key.mark, key.text, key.text))
            content = reading.attempt(self.value, value, key)
            if name is not FAILED and content is not FAILED:
                values[name] = content
        return values

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        kind = (
            {"type": ["object", "null"]} if self.or_none else {"type": "object", "minProperties": 1}
        )
        keys, values = self.key.schema(), self.value.schema()
        return {**kind, "propertyNames": keys, "additionalProperties": values}


class ScalarOr(msgspec.Struct, frozen=True):
    """A single value or a container, told apart by looking."""

    scalar: Shape
    container: Shape

    def read(self, node: Node, reading: Reading) -> Any:  # noqa: ANN401 - either's value
        """Return the value of the shape that fits."""
        shape = self.scalar if isinstance(node, Scalar) else self.container
        return shape.read(node, reading)

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"anyOf": [self.scalar.schema(), self.container.schema()]}


class MapOr(msgspec.Struct, frozen=True):
    """A map, or something else, told apart by looking."""

    other: Shape
    map: Shape

    def read(self, node: Node, reading: Reading) -> Any:  # noqa: ANN401 - either's value
        """Return the value of the shape that fits."""
        shape = self.map if isinstance(node, MappingNode) else self.other
        return shape.read(node, reading)

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"anyOf": [self.other.schema(), self.map.schema()]}
