"""What an agent's request holds beyond what its format's parser has words for.

Agents, their SDKs and gateways add fields faster than anybody follows. A parser names the fields
that it understands, kind by kind; whatever else an object holds is gathered here and ends on the
loss list when the request is written in another format (decision D6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from addon.neutral import Extra

_POSITION = re.compile(r"\[\d+\]")


class Unread:
    """The fields that were passed over, each name once."""

    __slots__ = ("_extras",)

    def __init__(self) -> None:
        self._extras: dict[str, Extra] = {}

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What was gathered."""
        return tuple(self._extras.values())

    def extend(self, extras: Iterable[Extra]) -> None:
        """Take what was gathered elsewhere."""
        for extra in extras:
            self._extras.setdefault(extra.field, extra)

    def look(self, wire: Mapping[str, Any], known: frozenset[str], place: str) -> None:
        """Gather the members of an object that are not among the known ones.

        Members that ask for nothing (null, false, empty) are nothing to lose.

        Args:
            wire: The object.
            known: The members that its parser understands, or that mean nothing elsewhere.
            place: Where it stands, such as `messages[3].content[0]`; positions are left out.
        """
        if known.issuperset(wire):
            return
        for key, value in wire.items():
            if key not in known:
                self.lose(f"{place}.{key}", value)

    def lose(self, field: str, value: object) -> None:
        """Gather one field, unless its value asks for nothing."""
        if value or (value == 0 and value is not False):
            name = _POSITION.sub("", field)
            self._extras.setdefault(name, Extra(name, value))
