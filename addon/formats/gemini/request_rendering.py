"""Write a request: from the hub to `models/X:generateContent`.

Follows https://ai.google.dev/api/generate-content. The API refuses unknown keys, so only known ones
are written. The rendering depends on the request, the model and the dialect alone: no clock, no
randomness, nothing that moves between turns.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from addon.formats.base import Headers, RenderedBody
from addon.formats.gemini.content import Wire
from addon.formats.gemini.models import VERTEX, GeminiModel, gemini_model
from addon.formats.gemini.schema import json_schema
from addon.formats.gemini.thinking import render_thinking
from addon.formats.gemini.tools import Tools, render_tools
from addon.formats.gemini.turns import render_contents
from addon.neutral import LossList, Request, UnsupportedFeature
from addon.wire.codec import encode, encode_text
from addon.wire.unexpressed import lose_cache_marks

HEADERS: Headers = (("content-type", "application/json"),)

_MOST_STOPS = 5
_GREATEST_TOP_K = 64
_SERVICE_TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}


def render_request(request: Request, model_name: str, dialect: str) -> RenderedBody:
    """Write a request for the model called `model_name`.

    Raises:
        UnsupportedFeature: It holds content that the API has no way to express.
    """
    losses = LossList()
    model = gemini_model(model_name, dialect)
    _refuse(request, losses)
    tools = render_tools(request, model, losses)
    json_mode = _json_mode(request, model, tools, losses)
    instructions = _instructions(request, json_mode)
    generation = _generation(request, model, json_mode, losses)

    body: dict[str, Any] = {}
    preface: list[Wire] = []
    if instructions and model.system_instruction:
        body["systemInstruction"] = {"parts": instructions}
    elif instructions:
        losses.approximated("messages.role", "the model takes instructions as user text only")
        preface = instructions
    body["contents"] = render_contents(request.messages, model, losses, preface)
    if tools.tools:
        body["tools"] = tools.tools
    if tools.configuration:
        body["toolConfig"] = tools.configuration
    if generation:
        body["generationConfig"] = generation
    _put_service_tier(body, request, losses)
    return RenderedBody(
        path=provider_path(model_name, dialect, stream=request.stream),
        headers=HEADERS,
        body=encode(body),
        losses=losses.to_tuple(),
    )


def provider_path(model_name: str, dialect: str, *, stream: bool) -> str:
    """Return what follows the base URL, query included."""
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return method_path(model_name, method, dialect)


def method_path(model_name: str, method: str, dialect: str) -> str:
    """Return the path of one of a model's methods.

    Vertex's base URLs hold version, project, location and publisher already.
    """
    name = quote(model_name.rsplit("models/", 1)[-1], safe="-._~")
    version = "" if dialect == VERTEX else "/v1beta"
    return f"{version}/models/{name}:{method}"


def _refuse(request: Request, losses: LossList) -> None:
    """Refuse what the agent would miss in the answer, list what it will not."""
    lose_cache_marks(request, losses)
    shape = request.response_format
    if request.count > 1:
        raise UnsupportedFeature("n", "Detour asks Gemini for one answer a call")
    if request.logprobs is not None:
        raise UnsupportedFeature("logprobs", "most Gemini models do not tell probabilities")
    for extra in request.extras:
        if extra.essential:
            raise UnsupportedFeature(extra.field, "Gemini has no counterpart")
        losses.dropped(extra.field, "Gemini has no counterpart")
    for field, value in (
        ("verbosity", request.verbosity),
        ("user", request.user_id),
        ("response_format.json_schema.description", shape.description if shape else None),
    ):
        if value is not None:
            losses.dropped(field, "Gemini has no counterpart")


class _JsonMode:
    """How the answer's shape is asked for."""

    def __init__(self, fields: dict[str, Any], instruction: str | None = None) -> None:
        self.fields = fields
        """For `generationConfig`."""
        self.instruction = instruction


def _json_mode(request: Request, model: GeminiModel, tools: Tools, losses: LossList) -> _JsonMode:
    wish = request.response_format
    if wish is None or wish.kind == "text":
        return _JsonMode({})
    schema = json_schema(wish.schema) if wish.kind == "json_schema" and wish.schema else None
    if tools.tools and not model.json_with_functions:
        losses.emulated("response_format", "the shape is asked for in the system instruction")
        words = "Answer with one JSON value and nothing else: no prose, no code fence."
        if wish.schema:
            words += f" It must match this JSON Schema:\n{encode_text(wish.schema)}"
        return _JsonMode({}, words)
    if schema is None:
        return _JsonMode({"responseMimeType": "application/json"})
    if schema != wish.schema:
        losses.approximated(
            "response_format.json_schema", "keywords the provider lacks became descriptions"
        )
    return _JsonMode({"responseMimeType": "application/json", "responseJsonSchema": schema})


def _instructions(request: Request, json_mode: _JsonMode) -> list[Wire]:
    parts: list[Wire] = [
        {"text": part.text}
        for message in request.system
        for part in message.parts
        if part.text.strip()
    ]
    if json_mode.instruction is not None:
        parts.append({"text": json_mode.instruction})
    return parts


def _generation(
    request: Request, model: GeminiModel, json_mode: _JsonMode, losses: LossList
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if request.max_output_tokens is not None:
        fields["maxOutputTokens"] = min(request.max_output_tokens, model.max_output_tokens)
        if request.max_output_tokens > model.max_output_tokens:
            limit = model.max_output_tokens
            losses.approximated("max_tokens", f"the model writes at most {limit} tokens")
    _put_sampling(fields, request, model, losses)
    stops = [stop for stop in request.stop if stop]
    if stops:
        fields["stopSequences"] = stops[:_MOST_STOPS]
    if len(stops) > _MOST_STOPS:
        losses.dropped("stop", f"at most {_MOST_STOPS} stop sequences are allowed")
    fields.update(json_mode.fields)
    thinking = render_thinking(request.reasoning, model, losses)
    if thinking:
        fields["thinkingConfig"] = thinking
    return fields


def _put_sampling(
    fields: dict[str, Any], request: Request, model: GeminiModel, losses: LossList
) -> None:
    sampling = request.sampling
    for field, wire, value, least, most in (
        ("temperature", "temperature", sampling.temperature, 0, 2),
        ("top_p", "topP", sampling.top_p, 0, 1),
        ("top_k", "topK", sampling.top_k, 1, _GREATEST_TOP_K),
    ):
        if value is None:
            continue
        if model.sampling:
            fields[wire] = min(max(value, least), most)
            if fields[wire] != value:
                losses.approximated(field, f"Gemini takes {least} to {most}")
        elif value != 1 or field == "top_k":
            losses.dropped(field, "the model has no such setting")
    for field, wire, value in (
        ("presence_penalty", "presencePenalty", sampling.presence_penalty),
        ("frequency_penalty", "frequencyPenalty", sampling.frequency_penalty),
    ):
        if value and model.penalties:
            fields[wire] = value
        elif value:
            losses.dropped(field, "the model has no such setting")
    if sampling.seed is not None:
        if -(2**31) <= sampling.seed < 2**31:
            fields["seed"] = sampling.seed
        else:
            losses.dropped("seed", "Gemini takes 32 bits")


def _put_service_tier(body: dict[str, Any], request: Request, losses: LossList) -> None:
    if request.service_tier in (None, "auto"):
        return
    tier = _SERVICE_TIERS.get(request.service_tier or "")
    if tier is None:
        losses.dropped("service_tier", f"Gemini has no `{request.service_tier}`")
    else:
        body["serviceTier"] = tier
