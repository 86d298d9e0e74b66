"""YAML text as a tree in which every value knows its line and column.

Built from PyYAML's event stream instead of by its composer, which recurses in C and takes the
whole process down on deep nesting. Scalars follow the core schema of YAML 1.2, as editors do: `no`
and `on` are text, `012` is twelve. Anchors, aliases and merge keys (`<<`) work; duplicate keys are
mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import yaml

from addon.rules.problems import START, Mark, Mistake

MAXIMUM_DEPTH = 64
MAXIMUM_SIZE = 100_000
"""Most values that a file may hold once its aliases are filled in."""

type Report = Callable[[Mistake], None]
type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = (f"{_TAG}str", "!")
_PLAIN_TAGS = tuple(_TAG + name for name in ("null", "bool", "int", "float"))
_CONTAINER_TAGS = (f"{_TAG}map", f"{_TAG}seq")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Scalar(NamedTuple):
    """A single value."""

    mark: Mark
    text: str
    """As written, without quotes."""
    value: bool | int | float | str | None


class Sequence(NamedTuple):
    """A list."""

    mark: Mark
    items: list[Node]


class Mapping(NamedTuple):
    """A map; its keys are distinct."""

    mark: Mark
    entries: list[tuple[Scalar, Node]]


type Node = Scalar | Sequence | Mapping


def parse(text: str, report: Report) -> Node | None:
    """Read the text of one YAML document.

    Args:
        text: The document.
        report: Takes the mistakes that do not keep the rest from being read.

    Returns:
        The document, or None when it is empty.

    Raises:
        Mistake: It is not YAML.
    """
    if match := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        raise Mistake(Mark(line, column), f"the character {match[0]!r} is not allowed in YAML")
    try:
        return _Composer(report).compose(text)
    except yaml.MarkedYAMLError as error:
        raise _mistake_from(error, text) from None


_HINTS = (
    ("cannot start any token", "put text that begins with a special character in quotes"),
    ("mapping values are not allowed", "put text that holds `: ` in quotes; check the indentation"),
    (
        "expected ',' or",
        "within brackets, put text that holds `${`, a comma or a bracket in quotes",
    ),
    ("comment or line break", "put text that begins with `>` or `|` in quotes"),
    ("unexpected end of stream", "the closing quote is missing"),
    ("did not find expected", "check the indentation"),
)
"""What people mostly did when libyaml says this."""


def _mistake_from(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    problem = error.problem or "it cannot be read"
    hint = next((f" ({hint})" for words, hint in _HINTS if words in problem), "")
    mark = error.problem_mark or error.context_mark
    if "unexpected end of stream" in problem:
        mark = error.context_mark or mark
    place = Mark(mark.line + 1, mark.column + 1) if mark else START
    line = text.split("\n")[place.line - 1 : place.line]
    if any("\t" in part[: len(part) - len(part.lstrip())] for part in line):
        hint = " (indent with blanks, not with tabs)"
    return Mistake(place, f"not valid YAML: {problem}{hint}")


class _Open(NamedTuple):
    """A container whose end has not come yet."""

    node: Sequence | Mapping
    children: list[tuple[Node, int]]
    """What it holds so far (keys and values in turn), each with its size."""
    anchor: str | None


class _Composer:
    """Builds the tree from events, with a stack of its own."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._root: Node | None = None

    def compose(self, text: str) -> Node | None:
        documents = 0
        for event in events(text):
            mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise Mistake(mark, "a rules file holds one YAML document only")
                case yaml.ScalarEvent():
                    self._add((self._scalar(event, mark), 1), event.anchor)
                case yaml.AliasEvent():
                    self._add(self._resolve(event.anchor, mark), None)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event, mark)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case _:
                    pass
        root = self._root
        return None if isinstance(root, Scalar) and root.text == "" else root

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, mark: Mark) -> None:
        self._check_tag(event.tag, _CONTAINER_TAGS, mark)
        if len(self._stack) >= MAXIMUM_DEPTH:
            raise Mistake(mark, f"nested more than {MAXIMUM_DEPTH} levels deep")
        is_map = isinstance(event, yaml.MappingStartEvent)
        node = Mapping(mark, []) if is_map else Sequence(mark, [])
        self._stack.append(_Open(node, [], event.anchor))

    def _close(self) -> None:
        node, children, anchor = self._stack.pop()
        size = 1 + sum(size for _, size in children)
        if size > MAXIMUM_SIZE:
            raise Mistake(node.mark, f"more than {MAXIMUM_SIZE} values, aliases filled in")
        nodes = [child for child, _ in children]
        if isinstance(node, Mapping):
            self._fill(node, nodes)
        else:
            node.items.extend(nodes)
        self._add((node, size), anchor)

    def _add(self, sized: tuple[Node, int], anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = sized
        if self._stack:
            self._stack[-1].children.append(sized)
        else:
            self._root = sized[0]

    def _resolve(self, anchor: str, mark: Mark) -> tuple[Node, int]:
        if anchor not in self._anchors:
            message = f"`*{anchor}` repeats what `&{anchor}` marks, which is nowhere above"
            raise Mistake(mark, f"{message}; put text that begins with `*` in quotes")
        return self._anchors[anchor]

    def _fill(self, mapping: Mapping, nodes: list[Node]) -> None:
        merged: list[tuple[Scalar, Node]] = []
        lines: dict[str, int] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._report(Mistake(key.mark, "a key must be text"))
            elif key.text == "<<":
                merged += self._merged_entries(value)
            elif key.text in lines:
                line = lines[key.text]
                message = f"the key `{key.text}` stands here twice, first on line {line}"
                self._report(Mistake(key.mark, message))
            else:
                lines[key.text] = key.mark.line
                mapping.entries.append((key, value))
        for key, value in merged:
            if key.text not in lines:
                lines[key.text] = key.mark.line
                mapping.entries.append((key, value))

    def _merged_entries(self, value: Node) -> list[tuple[Scalar, Node]]:
        sources = value.items if isinstance(value, Sequence) else [value]
        entries: list[tuple[Scalar, Node]] = []
        for source in sources:
            if isinstance(source, Mapping):
                entries += source.entries
            else:
                self._report(Mistake(source.mark, "`<<` merges maps only"))
        return entries

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        text = event.value
        self._check_tag(event.tag, _TEXT_TAGS + _PLAIN_TAGS, mark)
        is_plain = event.tag in _PLAIN_TAGS or (event.tag is None and event.implicit[0])
        return Scalar(mark, text, plain_value(text) if is_plain else text)

    def _check_tag(self, tag: str | None, known: tuple[str, ...], mark: Mark) -> None:
        if tag is not None and tag not in known:
            shown = tag.replace(_TAG, "!!")
            self._report(Mistake(mark, f"the tag `{shown}` means nothing in a rules file"))


def events(text: str) -> Iterator[yaml.Event]:
    """Parse by libyaml where PyYAML was built with it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.parse(text, Loader=loader)  # pyright: ignore - PyYAML's stubs leave it untyped


def plain_value(text: str) -> bool | int | float | str | None:
    """Read an unquoted scalar by the core schema of YAML 1.2."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base) if len(text) < 1000 else text
    return float(text) if _FLOAT.fullmatch(text) else text


def to_json(node: Node) -> Json:
    """Return a node's value as JSON knows it."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [to_json(item) for item in node.items]
        case Mapping():
            return {key.text: to_json(value) for key, value in node.entries}
