"""The paths of the Chat Completions API.

Page followed: https://platform.openai.com/docs/api-reference/introduction.
"""

from __future__ import annotations

from typing import Any

from addon.embedded.chat.answer import CREATED, ChatAnswer, error_body, read_prompt
from addon.embedded.chat.validation import check_chat_request
from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Performance
from addon.embedded.front import bearer_key, check_post, read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import write_script

CHAT_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"
MODELS = ("gpt-6-sol", "gpt-5.5", "gpt-5-mini", "gpt-4o", "claude-opus-5-5", "deepseek-v4-pro")


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
            check_openai_key(request)
            return _models()
        check_post(request)
        check_openai_key(request)
        chat = check_chat_request(read_json(request))
        script = write_script(read_prompt(chat))
        return Performance(ChatAnswer(chat, script, turn), script, bool(chat.get("stream")))

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the id and the rate limits."""
        return openai_headers(turn)

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        return error_body(refusal)


def openai_headers(turn: int) -> list[tuple[str, str]]:
    """Return the headers that every answer of an OpenAI API carries."""
    return [
        ("x-request-id", unique_name("req_01", turn)),
        ("openai-processing-ms", "7"),
        ("x-ratelimit-limit-requests", "20000"),
        ("x-ratelimit-remaining-requests", "19999"),
        ("x-ratelimit-reset-requests", "3ms"),
    ]


def check_openai_key(request: ReceivedRequest) -> None:
    """Check that a key was sent that is not known to be bad.

    Raises:
        Refusal: It was not.
    """
    key = bearer_key(request)
    if not key:
        raise Refusal("You didn't provide an API key.", status=401)
    if key.startswith("bad"):
        raise Refusal("Incorrect API key provided.", status=401, code="invalid_api_key")


def _models() -> dict[str, Any]:
    entries = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "embedded"}
        for name in MODELS
    ]
    return {"object": "list", "data": entries}
