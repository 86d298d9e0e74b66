"""Shapes of single values, and of any JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from addon.rules.nodes import Json, Node, Scalar, Sequence, to_json
from addon.rules.nodes import Mapping as MappingNode
from addon.rules.problems import Mark, Mistake, suggestion
from addon.rules.shapes import Reading, Schema, describe


class Text(msgspec.Struct, frozen=True):
    """Text, read further by `parse` where given."""

    noun: str
    """What is expected, with its article."""
    parse: Callable[[str, Mark, Reading], Any] | None = None
    """Returns the value or raises `Mistake`."""
    pattern: str | None = None
    """For the schema: a regular expression that every valid text matches."""

    def read(self, node: Node, reading: Reading) -> Any:  # noqa: ANN401 - what `parse` returns
        """Return the text, parsed."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            hint = "; put it in quotes" if isinstance(node, Scalar) and node.text else ""
            raise Mistake(node.mark, f"expected {self.noun}, found {describe(node)}{hint}")
        if not node.value.strip():
            raise Mistake(node.mark, f"expected {self.noun}, found empty text")
        return self.parse(node.value, node.mark, reading) if self.parse else node.value

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        limits = {"pattern": self.pattern} if self.pattern else {"minLength": 1}
        return {"type": "string", **limits}


class Choice(msgspec.Struct, frozen=True):
    """One of some words."""

    noun: str
    values: tuple[str, ...]

    def read(self, node: Node, reading: Reading) -> str:
        """Return the word."""
        text = Text(self.noun).read(node, reading)
        if text not in self.values:
            hint = suggestion(text, self.values)
            raise Mistake(node.mark, f"expected {self.noun}, found `{text}`{hint}")
        return text

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"enum": list(self.values)}


class Amount(msgspec.Struct, frozen=True):
    """A positive number of some unit."""

    unit: str
    """In the plural."""
    limit: int = 1_000_000
    """The number is below."""

    def read(self, node: Node, reading: Reading) -> float:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value < self.limit
        ):
            message = f"expected a positive number of {self.unit}, found {describe(node)}"
            raise Mistake(node.mark, message)
        return float(value)

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": self.limit}


class Quantity(msgspec.Struct, frozen=True):
    """A number that is not negative."""

    whole: bool = False
    """Whether it counts something, so that it is whole and at least 1."""

    def read(self, node: Node, reading: Reading) -> float | int:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        kind = int if self.whole else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not self.whole <= value < 1e12:
            noun = "a whole number from 1" if self.whole else "a number from 0"
            raise Mistake(node.mark, f"expected {noun}, found {describe(node)}")
        return value

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        if self.whole:
            return {"type": "integer", "minimum": 1, "exclusiveMaximum": 1_000_000_000_000}
        return {"type": "number", "minimum": 0, "exclusiveMaximum": 1_000_000_000_000}


class TruthValue(msgspec.Struct, frozen=True):
    """Yes or no."""

    def read(self, node: Node, reading: Reading) -> bool:
        """Return the value."""
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, bool):
            raise Mistake(node.mark, f"expected true or false, found {describe(node)}")
        return value

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"type": "boolean"}


class Exactly(msgspec.Struct, frozen=True):
    """One number and no other."""

    value: int

    def read(self, node: Node, reading: Reading) -> int:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or value != self.value:
            raise Mistake(node.mark, f"expected {self.value}, found {describe(node)}")
        return self.value

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {"const": self.value}


class AnyJson(msgspec.Struct, frozen=True):
    """Whatever JSON can hold."""

    def read(self, node: Node, reading: Reading) -> Json:
        """Return the value."""
        self._check(node)
        return to_json(node)

    def _check(self, node: Node) -> None:
        match node:
            case Scalar(value=int(number)) if not -(2**63) <= number < 2**64:
                raise Mistake(node.mark, f"the number {node.text} is too large")
            case Scalar(value=float(number)) if abs(number) == float("inf"):
                raise Mistake(node.mark, f"the number {node.text} is too large")
            case Scalar():
                pass
            case Sequence():
                for item in node.items:
                    self._check(item)
            case MappingNode():
                for _, value in node.entries:
                    self._check(value)

    def schema(self) -> Schema:
        """Return the shape as JSON Schema."""
        return {}
