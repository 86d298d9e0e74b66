"""The paths of the Messages API.

Page followed: https://platform.claude.com/docs/en/api/overview.
"""

from __future__ import annotations

from typing import Any

from addon.embedded.anthropic.answer import compose, error_body, read_prompt
from addon.embedded.anthropic.models import CLAUDE_MODELS
from addon.embedded.anthropic.validation import check_messages_request
from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Performance
from addon.embedded.front import bearer_key, check_post, read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.prefix import PromptCache, chain
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import write_script

MESSAGES_PATH = "/v1/messages"
COUNT_PATH = "/v1/messages/count_tokens"
MODELS_PATH = "/v1/models"
_LIMITS = (("requests", 20_000), ("input-tokens", 10_000_000), ("tokens", 12_000_000))


class AnthropicEndpoint:
    """Messages, token counts, models, and every path that nobody serves."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cache = PromptCache()

    def serves(self, request: ReceivedRequest) -> bool:
        """Take everything: a path that is not known gets an error in this format."""
        return True

    def reply(self, request: ReceivedRequest, turn: int) -> Performance | Json:
        """Answer a call."""
        if request.method == "GET" and request.path == MODELS_PATH:
            _check_key(request)
            return _models()
        if request.path not in (MESSAGES_PATH, COUNT_PATH):
            raise Refusal(f"Not Found: {request.path}", status=404, kind="not_found_error")
        check_post(request)
        _check_key(request)
        body, headers = read_json(request), dict(request.headers)
        if request.path == COUNT_PATH:
            counted, _ = check_messages_request(body, headers, self._secret, counting=True)
            return {"input_tokens": chain(counted)[-1].tokens}
        checked, model = check_messages_request(body, headers, self._secret)
        script = write_script(read_prompt(checked, model))
        usage = self._cache.use(chain(checked))
        answer = compose(checked, model, script, usage, self._secret, turn)
        return Performance(answer, script, bool(checked.get("stream")))

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the ids and the rate limits."""
        limits: list[tuple[str, str]] = []
        for what, limit in _LIMITS:
            limits += [
                (f"anthropic-ratelimit-{what}-limit", str(limit)),
                (f"anthropic-ratelimit-{what}-remaining", str(limit - 1)),
                (f"anthropic-ratelimit-{what}-reset", "2026-11-21T00:00:00Z"),
            ]
        names = [("request-id", _request_id(turn)), ("anthropic-organization-id", "embedded")]
        return [*names, *limits]

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        return error_body(refusal, _request_id(turn))


def _request_id(turn: int) -> str:
    return unique_name("req_01", turn)


def _check_key(request: ReceivedRequest) -> None:
    key = request.header("x-api-key") or bearer_key(request)
    if not key:
        raise Refusal("x-api-key header is required", status=401, kind="authentication_error")
    if key.startswith("bad"):
        raise Refusal("invalid x-api-key", status=401, kind="authentication_error")


def _models() -> dict[str, Any]:
    entries = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-11-21T00:00:00Z"}
        for name in CLAUDE_MODELS
    ]
    names = list(CLAUDE_MODELS)
    return {"data": entries, "has_more": False, "first_id": names[0], "last_id": names[-1]}
