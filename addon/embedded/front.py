"""What is the same for every request: key, body, response headers, the list of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from addon.embedded.anthropic_answer import unique_name
from addon.embedded.chat_answer import CREATED
from addon.embedded.claude_models import CLAUDE_MODELS
from addon.embedded.connection import ReceivedRequest
from addon.embedded.refusal import Refusal

LARGEST_BODY = 32 * 1024 * 1024
CHAT_PATH = "/v1/chat/completions"


def read_json(request: ReceivedRequest) -> tuple[object, Mapping[str, str]]:
    """Check what holds for every POST and decode the body.

    Raises:
        Refusal: Method, key, type, coding, size or JSON is wrong.
    """
    if request.method != "POST":
        raise Refusal("Method Not Allowed", status=405)
    check_key(request)
    headers = dict(request.headers)
    if not headers.get("content-type", "").startswith("application/json"):
        raise Refusal("content-type: must be application/json", status=415)
    if headers.get("content-encoding", "identity") != "identity":
        raise Refusal(
            "The request's content-encoding is not supported.",
            code="request_body_encoding_unsupported",
        )
    if len(request.body) > LARGEST_BODY:
        raise Refusal("Request exceeds the maximum size", status=413, kind="request_too_large")
    try:
        return msgspec.json.decode(request.body), headers
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise Refusal(f"The request body is not valid JSON: {error}") from error


def check_key(request: ReceivedRequest) -> None:
    """Check that a key was sent that is not known to be bad.

    Raises:
        Refusal: It was not.
    """
    bearer = (request.header("authorization") or "").removeprefix("Bearer ").strip()
    key = request.header("x-api-key") or bearer
    if request.path == CHAT_PATH:
        if not bearer:
            raise Refusal("You didn't provide an API key.", status=401)
        if bearer.startswith("bad"):
            raise Refusal("Incorrect API key provided.", status=401, code="invalid_api_key")
    elif not key:
        raise Refusal("x-api-key header is required", status=401, kind="authentication_error")
    elif key.startswith("bad"):
        raise Refusal("invalid x-api-key", status=401, kind="authentication_error")


def answer_headers(request: ReceivedRequest, turn: int) -> list[tuple[str, str]]:
    """Return the headers that every answer carries."""
    name = request_id(turn)
    if request.path == CHAT_PATH:
        return [
            ("x-request-id", name),
            ("openai-processing-ms", "7"),
            ("x-ratelimit-limit-requests", "20000"),
            ("x-ratelimit-remaining-requests", "19999"),
            ("x-ratelimit-reset-requests", "3ms"),
        ]
    limits: list[tuple[str, str]] = []
    for what, limit in (("requests", 20_000), ("input-tokens", 10_000_000), ("tokens", 12_000_000)):
        limits += [
            (f"anthropic-ratelimit-{what}-limit", str(limit)),
            (f"anthropic-ratelimit-{what}-remaining", str(limit - 1)),
            (f"anthropic-ratelimit-{what}-reset", "2026-11-21T00:00:00Z"),
        ]
    return [("request-id", name), ("anthropic-organization-id", "embedded"), *limits]


def request_id(turn: int) -> str:
    """Name the request as the `request-id` header does."""
    return unique_name("req_01", turn)


def list_models(request: ReceivedRequest) -> dict[str, Any]:
    """Return the models, in the words of the format that the headers tell."""
    if request.header("anthropic-version") is None:
        entries = [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "embedded"}
            for name in CLAUDE_MODELS
        ]
        return {"object": "list", "data": entries}
    entries = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-11-21T00:00:00Z"}
        for name in CLAUDE_MODELS
    ]
    names = list(CLAUDE_MODELS)
    return {"data": entries, "has_more": False, "first_id": names[0], "last_id": names[-1]}
