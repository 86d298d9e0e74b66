"""What goes wrong with state, in the words and codes that OpenAI uses and agents act on."""

from __future__ import annotations

from typing import Any, override

from addon.neutral import DetourError, ErrorInfo


class StateError(DetourError):
    """A request refers to something that is not here, or asks for what cannot be."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status."""
        self.param = param
        self.code = code

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("invalid_request", str(self), code=self.code, param=self.param)

    def to_wire(self) -> dict[str, Any]:
        """Write the `error` object."""
        return {
            "message": str(self),
            "type": "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }


def previous_response_not_found(response_id: str) -> StateError:
    """Agents that get this send the whole conversation again."""
    return StateError(
        f"Previous response with id '{response_id}' not found.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


def response_not_found(response_id: str) -> StateError:
    """Say that there is no such response."""
    return StateError(f"Response with id '{response_id}' not found.", status=404)


def conversation_not_found(conversation_id: str) -> StateError:
    """Say that there is no such conversation."""
    return StateError(f"Conversation with id '{conversation_id}' not found.", status=404)


def item_not_found(item_id: str) -> StateError:
    """Say that an item which the input refers to is not here."""
    return StateError(
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to "
        "false. Try again with `store` set to true, or remove this item from your input.",
        status=404,
        param="input",
    )
