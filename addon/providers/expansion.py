"""Environment variables inside the text of rules.yaml.

`${NAME}` stands for the variable's value, `${NAME:-text}` for `text` where the variable is not set
or empty, as in a shell; `$${` writes `${` itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_OPENING = re.compile(r"(?<!\$)\$\{")


class Expansion(NamedTuple):
    """Text with its variables filled in."""

    text: str
    variables: tuple[str, ...]
    """The variables that it names."""
    missing: tuple[str, ...]
    """Those of them that are not set and have no default; they are left out of the text."""


def expand(text: str, environment: Mapping[str, str]) -> Expansion:
    """Fill in the variables that `text` names."""
    variables: list[str] = []
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        escaped, name, default = match.groups()
        if escaped:
            return escaped
        variables.append(name)
        found = environment.get(name, "") or default
        if found is None:
            missing.append(name)
        return found or ""

    return Expansion(_REFERENCE.sub(value, text), tuple(variables), tuple(missing))


def is_well_formed(text: str) -> bool:
    """Tell whether every `${` in the text begins a reference that `expand` understands."""
    return not _OPENING.search(_REFERENCE.sub("", text))


def sole_variable(text: str) -> str | None:
    """Return the variable's name where the whole text is one `${NAME}`."""
    match = _REFERENCE.fullmatch(text)
    return match[2] if match and match[3] is None else None
