"""A request to the API, and reading what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from addon.dashboard.failures import ApiError

LARGEST = 2 << 20
"""Most bytes of a body."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    names: Mapping[str, str] = {}
    """The parts of the path that the operation leaves open."""
    query: Mapping[str, str] = {}
    body: dict[str, Any] = {}

    def text(self, field: str) -> str:
        """Return a text of the body.

        Raises:
            ApiError: It is missing or no text.
        """
        value = self.body.get(field)
        if not isinstance(value, str):
            problem = "is missing" if value is None else "must be text"
            raise ApiError(400, f"{field}: {problem}", field=field)
        return value

    def optional_text(self, field: str) -> str | None:
        """Return a text of the body, or None where there is none.

        Raises:
            ApiError: It is no text.
        """
        return None if self.body.get(field) is None else self.text(field)

    def index(self, field: str) -> int:
        """Return a number of the body that counts from 0.

        Raises:
            ApiError: It is missing or something else.
        """
        value = self.body.get(field)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
            raise ApiError(400, f"{field}: expected a whole number from 0", field=field)
        return value

    def map(self, field: str) -> dict[str, Any]:
        """Return a map of the body.

        Raises:
            ApiError: It is missing or something else.
        """
        value = self.body.get(field)
        if not isinstance(value, dict):
            raise ApiError(400, f"{field}: expected a map", field=field)
        return cast("dict[str, Any]", value)

    def number(self, name: str, default: int, most: int) -> int:
        """Return a number of the query, `most` where it is more.

        Raises:
            ApiError: It is none.
        """
        text = self.query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ApiError(400, f"{name}: expected a whole number", field=name)
        return min(int(text), most)


def read_body(content: bytes) -> dict[str, Any]:
    """Read a body, which is a map; empty where nothing was sent.

    Raises:
        ApiError: It is something else.
    """
    if len(content) > LARGEST:
        raise ApiError(413, f"the body is larger than {LARGEST >> 20} MB")
    if not content.strip():
        return {}
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be a map")
    return cast("dict[str, Any]", body)
