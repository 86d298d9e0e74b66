"""Reading messages by the rules of protobuf's JSON form, as Google's servers do.

Names may be in camel or in snake case, enumerations may be names in any case or numbers, one value
may stand for a list of one, null for a field that is left out. Readers bring all of that into one
form: camel case, upper-case names, lists.

Page followed: https://protobuf.dev/programming-guides/json/.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from addon.embedded.refusal import Refusal

type Reader = Callable[[object, str], Any]
"""Takes a JSON value and its place, such as `contents[0].parts`; returns it in the one form."""

_PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1beta"
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_WHOLE = re.compile(r"-?\d+")


def snake_case(name: str) -> str:
    """Return a field's name as error messages spell it."""
    return _CAPITAL.sub(r"_\1", name).lower()


def unknown_name(name: str, place: str, why: str = "Cannot find field.") -> Refusal:
    """Refuse a field that the message does not have."""
    at = f" at '{place}'" if place else ""
    message = f'Invalid JSON payload received. Unknown name "{name}"{at}: {why}'
    return Refusal(message, param=place)


def invalid_value(place: str, kind: str, value: object) -> Refusal:
    """Refuse a value of the wrong type."""
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) < 100 else f"{shown[:100]}..."
    return Refusal(f"Invalid value at '{place}' ({kind}), {shown}", param=place)


def string(value: object, place: str) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise invalid_value(place, "TYPE_STRING", value)
    return value


def boolean(value: object, place: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise invalid_value(place, "TYPE_BOOL", value)
    return value


def int32(value: object, place: str) -> int:
    """Read an integer of 32 bits; a string of digits is one too."""
    written = isinstance(value, str) and _WHOLE.fullmatch(value)
    integral = isinstance(value, float) and value.is_integer()
    whole = int(cast("str | float", value)) if written or integral else value
    if not isinstance(whole, int) or isinstance(whole, bool) or not -(2**31) <= whole < 2**31:
        raise invalid_value(place, "TYPE_INT32", value)
    return whole


def number(value: object, place: str) -> float:
    """Read a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise invalid_value(place, "TYPE_FLOAT", value)
    return value


def data(value: object, place: str) -> str:
    """Read bytes in base64; return them in the standard alphabet with padding."""
    standard = standard_base64(string(value, place))
    try:
        base64.b64decode(standard, validate=True)
    except binascii.Error:
        shown = json.dumps(value)
        shown = shown if len(shown) < 60 else f'{shown[:60]}..."'
        raise Refusal(
            f"Invalid value at '{place}' (TYPE_BYTES), Base64 decoding failed for {shown}",
            param=place,
        ) from None
    return standard


def standard_base64(text: str) -> str:
    """Write base64 of either alphabet, padded or not, in the standard alphabet with padding."""
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    return standard + "=" * (-len(standard) % 4)


def struct(value: object, place: str) -> dict[str, Any]:
    """Read an object of any keys."""
    if not isinstance(value, dict):
        raise invalid_value(place, "type.googleapis.com/google.protobuf.Struct", value)
    return cast("dict[str, Any]", value)


def anything(value: object, place: str) -> object:
    """Read any JSON value."""
    return value


def enumeration(name: str, names: Sequence[str]) -> Reader:
    """Make the reader of an enumeration whose first name has the number 0."""

    def read(value: object, place: str) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
            return names[value]
        if isinstance(value, str) and value.upper() in names:
            return value.upper()
        raise invalid_value(place, f"{_PACKAGE}.{name}", value)

    return read


def repeated(item: Reader) -> Reader:
    """Make the reader of a list."""

    def read(value: object, place: str) -> list[Any]:
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        return [item(one, f"{place}[{index}]") for index, one in enumerate(items)]

    return read


def map_of(item: Reader) -> Reader:
    """Make the reader of a map."""

    def read(value: object, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise unknown_name(place.rsplit(".", 1)[-1], place, "Map field must be an object.")
        entries = cast("dict[str, object]", value).items()
        return {
            key: item(one, f"{place}[{index}].value") for index, (key, one) in enumerate(entries)
        }

    return read


def message(name: str, fields: Mapping[str, Reader]) -> Reader:
    """Make the reader of a message.

    Args:
        name: The message's type.
        fields: Readers by name in camel case; read when a message comes, so that a message may
            hold itself.
    """

    def read(value: object, place: str) -> dict[str, Any]:
        if isinstance(value, list):
            outer, _, last = place.rpartition(".")
            why = "Proto field is not repeating, cannot start list."
            raise unknown_name(last or place, outer, why)
        if not isinstance(value, dict):
            raise invalid_value(place, f"{_PACKAGE}.{name}", value)
        known = {snake_case(field): field for field in fields}
        result: dict[str, Any] = {}
        for key, item in cast("dict[str, object]", value).items():
            field = key if key in fields else known.get(key)
            if field is None:
                raise unknown_name(key, place)
            spelled = snake_case(field)
            if item is not None:
                result[field] = fields[field](item, f"{place}.{spelled}" if place else spelled)
        return result

    return read
