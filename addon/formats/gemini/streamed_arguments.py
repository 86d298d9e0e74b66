"""Arguments of a function call that arrive in pieces.

Gemini 3 and later may stream a call (`streamFunctionCallArguments`): each piece names a place by a
JSON path and gives a value for it, and a text may be continued by the next piece of the same place
(https://ai.google.dev/api/caching#PartialArg).
"""

from __future__ import annotations

import re
from typing import Any, cast

from addon.wire.reading import integer, mapping, sequence, text

_STEP = re.compile(
    r"\.([^.\[\]]+)|\[(\d{1,4})\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]"
)
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")
_LONGEST_ARRAY = 10_000

type _Steps = tuple[str | int, ...]


class StreamedArguments:
    """The arguments of one call, growing."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        """What has been said so far."""
        self._texts: dict[_Steps, list[str]] = {}

    def add(self, pieces: object) -> None:
        """Take the `partialArgs` of one part; what makes no sense is left out."""
        for piece in map(mapping, sequence(pieces)):
            steps = _steps(text(piece.get("jsonPath")))
            kind = next((name for name in _VALUES if name in piece), None)
            if not steps or kind is None:
                continue
            if kind == "stringValue":
                if steps not in self._texts:
                    self._texts[steps] = []
                    _put(self.value, steps, "")
                self._texts[steps].append(text(piece[kind]))
            else:
                value = None if kind == "nullValue" else piece[kind]
                whole = integer(value)
                _put(self.value, steps, value if whole is None else whole)

    def finish(self) -> dict[str, Any]:
        """Return the whole arguments."""
        for steps, pieces in self._texts.items():
            _put(self.value, steps, "".join(pieces))
        self._texts = {}
        return self.value


def _steps(path: str) -> _Steps:
    if not path.startswith("$"):
        return ()
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return ()
        name, index, single, double = match.groups()
        steps.append(int(index) if index is not None else name or single or double or "")
        position = match.end()
    return tuple(steps)


def _put(root: dict[str, Any], steps: _Steps, value: object) -> None:
    """Put a value at a place, making the objects and arrays that lead there."""
    place: Any = root
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        if isinstance(step, int):
            if type(place) is not list or step >= _LONGEST_ARRAY:
                return
            items = cast("list[Any]", place)
            items += [None] * (step + 1 - len(items))
        elif type(place) is not dict:
            return
        else:
            cast("dict[str, Any]", place).setdefault(step, None)
        child: Any = cast("Any", place)[step]
        wanted: Any = value if following is None else [] if isinstance(following, int) else {}
        if following is None or type(child) is not type(wanted):
            child = wanted
            cast("Any", place)[step] = child
        place = child
