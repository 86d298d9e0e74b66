"""Write a request of `POST /responses` for one provider and model.

The result depends on the arguments alone, and the items come last in the body: a longer
conversation begins with the same bytes. Nothing is left at the provider (`store` is false): the
history is the agent's, and thoughts travel encrypted.
"""

from __future__ import annotations

import hashlib
from typing import Any

from addon.formats.base import Headers, RenderedBody
from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.content_rendering import Block
from addon.formats.openai_responses.dialects import Dialect, dialect
from addon.formats.openai_responses.item_rendering import EMPTY_MESSAGE, ItemRenderer
from addon.formats.openai_responses.request_parsing import ENCRYPTED
from addon.formats.openai_responses.tool_rendering import render_tools
from addon.neutral import (
    Effort,
    LossList,
    ReasoningConfig,
    Request,
    ResponseFormat,
    UnsupportedFeature,
)
from addon.wire.codec import encode
from addon.wire.openai_models import OpenAIModel, openai_model
from addon.wire.openai_requests import EFFORTS
from addon.wire.tool_schemas import is_strict
from addon.wire.unexpressed import lose_cache_marks

PATH = "/responses"
HEADERS: Headers = (("content-type", "application/json"),)

_LONGEST_USER_ID = 64
_EFFORT_FROM_BUDGET: tuple[tuple[int, Effort], ...] = (
    (2048, "low"),
    (8192, "medium"),
    (24_576, "high"),
)
_NO_COUNTERPART = "the API has no counterpart"


def render_request(request: Request, model: str, dialect_name: str) -> RenderedBody:
    """Write a request.

    Raises:
        UnsupportedFeature: It holds content that the format has no way to express.
    """
    losses = LossList()
    provider = dialect(dialect_name)
    _refuse(request)
    lose_cache_marks(request, losses)
    items = ItemRenderer(provider, losses)
    instructions, system = items.system(request.system)
    tools = render_tools(request, provider, losses)
    family = openai_model(model)

    body: dict[str, Any] = {"model": model}
    if request.stream:
        body["stream"] = True
    if provider.store:
        body["store"] = False
    if provider.encrypted and (family.reasoning or dialect_name != "openai"):
        body["include"] = [ENCRYPTED]
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(request.max_output_tokens, provider.least_output)
    if reasoning := _reasoning(request.reasoning, provider, family, losses):
        body["reasoning"] = reasoning
    _put_sampling(body, request, provider, family, losses)
    _put_text(body, request, provider, family, losses)
    _put_account(body, request, provider, losses)
    _put_extras(body, request, provider, losses)
    if instructions is not None:
        body["instructions"] = instructions
    if tools.tools:
        body["tools"] = tools.tools
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
    if tools.choice is not None:
        body["tool_choice"] = tools.choice
    body["input"] = [*system, *items.conversation(request.messages)] or [EMPTY_MESSAGE]
    return RenderedBody(path=PATH, headers=HEADERS, body=encode(body), losses=losses.to_tuple())


def _refuse(request: Request) -> None:
    """Refuse what the agent would miss in the answer."""
    if request.count > 1:
        raise UnsupportedFeature("n", "the API gives one answer a call")
    if request.logprobs is not None:
        raise UnsupportedFeature("logprobs", "probabilities are not translated")


def _reasoning(
    config: ReasoningConfig | None, provider: Dialect, family: OpenAIModel, losses: LossList
) -> Block:
    if config is None:
        return {}
    wish: Block = {}
    effort = _effort(config)
    if provider.store and provider.summaries and family.reasoning and effort is not None:
        effort = _nearest(effort, family.efforts, losses)
    elif effort is not None and not family.efforts:
        losses.dropped("reasoning_effort", "the model does not think")
        return {}
    if effort is not None:
        wish["effort"] = effort
    shown = config.visible if config.visible is not None else config.enabled
    if shown and provider.summaries and family.efforts and effort != "none":
        wish["summary"] = "auto"
    return wish


