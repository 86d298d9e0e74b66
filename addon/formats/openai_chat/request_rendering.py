"""Write a request of `POST /chat/completions` for one provider and model.

The result depends on the arguments alone, and the messages come last in the body: a longer
conversation begins with the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from addon.formats.base import Headers, RenderedBody
from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.content_rendering import Block, ContentRenderer
from addon.formats.openai_chat.dialects import OPENAI_ONLY, Dialect, dialect
from addon.formats.openai_chat.message_rendering import MessageRenderer
from addon.formats.openai_chat.reasoning import render_reasoning
from addon.formats.openai_chat.structured_output import render_response_format
from addon.formats.openai_chat.tool_rendering import RenderedTools, render_tools
from addon.neutral import LossList, Request, UnsupportedFeature
from addon.wire.codec import encode
from addon.wire.openai_models import openai_model
from addon.wire.unexpressed import lose_cache_marks

PATH = "/chat/completions"
HEADERS: Headers = (("content-type", "application/json"),)

_LONGEST_USER_ID = 64
_NO_MESSAGES: Block = {"role": "user", "content": "(empty)"}


def render_request(request: Request, model: str, dialect_name: str) -> RenderedBody:
    """Write a request.

    Raises:
        UnsupportedFeature: It holds content that the format has no way to express.
    """
    losses = LossList()
    provider = dialect(dialect_name)
    _refuse(request, provider)
    content = ContentRenderer(provider, model, losses)
    messages = MessageRenderer(content, losses)
    if not content.takes_markers:
        lose_cache_marks(request, losses)
    tools = render_tools(request, content, model, losses)
    output = render_response_format(request, provider, bool(tools.tools), losses)

    body: dict[str, Any] = {"model": model}
    if request.stream:
        body["stream"] = True
        if provider.stream_options:
            body["stream_options"] = {"include_usage": True}
    _put_limit(body, request, provider, losses)
    reasoning = render_reasoning(
        provider,
        model,
        request.reasoning,
        losses,
        forced=tools.forced,
        tools=bool(tools.tools),
    )
    body |= reasoning
    _put_sampling(body, request, model, provider, losses)
    if output.response_format is not None:
        body["response_format"] = output.response_format
    _put_account(body, request, model, provider, losses)
    _put_extras(body, request, provider, losses)
    _put_tools(body, tools)
    system = messages.system(request.system, output.instruction)
    body["messages"] = [*system, *messages.conversation(request.messages)] or [_NO_MESSAGES]
    return RenderedBody(path=PATH, headers=HEADERS, body=encode(body), losses=losses.to_tuple())


def _refuse(request: Request, provider: Dialect) -> None:
    """Refuse what the agent would miss in the answer."""
    if request.count > 1 and not provider.several_answers:
        raise UnsupportedFeature("n", "the provider gives one answer a call")
    if request.logprobs is not None and "logprobs" in provider.refused:
        raise UnsupportedFeature("logprobs", "the provider does not tell probabilities")


def _put_limit(body: Block, request: Request, provider: Dialect, losses: LossList) -> None:
    limit = request.max_output_tokens
    if limit is None:
        return
    most = provider.most_output_tokens
    if most is not None and limit > most:
        losses.approximated("max_tokens", f"the provider writes at most {most} tokens")
        limit = most
    body[provider.max_tokens_name] = limit


def _put_sampling(
    body: Block, request: Request, model: str, provider: Dialect, losses: LossList
) -> None:
    sampling = request.sampling
    wanted: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop": list(request.stop) or None,
        "n": request.count if request.count > 1 else None,
        "logprobs": True if request.logprobs is not None else None,
        "top_logprobs": request.logprobs.top if request.logprobs is not None else None,
    }
    refused = set(provider.refused) | refused_by_model(model, provider, body)
    if not provider.top_k:
        refused.add("top_k")
    for field, value in wanted.items():
        if value is None:
            continue
        if field in refused or (field == "top_p" and not 0 < value <= 1):
            losses.dropped(field, "the model refuses it")
        else:
            name = provider.seed_name if field == "seed" else field
            body[name] = limited(field, value, provider, losses)


def refused_by_model(model: str, provider: Dialect, body: Block) -> set[str]:
    """Name the parameters that a thinking model refuses, given how long it is to think."""
    if provider.effort == "grok":
        thinks = "non-reasoning" not in model and "grok-2" not in model
        names = ("stop", "presence_penalty", "frequency_penalty", "logit_bias")
        return set(names) if thinks else set()
    if provider.effort != "openai":
        return set()
    family = openai_model(model)
    refused: set[str] = set() if family.verbosity else {"verbosity"}
    if not family.reasoning:
        return refused
    refused |= {"stop", "presence_penalty", "frequency_penalty", "logit_bias"}
    effort = body.get("reasoning_effort", family.default_effort)
    if family.sampling == "never" or effort != "none":
        refused |= {"temperature", "top_p", "logprobs", "top_logprobs"}
    return refused


def limited(field: str, value: Any, provider: Dialect, losses: LossList) -> Any:  # noqa: ANN401 - any JSON
    """Return the nearest value that the provider takes."""
    if field == "temperature" and value > provider.hottest:
        losses.approximated(field, f"the provider takes at most {provider.hottest:g}")
        return provider.hottest
    if field == "stop" and provider.stop_limit is not None and len(value) > provider.stop_limit:
        losses.approximated(field, f"the provider takes at most {provider.stop_limit}")
        return value[: provider.stop_limit]
    return value


def _put_account(
    body: Block, request: Request, model: str, provider: Dialect, losses: LossList
) -> None:
    if request.service_tier is not None:
        if request.service_tier in provider.service_tiers:
            body["service_tier"] = request.service_tier
        else:
            losses.dropped("service_tier", "the provider has no such tier")
    if request.verbosity is not None:
        refused = "verbosity" in refused_by_model(model, provider, body)
        if provider.verbosity and not refused:
            body["verbosity"] = request.verbosity
        else:
            losses.dropped("verbosity", "the model has no such setting")
    if request.user_id is not None:
        if provider.user_name == "none":
            losses.dropped("user", "the provider does not ask who is behind a call")
        else:
            body[provider.user_name] = _user_id(request.user_id)


def _user_id(user_id: str) -> str:
    if len(user_id) <= _LONGEST_USER_ID:
        return user_id
    return hashlib.sha256(user_id.encode()).hexdigest()


def _put_extras(body: Block, request: Request, provider: Dialect, losses: LossList) -> None:
    """Pass on what only Chat has words for, to those who know them."""
    own = request.source_format == NAME
    for extra in request.extras:
        if own and extra.field in OPENAI_ONLY - provider.refused:
            body[extra.field] = extra.value
        elif extra.essential:
            raise UnsupportedFeature(extra.field, "the provider has no counterpart")
        else:
            losses.dropped(extra.field, "the provider has no counterpart")


def _put_tools(body: Block, tools: RenderedTools) -> None:
    if tools.tools:
        body["tools"] = tools.tools
    if tools.choice is not None:
        body["tool_choice"] = tools.choice
    body |= tools.fields
