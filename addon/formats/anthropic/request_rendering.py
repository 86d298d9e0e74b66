"""Write a request: from the hub to `POST /v1/messages`.

Follows https://docs.anthropic.com/en/api/messages. The rendering depends on the request, the
model and the dialect alone: no clock, no randomness, no anchor that moves between turns.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from addon.formats.anthropic.content import Block, cache_control, render_text
from addon.formats.anthropic.models import ClaudeModel, claude_model
from addon.formats.anthropic.structured_output import (
    STRUCTURED_OUTPUT_TOOL,
    StructuredOutput,
    render_structured_output,
)
from addon.formats.anthropic.thinking import Thinking, loop_lacks_thoughts, render_thinking
from addon.formats.anthropic.tools import Tools, render_tools
from addon.formats.anthropic.turns import render_turns
from addon.formats.base import Headers, RenderedBody
from addon.neutral import LossList, Request, UnsupportedFeature
from addon.wire.codec import encode

PATH = "/v1/messages"
VERSION = "2023-06-01"
"""The newer `2026-10-21` refuses sampling parameters on every model and brings nothing we need."""

HEADERS: Headers = (("content-type", "application/json"), ("anthropic-version", VERSION))

_PERSONAL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+?[\d\s().-]{7,}")
_LONGEST_USER_ID = 512
_MOST_BREAKPOINTS = 4
_SERVICE_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def render_request(request: Request, model_name: str) -> RenderedBody:
    """Write a request for the model called `model_name`.

    Raises:
        UnsupportedFeature: It holds content that the API has no way to express.
    """
    losses = LossList()
    model = claude_model(model_name)
    _refuse(request, losses)
    tools = render_tools(request, model, losses)
    output = render_structured_output(request.response_format, model, tools, losses)
    if output.tool is not None:
        tools = Tools([output.tool], {"type": "tool", "name": STRUCTURED_OUTPUT_TOOL})
    thinking = _thinking(request, model, tools, losses)
    if output.output_format is not None:
        model = msgspec.structs.replace(model, prefill=False)  # the two exclude each other

    body: dict[str, Any] = {
        "model": model_name,
        "max_tokens": _max_tokens(request, model, thinking, losses),
    }
    if system := _system(request, output):
        body["system"] = system
    body["messages"] = render_turns(request.messages, model, losses, tools.instruction)
    if tools.tools:
        body["tools"] = tools.tools
    if tools.choice is not None:
        body["tool_choice"] = tools.choice
    if thinking.thinking is not None:
        body["thinking"] = thinking.thinking
    if output_config := _output_config(thinking, output):
        body["output_config"] = output_config
    _put_sampling(body, request, model, thinking, losses)
    _put_cache_control(body, request, model, losses)
    _put_account(body, request, model, losses)
    if request.stream:
        body["stream"] = True
    return RenderedBody(path=PATH, headers=HEADERS, body=encode(body), losses=losses.to_tuple())


def _refuse(request: Request, losses: LossList) -> None:
    """Refuse what the agent would miss in the answer, list what it will not."""
    if request.count > 1:
        raise UnsupportedFeature("n", "Anthropic gives one answer a call")
    if request.logprobs is not None:
        raise UnsupportedFeature("logprobs", "Anthropic does not tell probabilities")
    for extra in request.extras:
        if extra.essential:
            raise UnsupportedFeature(extra.field, "Anthropic has no counterpart")
        losses.dropped(extra.field, "Anthropic has no counterpart")
    if request.response_format is not None and request.response_format.description:
        losses.dropped("response_format.json_schema.description", "Anthropic has no counterpart")
    if request.verbosity is not None:
        losses.dropped("verbosity", "Anthropic has no counterpart")


def _thinking(request: Request, model: ClaudeModel, tools: Tools, losses: LossList) -> Thinking:
    thinking = render_thinking(request.reasoning, model, losses)
    if thinking.budget:
        if tools.forced:
            losses.dropped("reasoning_effort", "the model cannot think when a call is forced")
            return Thinking()
        if loop_lacks_thoughts(request.messages):
            losses.dropped("reasoning_effort", "the thoughts before the open tool calls are gone")
            return Thinking()
    return thinking


def _max_tokens(request: Request, model: ClaudeModel, thinking: Thinking, losses: LossList) -> int:
    limit = model.max_output_tokens
    wanted = request.max_output_tokens
    if wanted is None:
        return limit
    if wanted > limit:
        losses.approximated("max_tokens", f"the model writes at most {limit} tokens")
        return limit
    if wanted <= thinking.budget:
        # OpenAI's limit includes thinking too, but here the budget must stay below it.
        losses.approximated("max_tokens", "raised above the thinking budget")
        return min(wanted + thinking.budget, limit)
    return wanted


def _system(request: Request, output: StructuredOutput) -> list[Block]:
    blocks = [
        render_text(part)
        for message in request.system
        for part in message.parts
        if part.text.strip()
    ]
    if output.system is not None:
        blocks.append({"type": "text", "text": output.system})
    return blocks


def _output_config(thinking: Thinking, output: StructuredOutput) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if thinking.effort is not None:
        configuration["effort"] = thinking.effort
    if output.output_format is not None:
        configuration["format"] = output.output_format
    return configuration


def _put_sampling(
    body: dict[str, Any],
    request: Request,
    model: ClaudeModel,
    thinking: Thinking,
    losses: LossList,
) -> None:
    sampling = request.sampling
    if stop := [sequence for sequence in request.stop if sequence.strip()]:
        body["stop_sequences"] = stop
    if len(stop) < len(request.stop):
        losses.dropped("stop", "blank stop sequences are refused")
    for field, value in (
        ("seed", sampling.seed),
        ("presence_penalty", sampling.presence_penalty or None),
        ("frequency_penalty", sampling.frequency_penalty or None),
    ):
        if value is not None:
            losses.dropped(field, "Anthropic has no counterpart")
    wanted = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }
    given = {field: value for field, value in wanted.items() if value is not None}
    if not model.sampling or thinking.active:
        reason = "not while the model thinks" if model.sampling else "the model refuses it"
        for field, value in given.items():
            if value != 1 or field == "top_k":  # 1 is the default of the other two
                losses.dropped(field, reason)
        return
    temperature = given.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        losses.approximated("temperature", "Anthropic's scale ends at 1")
        given["temperature"] = min(max(temperature, 0.0), 1.0)
    if "temperature" in given and "top_p" in given and not model.both_sampling:
        losses.dropped("top_p", "the model takes temperature or top_p, not both")
        del given["top_p"]
    body.update(given)


def _put_cache_control(
    body: dict[str, Any], request: Request, model: ClaudeModel, losses: LossList
) -> None:
    """Ask for caching, which is opt-in here and implicit at OpenAI.

    The automatic mark is one field of the body and moves no text; without it an agent's loop pays
    for its whole history on every turn.
    """
    marked = _count_marks(body.get("tools", [])) + _count_marks(body.get("system", []))
    for turn in body["messages"]:
        if isinstance(turn["content"], list):
            marked += _count_marks(turn["content"])
    if marked > _MOST_BREAKPOINTS:
        losses.dropped("cache_control", f"at most {_MOST_BREAKPOINTS} marks are allowed")
        _unmark(body, marked - _MOST_BREAKPOINTS)
    if not marked and not model.other_maker:
        body["cache_control"] = cache_control(request.cache_ttl)


def _count_marks(blocks: list[Block]) -> int:
    marks = 0
    for block in blocks:
        if "cache_control" in block:
            marks += 1
    return marks


def _unmark(body: dict[str, Any], surplus: int) -> None:
    """Take the first marks away, in copies: blocks may be those of earlier requests."""

    def without(blocks: list[Block]) -> list[Block]:
        nonlocal surplus
        kept: list[Block] = []
        for block in blocks:
            if surplus and "cache_control" in block:
                surplus -= 1
                block = {key: block[key] for key in block if key != "cache_control"}
            kept.append(block)
        return kept

    for place in ("tools", "system"):
        if place in body:
            body[place] = without(body[place])
    body["messages"] = [
        {**turn, "content": without(turn["content"])} if isinstance(turn["content"], list) else turn
        for turn in body["messages"]
    ]


def _put_account(
    body: dict[str, Any], request: Request, model: ClaudeModel, losses: LossList
) -> None:
    if request.user_id:
        body["metadata"] = {"user_id": _anonymous(request.user_id, losses)}
    if request.service_tier is None or model.other_maker:
        return
    tier = _SERVICE_TIERS.get(request.service_tier)
    if tier is None:
        losses.dropped("service_tier", f"Anthropic has no `{request.service_tier}`")
    else:
        body["service_tier"] = tier


def _anonymous(user_id: str, losses: LossList) -> str:
    """Return an id that names no person, as the API's terms demand."""
    if len(user_id) <= _LONGEST_USER_ID and not _PERSONAL.fullmatch(user_id):
        return user_id
    losses.approximated("user", "sent as a hash: it is personal or too long")
    return hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()
