"""Saying no: a request that a real provider would answer with an error."""

from __future__ import annotations


class Refusal(Exception):
    """The answer to a request that cannot be served, in no wire format yet."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        directed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        """The error's `type` on the wire."""
        self.param = param
        """The field at fault; only the Chat format shows it."""
        self.code = code
        self.retry_after = retry_after
        """Seconds, for the `retry-after` header."""
        self.directed = directed
        """Whether the prompt asked for it."""
