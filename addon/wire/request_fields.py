"""Read an agent's request strictly, and complain the way OpenAI does.

Each reader returns None for a field that is absent or null, for null means "not said". A value of
another type is the agent's mistake, and the message names its place, as in
`Invalid type for 'messages[2].content[0].text': expected a string, but got an integer instead.`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, cast

from addon.neutral import ClientRequestError
from addon.wire.unread import Unread

type _Place = tuple[Fields, str, int | None]
"""The object that holds another, under which key, and at which position of an array."""


class Fields:
    """A JSON object of the request and the path at which it stands.

    Objects within it report to the same list of what was left unread.
    """

    __slots__ = ("_place", "unread", "value")

    def __init__(
        self, value: dict[str, Any], place: str | _Place = "", unread: Unread | None = None
    ) -> None:
        self.value = value
        self._place = place
        self.unread = unread

    @property
    def path(self) -> str:
        """Where the object stands, such as `messages[2].content[0]`; empty for the outermost.

        Put together on demand: few of the hundreds of objects in a request are complained about.
        """
        if isinstance(self._place, str):
            return self._place
        holder, key, position = self._place
        place = holder.place(key)
        return place if position is None else f"{place}[{position}]"

    def knows(self, known: frozenset[str]) -> None:
        """Report every other member as one that is not understood."""
        if self.unread is not None and not known.issuperset(self.value):
            self.unread.look(self.value, known, self.path)

    def lose(self, key: str) -> None:
        """Report a member as one that has no place elsewhere."""
        if self.unread is not None:
            self.unread.lose(self.place(key), self.value.get(key))

    def place(self, key: str) -> str:
        """Return the path of a member."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Tell whether a member is there and not null."""
        return self.value.get(key) is not None

    def text(self, key: str) -> str | None:
        """Read a string."""
        value = self.value.get(key)
        if value is not None and not isinstance(value, str):
            self.wrong_type(key, "a string")
        return value

    def required_text(self, key: str) -> str:
        """Read a string that must be there."""
        value = self.value.get(key)
        if value is None:
            self.missing(key)
        if not isinstance(value, str):
            self.wrong_type(key, "a string")
        return value

    def flag(self, key: str) -> bool | None:
        """Read a boolean."""
        value = self.value.get(key)
        if value is not None and not isinstance(value, bool):
            self.wrong_type(key, "a boolean")
        return value

    def integer(self, key: str, least: int | None = None) -> int | None:
        """Read a whole number that is not below `least`."""
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong_type(key, "an integer")
        if least is not None and value < least:
            name = self.place(key)
            raise ClientRequestError(
                f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, "
                f"but got {value} instead.",
                name,
            )
        return value

    def number(self, key: str) -> float | None:
        """Read a number."""
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            self.wrong_type(key, "a decimal")
        return value

    def one_of[T: str](self, key: str, allowed: tuple[T, ...]) -> T | None:
        """Read one of several words."""
        value = self.text(key)
        if value is None:
            return None
        if value not in allowed:
            self.wrong_value(key, allowed)
        return cast("T", value)

    def object(self, key: str) -> Fields | None:
        """Read an object."""
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong_type(key, "an object")
        return Fields(value, (self, key, None), self.unread)  # pyright: ignore[reportUnknownArgumentType] - any object of JSON

    def required_object(self, key: str) -> Fields:
        """Read an object that must be there."""
        value = self.object(key)
        if value is None:
            self.missing(key)
        return value

    def items(self, key: str) -> list[Any]:
        """Read an array; empty when it is absent or null."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong_type(key, "an array")
        return cast("list[Any]", value)

    def objects(self, key: str) -> Iterator[Fields]:
        """Read an array of objects."""
        for position, item in enumerate(self.items(key)):
            if not isinstance(item, dict):
                place = f"{self.place(key)}[{position}]"
                raise ClientRequestError(
                    f"Invalid type for '{place}': expected an object, "
                    f"but got {_kind(item)} instead.",
                    place,
                )
            yield Fields(item, (self, key, position), self.unread)  # pyright: ignore[reportUnknownArgumentType] - any object of JSON

    def missing(self, key: str) -> NoReturn:
        """Complain that a member is not there."""
        name = self.place(key)
        raise ClientRequestError(f"Missing required parameter: '{name}'.", name)

    def wrong_type(self, key: str, expected: str) -> NoReturn:
        """Complain about a member's type."""
        name = self.place(key)
        raise ClientRequestError(
            f"Invalid type for '{name}': expected {expected}, "
            f"but got {_kind(self.value[key])} instead.",
            name,
        )

    def wrong_value(self, key: str, allowed: tuple[str, ...]) -> NoReturn:
        """Complain about a member's value."""
        name = self.place(key)
        quoted = [f"'{word}'" for word in allowed]
        words = " and ".join((", ".join(quoted[:-1]), quoted[-1]) if len(quoted) > 1 else quoted)
        raise ClientRequestError(
            f"Invalid value: '{self.value[key]}'. Supported values are: {words}.", name
        )


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
