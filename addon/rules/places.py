"""Where each value of a YAML text stands, by its path.

For what must go back from a value to the text: showing a mistake at the field of a form, hiding a
key, moving an entry. Of a text that breaks off with a mistake, all that comes before it is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import yaml

from addon.rules.nodes import events
from addon.rules.problems import Mark

type Path = tuple[str | int, ...]
"""Keys and positions from the top of the document: `("rules", 0, "when")`."""


class Place(NamedTuple):
    """One value, or one key."""

    path: Path
    """Of a key: that of its value."""
    kind: Literal["key", "scalar", "alias", "map", "list"]
    start: int
    """Where it begins in the text; of lists and maps without brackets, where the first entry does.
    """
    end: int
    """Where it ends; of lists and maps without brackets, where what follows begins, and -1 where
    the text breaks off before.
    """
    mark: Mark
    text: str = ""
    """Of a scalar: without quotes."""
    in_block: bool = False
    """Of lists and maps: whether they are written without brackets."""


class _Open(NamedTuple):
    """A list or map whose end has not come yet."""

    number: int
    """Which of the places it is."""
    path: Path
    is_list: bool
    seen: list[str | None]
    """Of a list: an entry for each item; of a map: its keys, and None after each value."""


def find_places(text: str) -> list[Place]:
    """Return all keys and values of a text in their order."""
    places: list[Place] = []
    stack: list[_Open] = []
    try:
        for event in events(text):
            if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                number = stack.pop().number
                places[number] = places[number]._replace(end=event.end_mark.index)
            elif isinstance(event, yaml.NodeEvent):
                place = _place(event, stack)
                if isinstance(event, yaml.CollectionStartEvent):  # keys can be such, too
                    is_list = isinstance(event, yaml.SequenceStartEvent)
                    stack.append(_Open(len(places), place.path, is_list, []))
                places.append(place)
    except yaml.YAMLError:
        pass
    return places


def _place(event: yaml.NodeEvent, stack: list[_Open]) -> Place:
    text = event.value if isinstance(event, yaml.ScalarEvent) else ""
    path, is_key = _step(stack[-1], text) if stack else ((), False)
    closed = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)
    kinds: dict[type[yaml.NodeEvent], Literal["map", "list", "alias"]] = {
        yaml.SequenceStartEvent: "list",
        yaml.MappingStartEvent: "map",
        yaml.AliasEvent: "alias",
    }
    return Place(
        path=path,
        kind="key" if is_key else kinds.get(type(event), "scalar"),
        start=event.start_mark.index,
        end=event.end_mark.index if closed else -1,
        mark=Mark(event.start_mark.line + 1, event.start_mark.column + 1),
        text=text,
        in_block=getattr(event, "flow_style", True) is False,
    )


def _step(above: _Open, text: str) -> tuple[Path, bool]:
    """Say where the next value stands in a list or map, and whether it is a key there."""
    if above.is_list:
        above.seen.append(None)
        return (*above.path, len(above.seen) - 1), False
    key = above.seen[-1] if above.seen else None
    if key is None:
        above.seen.append(text)
        return (*above.path, text), True
    above.seen.append(None)
    return (*above.path, key), False


_NAMED = re.compile(r"`([^`]+)` (?:is missing in|belongs )|(?:unknown )?key `([^`]+)` ")


def path_of(message: str, mark: Mark, places: Iterable[Place]) -> Path | None:
    """Say which value a mistake is about.

    Args:
        message: What is wrong, in the words of `loading`.
        mark: Where.
        places: All of the text.

    Returns:
        Its path, that of the key that is missing where one is; None where no value stands there.
    """
    here = [place for place in places if place.mark == mark]
    if not here:
        return None
    if named := _NAMED.search(message):
        missing, unknown = named.groups()
        name = missing or unknown
        found = [place.path for place in here if place.path[-1:] == (name,)]
        maps = [place.path for place in here if place.kind == "map"]
        return found[-1] if found else (*maps[-1], name) if maps else here[-1].path
    about = message.partition(": ")[0].partition(".")[0]
    under = [place.path for place in here if about in place.path]
    # The shortest that names it: what begins at the same place lies within it.
    return min(under, key=len) if under else here[0].path


def write_path(path: Path) -> str:
    """Write a path as people and programs do: `rules[0].when.model`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
