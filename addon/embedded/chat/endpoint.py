"""The paths of the Chat Completions API.

Page followed: https://platform.openai.com/docs/api-reference/introduction.
"""

from __future__ import annotations

from typing import Any

from addon.embedded.chat.answer import ChatAnswer, read_prompt
from addon.embedded.chat.validation import check_chat_request
from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Performance
from addon.embedded.front import check_post, read_json
from addon.embedded.openai_front import CREATED, answer_headers, check_key, error_body
from addon.embedded.openai_models import MODELS
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import write_script

CHAT_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"


class ChatEndpoint:
    """Completions and models."""

    def serves(self, request: ReceivedRequest) -> bool:
        """Take completions, and the model list where no header tells of Anthropic."""
        if request.path == MODELS_PATH:
            return request.header("anthropic-version") is None
        return request.path == CHAT_PATH

    def reply(self, request: ReceivedRequest, turn: int) -> Performance | Json:
        """Answer a call."""
        if request.path == MODELS_PATH and request.method == "GET":
            check_key(request)
            return _models()
        check_post(request)
        check_key(request)
        chat = check_chat_request(read_json(request))
        script = write_script(read_prompt(chat))
        return Performance(ChatAnswer(chat, script, turn), script, bool(chat.get("stream")))

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the id and the rate limits."""
        return answer_headers(turn)

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        return error_body(refusal)


def _models() -> dict[str, Any]:
    entries = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "embedded"}
        for name in MODELS
    ]
    return {"object": "list", "data": entries}
