"""Shapes of JSON values as data: what a field must look like, checked with exact paths.

A shape is a function that takes a value and the path to it and raises `ShapeError`. The wire
formats' reference pages are transcribed into shapes next door; each format renders the error in its
own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, cast

type Path = tuple[str | int, ...]
type Shape = Callable[[object, Path], None]
type Problem = Literal["missing", "unknown", "type", "value"]


class ShapeError(ValueError):
    """A value does not have the shape that its place demands."""

    def __init__(self, path: Path, problem: Problem, expected: str, value: object = None) -> None:
        super().__init__(f"{path}: {problem} {expected}")
        self.path = path
        self.problem: Problem = problem
        self.expected = expected
        """For `type` a noun such as `string`, for `value` a phrase such as `at least 1`."""
        self.value = value


def anything(value: object, path: Path) -> None:
    """Accept every value."""


def boolean(value: object, path: Path) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        raise ShapeError(path, "type", "boolean", value)


def mapping(value: object, path: Path) -> None:
    """Accept every object."""
    if not isinstance(value, dict):
        raise ShapeError(path, "type", "object", value)


def text(*, shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Shape:
    """Make the shape of a string."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: object, path: Path) -> None:
        if not isinstance(value, str):
            raise ShapeError(path, "type", "string", value)
        if len(value) < shortest:
            raise ShapeError(path, "value", f"at least {shortest} characters long", value)
        if longest is not None and len(value) > longest:
            raise ShapeError(path, "value", f"at most {longest} characters long", value)
        if compiled and not compiled.search(value):
            raise ShapeError(path, "value", f"a string that matches pattern '{pattern}'", value)

    return check


def integer(least: int | None = None, most: int | None = None) -> Shape:
    """Make the shape of an integer."""

    def check(value: object, path: Path) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ShapeError(path, "type", "integer", value)
        _check_range(value, path, least, most)

    return check


def number(least: float | None = None, most: float | None = None) -> Shape:
    """Make the shape of a number."""

    def check(value: object, path: Path) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ShapeError(path, "type", "number", value)
        _check_range(value, path, least, most)

    return check


def _check_range(value: float, path: Path, least: float | None, most: float | None) -> None:
    if least is not None and value < least:
        raise ShapeError(path, "value", f"greater than or equal to {least}", value)
    if most is not None and value > most:
        raise ShapeError(path, "value", f"less than or equal to {most}", value)


def one_of(*allowed: str) -> Shape:
    """Make the shape of a string out of a few."""
    names = [f"'{name}'" for name in allowed]
    expected = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

    def check(value: object, path: Path) -> None:
        if value not in allowed:
            raise ShapeError(path, "value", expected, value)

    return check


def nullable(shape: Shape) -> Shape:
    """Let null stand for a value that may be left out."""

    def check(value: object, path: Path) -> None:
        if value is not None:
            shape(value, path)

    return check


def each(shape: Shape, *, least: int = 0, most: int | None = None) -> Shape:
    """Make the shape of a list."""

    def check(value: object, path: Path) -> None:
        if not isinstance(value, list):
            raise ShapeError(path, "type", "list", value)
        items = cast("list[object]", value)
        if len(items) < least:
            raise ShapeError(path, "value", f"a list with at least {least} item", items)
        if most is not None and len(items) > most:
            raise ShapeError(path, "value", f"a list with at most {most} items", items)
        for index, item in enumerate(items):
            shape(item, (*path, index))

    return check


def string_or(shape: Shape, *, string: Shape | None = None) -> Shape:
    """Make the shape of a string or something richer."""
    as_text = string or text()

    def check(value: object, path: Path) -> None:
        (as_text if isinstance(value, str) else shape)(value, path)

    return check


def record(
    required: Mapping[str, Shape],
    optional: Mapping[str, Shape] | None = None,
    *,
    closed: bool = True,
) -> Shape:
    """Make the shape of an object; a closed one refuses unknown keys."""
    known = {**required, **(optional or {})}

    def check(value: object, path: Path) -> None:
        mapping(value, path)
        fields = cast("dict[str, object]", value)
        for name in required:
            if name not in fields:
                raise ShapeError((*path, name), "missing", "")
        for name, item in fields.items():
            if name in known:
                known[name](item, (*path, name))
            elif closed:
                raise ShapeError((*path, name), "unknown", "", item)

    return check


def tagged(variants: Mapping[str, Shape], *, field: str = "type", show_tag: bool = False) -> Shape:
    """Make the shape of an object whose `field` says which variant it is.

    With `show_tag` the tag becomes part of the path, as in `content.0.text.text`.
    """
    expected = f"one of {', '.join(repr(name) for name in variants)}"

    def check(value: object, path: Path) -> None:
        mapping(value, path)
        tag = cast("dict[str, object]", value).get(field)
        if tag is None:
            raise ShapeError((*path, field), "missing", "")
        if not isinstance(tag, str) or tag not in variants:
            raise ShapeError((*path, field), "value", expected, tag)
        variants[tag](value, (*path, tag) if show_tag else path)

    return check