def _effort(config: ReasoningConfig) -> Effort | None:
    if config.effort is not None:
        return config.effort
    if config.enabled is False:
        return "none"
    budget = config.budget_tokens
    if budget is None:
        return None
    for most, effort in _EFFORT_FROM_BUDGET:
        if budget <= most:
            return effort
    return "xhigh"


def _nearest(effort: Effort, allowed: tuple[Effort, ...], losses: LossList) -> Effort | None:
    """Return the allowed effort that comes nearest, from below if there is one."""
    if effort in allowed:
        return effort
    thinking: list[Effort] = [known for known in allowed if known != "none"]
    if not thinking:
        losses.dropped("reasoning_effort", "the model takes none")
        return None
    chosen = thinking[0]
    for known in thinking:
        if EFFORTS.index(known) <= EFFORTS.index(effort):
            chosen = known
    losses.approximated("reasoning_effort", f"`{effort}` as `{chosen}`")
    return chosen


def _put_sampling(
    body: Block, request: Request, provider: Dialect, family: OpenAIModel, losses: LossList
) -> None:
    sampling = request.sampling
    for field, value in (
        ("stop", list(request.stop) or None),
        ("top_k", sampling.top_k),
        ("seed", sampling.seed),
        ("presence_penalty", sampling.presence_penalty or None),
        ("frequency_penalty", sampling.frequency_penalty or None),
    ):
        if value is not None:
            losses.dropped(field, _NO_COUNTERPART)
    effort = body.get("reasoning", {}).get("effort", family.default_effort)
    thinks = family.reasoning and (family.sampling == "never" or effort != "none")
    for field, value, most in (
        ("temperature", sampling.temperature, 2),
        ("top_p", sampling.top_p, 1),
    ):
        if value is None:
            continue
        if thinks:
            losses.dropped(field, "the model refuses it")
        elif 0 <= value <= most:
            body[field] = value
        else:
            losses.dropped(field, f"the scale goes from 0 to {most}")


def _put_text(
    body: Block, request: Request, provider: Dialect, family: OpenAIModel, losses: LossList
) -> None:
    words: Block = {}
    if request.response_format is not None and request.response_format.kind != "text":
        words["format"] = _format(request.response_format, losses)
    if request.verbosity is not None:
        if provider.verbosity and family.verbosity:
            words["verbosity"] = request.verbosity
        else:
            losses.dropped("verbosity", "the model has no such setting")
    if words:
        body["text"] = words


def _format(wish: ResponseFormat, losses: LossList) -> Block:
    if wish.kind == "json_object":
        return {"type": "json_object"}
    schema = wish.schema or {"type": "object"}
    strict = wish.strict is not False and is_strict(schema)
    if wish.strict and not strict:
        losses.approximated("response_format", "the answer follows the schema without a guarantee")
    block: Block = {
        "type": "json_schema",
        "name": wish.name or "output",
        "schema": schema,
        "strict": strict,
    }
    if wish.description:
        block["description"] = wish.description
    return block


def _put_account(body: Block, request: Request, provider: Dialect, losses: LossList) -> None:
    if request.service_tier is not None:
        if request.service_tier in provider.service_tiers:
            body["service_tier"] = request.service_tier
        else:
            losses.dropped("service_tier", "the provider has no such tier")
    if request.user_id is not None and provider.user_name is not None:
        body[provider.user_name] = _user_id(request.user_id)
    elif request.user_id is not None:
        losses.dropped("user", "the provider does not ask who is behind a call")


def _user_id(user_id: str) -> str:
    if len(user_id) <= _LONGEST_USER_ID:
        return user_id
    return hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()


def _put_extras(body: Block, request: Request, provider: Dialect, losses: LossList) -> None:
    """Pass on what only this format has words for, to those who know them all."""
    own = request.source_format == NAME and provider.custom_tools
    for extra in request.extras:
        if extra.essential:
            raise UnsupportedFeature(extra.field, _NO_COUNTERPART)
        if own and "." not in extra.field and extra.field != "store":
            body[extra.field] = extra.value
        else:
            losses.dropped(extra.field, _NO_COUNTERPART)
