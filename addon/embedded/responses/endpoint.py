"""The paths of the Responses API.

Page followed: https://platform.openai.com/docs/api-reference/responses.
"""

from __future__ import annotations

import re
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Performance
from addon.embedded.front import check_post, read_json
from addon.embedded.openai_front import answer_headers, check_key, error_body
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.responses.answer import ResponsesAnswer
from addon.embedded.responses.prompt import read_prompt
from addon.embedded.responses.store import ResponseStore
from addon.embedded.responses.validation import check_responses_request
from addon.embedded.scenario import write_script

RESPONSES_PATH = "/v1/responses"
_COUNT_PATH = "/v1/responses/input_tokens"
_STORED = re.compile(r"/v1/responses/(resp_[^/]+)(/input_items)?")


class ResponsesEndpoint:
    """Responses, stored ones and token counts."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._store = ResponseStore()

    def serves(self, request: ReceivedRequest) -> bool:
        """Take everything at and below `/v1/responses`."""
        return request.path == RESPONSES_PATH or request.path.startswith(f"{RESPONSES_PATH}/")

    def reply(self, request: ReceivedRequest, turn: int) -> Performance | Json:
        """Answer a call."""
        if stored := _STORED.fullmatch(request.path):
            check_key(request)
            return self._stored(request, stored.group(1), inputs=bool(stored.group(2)))
        if request.path not in (RESPONSES_PATH, _COUNT_PATH):
            raise Refusal(f"Invalid URL ({request.method} {request.path})", status=404)
        check_post(request)
        check_key(request)
        body, conversation = check_responses_request(read_json(request), self._store, self._secret)
        if request.path == _COUNT_PATH:
            counted = [conversation, body.get("instructions"), body.get("tools")]
            tokens = estimate_tokens(counted)
            return {"object": "response.input_tokens", "input_tokens": tokens}
        prompt, namespaces = read_prompt(body, conversation)
        script = write_script(prompt)
        answer = ResponsesAnswer(body, conversation, namespaces, script, self._secret, turn)
        if body.get("store", True):
            self._store.keep(answer.plain(), conversation)
        return Performance(answer, script, bool(body.get("stream")))

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the id and the rate limits."""
        return answer_headers(turn)

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        return error_body(refusal)

    def _stored(self, request: ReceivedRequest, name: str, *, inputs: bool) -> dict[str, Any]:
        if request.method == "DELETE" and not inputs:
            return self._store.remove(name)
        if request.method != "GET":
            raise Refusal("Method Not Allowed", status=405)
        response = self._store.find(name)
        if not inputs:
            return response
        items = self._store.inputs[name]
        return {"object": "list", "data": items, "has_more": False}
