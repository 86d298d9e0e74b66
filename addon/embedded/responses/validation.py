"""Whether the Responses API would take a request, and what it would say if not."""

from __future__ import annotations

import json
from typing import Any, cast

from addon.embedded.openai_front import checked, unsupported
from addon.embedded.openai_models import NONE_BY_DEFAULT, PLAIN_OPENAI, reasons
from addon.embedded.openai_values import check_format, check_function
from addon.embedded.refusal import Refusal
from addon.embedded.responses.items import Item, check_items
from addon.embedded.responses.shapes import RESPONSES_REQUEST
from addon.embedded.responses.store import ResponseStore


def check_responses_request(
    body: object, store: ResponseStore, secret: bytes | None
) -> tuple[dict[str, Any], list[Item]]:
    """Check a request to `/v1/responses`.

    Args:
        body: The decoded JSON.
        store: What the API remembers.
        secret: What reasoning is sealed with; None where it comes from elsewhere.

    Returns:
        The request without its nulls, and the whole conversation: what is remembered, then what
        the request brings, references resolved.

    Raises:
        Refusal: What the API would answer.
    """
    request = checked(body, RESPONSES_REQUEST)
    _check_model(request)
    for name in ("background", "conversation", "prompt"):
        if request.get(name):
            raise unsupported(name, "by this provider")
    if reasons(request["model"]):
        _check_reasoning_model(request)
    elif PLAIN_OPENAI.match(request["model"]) and request.get("reasoning", {}).get("effort"):
        raise unsupported("reasoning.effort")
    _check_tools(request)
    conversation = _conversation(request, store)
    _check_format(request, conversation)
    check_items(conversation, request["model"], store, secret)
    return request, conversation


def _check_model(request: dict[str, Any]) -> None:
    if "model" not in request:
        raise Refusal(
            "Missing required parameter: 'model'.", param="model", code="missing_required_parameter"
        )
    if "unknown" in request["model"]:
        raise Refusal(
            f"The requested model '{request['model']}' does not exist.",
            param="model",
            code="model_not_found",
        )


def _check_reasoning_model(request: dict[str, Any]) -> None:
    effort = request.get("reasoning", {}).get("effort")
    if effort == "none" or (effort is None and NONE_BY_DEFAULT.match(request["model"])):
        return
    for name in ("temperature", "top_p"):
        if request.get(name, 1) != 1:
            raise unsupported(name)
    if request.get("top_logprobs"):
        raise unsupported("top_logprobs")


def format_of(request: dict[str, Any]) -> dict[str, Any]:
    """Return the form that the answer's text must have."""
    text: dict[str, Any] = request.get("text", {})
    return text.get("format") or {"type": "text"}


def functions_of(tools: list[Item]) -> list[tuple[str, Item]]:
    """Return the functions and custom tools among tools, with the namespace each stands in."""
    found: list[tuple[str, Item]] = []
    for tool in tools:
        if tool["type"] == "namespace":
            found += [(tool["name"], inner) for inner in tool["tools"]]
        elif tool["type"] in ("function", "custom"):
            found.append(("", tool))
    return found


def _check_tools(request: dict[str, Any]) -> None:
    tools = functions_of(request.get("tools", []))
    names = [(space, tool["name"]) for space, tool in tools]
    for _, tool in tools:
        if tool["type"] == "function":
            check_function(tool)
    for name in names:
        if names.count(name) > 1:
            raise Refusal(f"Duplicate tool name '{name[1]}' in 'tools'.", param="tools")
    choice = request.get("tool_choice", "auto")
    if isinstance(choice, str):
        if choice == "required" and not request.get("tools"):
            raise Refusal(
                "Tool choice 'required' must be specified with 'tools' parameter.",
                param="tool_choice",
            )
        return
    chosen = cast("dict[str, Any]", choice)
    wanted = chosen["tools"] if chosen["type"] == "allowed_tools" else [chosen]
    for one in wanted:
        if "name" in one and one["name"] not in [name for _, name in names]:
            raise Refusal(
                f"Tool choice '{one['name']}' not found in 'tools' parameter.",
                param="tool_choice",
            )


def _conversation(request: dict[str, Any], store: ResponseStore) -> list[Item]:
    given = request.get("input", [])
    items: list[Item] = (
        [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    )
    resolved = [
        store.resolve(item["id"]) if item.get("type") == "item_reference" else item
        for item in items
    ]
    if "previous_response_id" in request:
        return [*store.history(request["previous_response_id"]), *resolved]
    return resolved


def _check_format(request: dict[str, Any], conversation: list[Item]) -> None:
    form = format_of(request)
    if form["type"] == "json_schema":
        check_format(form, "text.format.schema")
    told = json.dumps([conversation, request.get("instructions")]).lower()
    if form["type"] == "json_object" and "json" not in told:
        raise Refusal(
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'.",
            param="input",
        )
