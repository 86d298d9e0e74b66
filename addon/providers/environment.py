"""The variables that keys are read from: the process's own and those of `.env` files."""

from __future__ import annotations

import os
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from pathlib import Path

FILE_NAME = ".env"

_ASSIGNMENT = re.compile(
    r"""
    ^[^\S\n]*(?:export[^\S\n]+)?
    (?P<name>[A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*
    (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<plain>[^\n]*?))
    [^\S\n]*(?:(?<=\s)\#[^\n]*)?$
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse_environment_file(text: str) -> dict[str, str]:
    """Read the assignments of a `.env` file.

    The syntax is the one that shells and other tools share: `NAME=value`, `export` before it,
    comments, single quotes (verbatim), double quotes (with backslash escapes), quoted values over
    several lines. Lines that are none of this are skipped.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return {match["name"]: _value(match) for match in _ASSIGNMENT.finditer(lines)}


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), match["double"])
    return match["single"] if match["single"] is not None else match["plain"]


def environment_files(rules_path: Path) -> tuple[Path, ...]:
    """Name the `.env` files that count, the stronger first: beside the rules, then at work."""
    beside, working = rules_path.absolute().parent / FILE_NAME, Path.cwd() / FILE_NAME
    return (beside,) if beside == working else (beside, working)


def load_environment(
    files: Iterable[Path], process: Mapping[str, str] = os.environ
) -> Mapping[str, str]:
    """Join the process's variables and those of the files; the earlier source wins.

    A file that is not there or cannot be read counts as empty.
    """
    layers = [dict(process)]
    for file in files:
        try:
            layers.append(parse_environment_file(file.read_text("utf-8", "replace")))
        except OSError:
            continue
    return ChainMap(*layers)
