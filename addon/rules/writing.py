"""Values as YAML text: in brackets on one line, or without brackets as far as people like it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from addon.rules.nodes import plain_value

_PLAIN = re.compile(r"[\w./$][\w ./$+@*?()~=%^:-]*", re.ASCII)
_MISREAD = re.compile(r":\s|[\s:]\Z")
_ELSEWHERE = frozenset(("y", "n", "yes", "no", "on", "off"))
"""Words that YAML 1.1, which other programs read, takes for something else than text."""
_NUMBER = re.compile(r"[\d.][\d_.:xXoa-fA-F+-]*", re.ASCII)
"""What it takes for a number, a time or a date, and more."""
_SPECIAL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def write_inline(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Write a value on one line; lists and maps in brackets."""
    match value:
        case str():
            return _text(value)
        case dict():
            entries = cast("dict[str, Any]", value).items()
            return f"{{{', '.join(f'{_text(key)}: {write_inline(v)}' for key, v in entries)}}}"
        case list():
            return f"[{', '.join(map(write_inline, cast('list[Any]', value)))}]"
        case _:
            return json.dumps(value)


def write_json(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Write a value for a file that is JSON."""
    written = json.dumps(value, ensure_ascii=False)
    return _SPECIAL.sub(lambda match: _escaped(match[0]), written)


def write_entries(
    entries: Mapping[str, Any],
    levels: int,
    step: int,
    inline: Callable[[Any], str] = write_inline,
) -> list[str]:
    """Write a map without brackets, and below it as many levels of maps and lists.

    Args:
        entries: The map; it is not empty.
        levels: How many levels of what it holds are without brackets, too.
        step: Columns that each level is indented by.
        inline: Writes the others.

    Returns:
        Lines without their ends.
    """
    lines: list[str] = []
    indent = " " * step
    for key, value in entries.items():
        if levels and value and isinstance(value, dict):
            inner = write_entries(cast("dict[str, Any]", value), levels - 1, step, inline)
            lines += [f"{_text(key)}:", *(indent + line for line in inner)]
        elif levels and value and isinstance(value, list):
            items = cast("list[Any]", value)
            lines.append(f"{_text(key)}:")
            lines += [indent + line for item in items for line in write_item(item, inline)]
        else:
            lines.append(f"{_text(key)}: {inline(value)}")
    return lines


def write_item(value: Any, inline: Callable[[Any], str] = write_inline) -> list[str]:  # noqa: ANN401 - any JSON
    """Write an item of a list without brackets: a map with each key on a line."""
    if not value or not isinstance(value, dict):
        return [f"- {inline(value)}"]
    first, *others = write_entries(cast("dict[str, Any]", value), 0, 2, inline)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _text(text: str) -> str:
    if (
        _PLAIN.fullmatch(text)
        and not _MISREAD.search(text)
        and not _NUMBER.fullmatch(text)
        and text.lower() not in _ELSEWHERE
        and isinstance(plain_value(text), str)
    ):
        return text
    if _SPECIAL.search(text):
        return f'"{"".join(map(_escaped, text))}"'
    return "'" + text.replace("'", "''") + "'"


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return f"\\u{ord(character):04x}" if _SPECIAL.match(character) else character
