"""What the shapes that values in a rules file can have are made with.

A shape does two things from one definition: it reads a node of the file, recording every mistake,
and it writes itself as JSON Schema. There are shapes of single values (`scalar_shapes`), of lists
and maps (`container_shapes`) and of maps with known keys (`records`); `definitions` puts the whole
file together from them.

A shape that cannot read its node raises `Mistake`; containers record it and go on with the next
value, so that one run finds all mistakes. Values with mistakes are left out of what is returned,
which is harmless because nothing is used of a file that has any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from addon.rules.nodes import Mapping as MappingNode
from addon.rules.nodes import Node, Scalar, Sequence
from addon.rules.problems import Mark, Mistake

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
