"""The `response` object that begins and ends a stream, and that a plain answer is.

Follows https://platform.openai.com/docs/api-reference/responses/object. Ids are made from the
provider's own and the place of an item, so that the same answer always has the same ids and no two
items of a conversation share one.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from addon.formats.base import Reply
from addon.formats.openai_responses.reply_reading import wishes_of
from addon.formats.openai_responses.usage import render_usage
from addon.neutral import ErrorInfo, ErrorKind, Usage

type Status = Literal["in_progress", "completed", "incomplete", "failed"]
type Wire = dict[str, Any]

_FAILURE_CODES: dict[ErrorKind, str] = {
    "context_length": "context_length_exceeded",
    "billing": "insufficient_quota",
    "rate_limit": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
    "invalid_request": "invalid_prompt",
    "unsupported": "invalid_prompt",
    "authentication": "invalid_prompt",
    "permission": "invalid_prompt",
    "not_found": "invalid_prompt",
    "conflict": "invalid_prompt",
    "too_large": "invalid_prompt",
    "content_policy": "invalid_prompt",
    "timeout": "server_error",
    "unreachable": "server_error",
    "cut": "server_error",
    "server_error": "server_error",
}
"""What `response.failed` says.

Agents act on few codes: they compact, give up, or wait and try again. Whatever another try cannot
mend is an `invalid_prompt`, which is the one that makes them stop and show the message.
"""


class ResponseObject:
    """Writes the object for one answer, at any point of it."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._wishes = wishes_of(reply)
        self.id = ""
        self._model = ""
        self._seed = ""

    def start(self, identifier: str, model: str) -> None:
        """Note who answers."""
        given = self._wishes.response_id
        own = identifier.startswith("resp_")
        self.id = given or (identifier if own else f"resp_{identifier or self._reply.created}")
        self._model = self._reply.model or model
        self._seed = hashlib.sha256(self.id.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    def item_id(self, prefix: str, position: int) -> str:
        """Return the id of an output item."""
        return f"{prefix}_{self._seed}{position:04d}"

    def render(
        self,
        status: Status,
        output: list[Wire],
        *,
        usage: Usage | None = None,
        error: ErrorInfo | None = None,
        incomplete: str | None = None,
    ) -> Wire:
        """Return the object as it stands."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._reply.created,
            "status": status,
            "model": self._model,
            "output": output,
            "error": None if error is None else failure(error),
            "incomplete_details": None if incomplete is None else {"reason": incomplete},
            "tools": [],
            **self._wishes.echo,
            "usage": render_usage(usage),
        }


def failure(error: ErrorInfo) -> Wire:
    """Write the `error` of a failed response; the message tells how long to wait, as OpenAI's."""
    message = error.message
    if error.kind == "rate_limit" and error.retry_after is not None:
        message = f"{message.rstrip('.')}. Please try again in {error.retry_after:g}s."
    return {"code": _FAILURE_CODES[error.kind], "message": message}
