"""The paths of the Gemini API, also as Vertex AI spells them.

Page followed: https://ai.google.dev/api.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Performance
from addon.embedded.front import bearer_key, check_post, read_json
from addon.embedded.gemini.answer import GeminiAnswer, Manner, read_prompt
from addon.embedded.gemini.embedding import embed, embed_all
from addon.embedded.gemini.messages import COUNT_REQUEST
from addon.embedded.gemini.models import GEMINI_MODELS
from addon.embedded.gemini.statuses import error_body
from addon.embedded.gemini.validation import check_generate_request, model_called
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import write_script

_LARGEST_BODY = 20 * 1024 * 1024
_OWNER = r"(?:/projects/[^/]+/locations/[^/]+/publishers/google)?"
_CALL = re.compile(
    rf"/v1(?:beta1?|alpha)?{_OWNER}/models/([^/:]+):"
    "(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)"
)
_MODELS = re.compile(r"/v1(?:beta1?|alpha)?/models(?:/([^/:]+))?")
_STREAM = "streamGenerateContent"


class GeminiEndpoint:
    """Content, streamed content, token counts, embeddings and models."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def serves(self, request: ReceivedRequest) -> bool:
        """Take calls by their path, and model lists by that or by Google's own way with keys."""
        if _CALL.fullmatch(request.path):
            return True
        if not _MODELS.fullmatch(request.path):
            return False
        return not request.path.startswith("/v1/") or bool(
            request.header("x-goog-api-key") or "key" in parse_qs(request.query)
        )

    def reply(self, request: ReceivedRequest, turn: int) -> Performance | Json:
        """Answer a call."""
        _check_key(request)
        call = _CALL.fullmatch(request.path)
        if call is None:
            listed = _MODELS.fullmatch(request.path)
            name = listed.group(1) if listed else None
            return _model(unquote(name)) if name else {"models": [_model(one) for one in _NAMES]}
        check_post(request)
        name, method = unquote(call.group(1)), call.group(2)
        body = _read(request)
        match method:
            case "countTokens":
                return self._count(body, name)
            case "embedContent":
                return embed(body, name)
            case "batchEmbedContents":
                return embed_all(body, name)
            case _:
                pass
        checked, model, request.sentinels = check_generate_request(body, name, self._secret)
        script = write_script(read_prompt(checked, model))
        query = parse_qs(request.query)
        numbers = any("enum-encoding=int" in value for value in query.get("$alt", []))
        manner = Manner(events=query.get("alt") == ["sse"], numbers=numbers)
        answer = GeminiAnswer(checked, name, model, script, manner, self._secret, turn)
        return Performance(answer, script, streamed=method == _STREAM)

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the headers that Google's front sends."""
        return [("server", "scaffolding on HTTPServer2"), ("x-frame-options", "SAMEORIGIN")]

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer: within a list where a list was to be streamed."""
        body = error_body(refusal)
        in_list = request.path.endswith(_STREAM) and parse_qs(request.query).get("alt") != ["sse"]
        return [body] if in_list else body

    def _count(self, body: object, name: str) -> dict[str, Any]:
        model_called(name)
        counted = COUNT_REQUEST(body, "")
        if "generateContentRequest" in counted:
            whole = dict(counted["generateContentRequest"])
            whole.pop("model", None)
            counted, _, _ = check_generate_request(whole, name, self._secret)
        tokens = estimate_tokens(counted)
        details = [{"modality": "TEXT", "tokenCount": tokens}]
        return {"totalTokens": tokens, "promptTokensDetails": details}


_NAMES = tuple(GEMINI_MODELS)


def _check_key(request: ReceivedRequest) -> None:
    in_query = parse_qs(request.query).get("key", [""])[0]
    key = request.header("x-goog-api-key") or in_query or bearer_key(request)
    if not key:
        raise Refusal(
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API.",
            status=403,
        )
    if key.startswith("bad"):
        raise Refusal(
            "API key not valid. Please pass a valid API key.", status=400, code="API_KEY_INVALID"
        )


def _read(request: ReceivedRequest) -> object:
    try:
        return read_json(request, _LARGEST_BODY)
    except Refusal as refusal:
        if refusal.status == 413:
            raise Refusal(
                f"Request payload size exceeds the limit: {_LARGEST_BODY} bytes."
            ) from refusal
        raise


def _model(name: str) -> dict[str, Any]:
    model = model_called(name)
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": model.context,
        "outputTokenLimit": model.max_output,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": model.budgets is not None,
    }
