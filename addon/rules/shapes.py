"""The shapes that values in a rules file can have.

A shape does two things from one definition: it reads a node of the file, recording every mistake,
and it writes itself as JSON Schema. `definitions` puts the whole file together from them.

A shape that cannot read its node raises `Mistake`; containers record it and go on with the next
value, so that one run finds all mistakes. Values with mistakes are left out of what is returned,
which is harmless because nothing is used of a file that has any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from addon.rules.nodes import Json, Node, Scalar, Sequence, to_json
from addon.rules.nodes import Mapping as MappingNode
from addon.rules.problems import Mark, Mistake, suggestion

type Schema = dict[str, Any]

FAILED = object()
"""Stands for a value that could not be read."""


class Reading:
    """What one run over a file needs to know, and what it finds."""

    def __init__(
        self, provider_ids: Iterable[str], check_filter: Callable[[str], str | None] | None
    ) -> None:
        self.provider_ids = tuple(provider_ids)
        """The built-in providers and those that the file adds."""
        self.check_filter = check_filter
        """Says what is wrong with a mitmproxy filter expression, None if nothing is."""
        self.mistakes: list[Mistake] = []
        self.notices: list[Mistake] = []
        """What is legal but surely not meant."""
        self._field = ""

    def record(self, mark: Mark, message: str) -> None:
        """Note a mistake and go on."""
        self.mistakes.append(Mistake(mark, message))

    def attempt(self, shape: Shape, node: Node, key: Scalar | None = None) -> Any:  # noqa: ANN401 - each shape has its own
        """Read a node, or note the mistake under the nearest key and return `FAILED`."""
        outer = self._field
        if key is not None:
            self._field = key.text
        try:
            return shape.read(node, self)
        except Mistake as mistake:
            # What an alias stands for was written further up; the mistake is to use it here.
            here = key.mark if key is not None and mistake.mark < key.mark else mistake.mark
            prefix = f"{self._field}: " if self._field else ""
            self.record(here, f"{prefix}{mistake}")
            return FAILED
        finally:
            self._field = outer


class Shape(Protocol):
    """What a value must look like."""

    def read(self, node: Node, reading: Reading) -> Any:  # noqa: ANN401 - each shape has its own
        """Return the node's value.

        Raises:
            Mistake: It does not fit.
        """
        ...

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        ...


def describe(node: Node) -> str:
    """Say what kind of value stands there; never the value, which may be a misplaced key."""
    match node:
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=str()):
            return "text"
        case Scalar(value=bool()):
            return "a truth value"
        case Scalar():
            return "a number"
        case Sequence():
            return "a list"
        case MappingNode():
            return "a map"


def is_nothing(node: Node) -> bool:
    """Tell whether a key was left without a value."""
    return isinstance(node, Scalar) and node.value is None


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
