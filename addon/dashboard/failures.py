"""What the API answers where it cannot do what is asked."""

from __future__ import annotations

from typing import Any

import msgspec


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong."""

    message: str
    field: str | None = None
    """Where in the request's body, such as `when.model`."""
    line: int | None = None
    """Where in rules.yaml as it would be."""
    column: int | None = None


class ApiError(Exception):
    """A request cannot be answered as it is."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        problems: tuple[Trouble, ...] = (),
        **more: object,
    ) -> None:
        """Say what is wrong.

        Args:
            status: HTTP status.
            message: What to tell people.
            field: Where in the request's body.
            problems: All that is wrong, where there are several; the first gives the place.
            more: Further keys of the error.
        """
        super().__init__(message)
        self.status = status
        self._first = problems[0] if problems else Trouble(message=message, field=field)
        self._problems = problems
        self._more = more

    def document(self) -> dict[str, Any]:
        """Return the answer."""
        error = msgspec.to_builtins(self._first) | {"message": str(self)} | self._more
        if self._problems:
            error["problems"] = msgspec.to_builtins(self._problems)
        return {"error": error}


def missing(what: str) -> ApiError:
    """Say that there is no such thing."""
    return ApiError(404, f"there is no {what}")
