"""Whether a strict provider of the Chat format would take a request, and what it would say if not.

Models whose names OpenAI's reasoning families begin with follow those families' rules; every other
name is a model of plain abilities, but for names with `unknown` in them, which do not exist.
"""

from __future__ import annotations

import json
from typing import Any, cast

from addon.embedded.chat.shapes import CHAT_REQUEST
from addon.embedded.openai_front import check_model_exists, checked, unsupported
from addon.embedded.openai_models import NONE_BY_DEFAULT, PLAIN_OPENAI, reasons
from addon.embedded.openai_values import check_data_url, check_format, check_function
from addon.embedded.refusal import Refusal


def check_chat_request(body: object) -> dict[str, Any]:
    """Check a request to `/v1/chat/completions`.

    Raises:
        Refusal: What the API would answer.
    """
    request = checked(body, CHAT_REQUEST)
    check_model_exists(request["model"])
    _check_limits(request)
    if reasons(request["model"]):
        _check_reasoning_model(request)
    elif PLAIN_OPENAI.match(request["model"]) and "reasoning_effort" in request:
        raise unsupported("reasoning_effort")
    _check_tools(request)
    _check_response_format(request)
    _check_messages(request)
    return request


def _check_limits(request: dict[str, Any]) -> None:
    if "max_tokens" in request and "max_completion_tokens" in request:
        raise Refusal(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            code="invalid_parameter_combination",
        )
    if "stream_options" in request and not request.get("stream"):
        raise Refusal(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    if "top_logprobs" in request and not request.get("logprobs"):
        raise Refusal("'logprobs' must be true when 'top_logprobs' is given.", param="top_logprobs")


def _check_reasoning_model(request: dict[str, Any]) -> None:
    model: str = request["model"]
    if "max_tokens" in request:
        raise Refusal(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    effort = request.get("reasoning_effort")
    if effort == "max":
        raise Refusal(
            f"Unsupported value: 'reasoning_effort' does not support 'max' with {model}.",
            param="reasoning_effort",
            code="unsupported_value",
        )
    if model.startswith("gpt-5.6") and request.get("tools") and effort != "none":
        raise Refusal(
            f"Function tools with reasoning_effort are not supported for {model} in "
            "/v1/chat/completions. Please use /v1/responses instead.",
            param="reasoning_effort",
        )
    if effort == "none" or (effort is None and NONE_BY_DEFAULT.match(model)):
        return
    for name, neutral in (
        ("temperature", 1),
        ("top_p", 1),
        ("presence_penalty", 0),
        ("frequency_penalty", 0),
    ):
        if request.get(name, neutral) != neutral:
            raise Refusal(
                f"Unsupported value: '{name}' does not support {request[name]} with this model. "
                f"Only the default ({neutral}) value is supported.",
                param=name,
                code="unsupported_value",
            )
    for name in ("logprobs", "top_logprobs", "logit_bias", "stop"):
        if request.get(name):
            raise unsupported(name)


def _check_tools(request: dict[str, Any]) -> None:
    tools = cast("list[dict[str, Any]]", request.get("tools", []))
    names = [tool[tool["type"]]["name"] for tool in tools]
    functions = [tool["function"] for tool in tools if tool["type"] == "function"]
    for function in [*functions, *request.get("functions", [])]:
        check_function(function)
    if not tools:
        for name in ("tool_choice", "parallel_tool_calls"):
            if name in request:
                raise Refusal(
                    f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are "
                    "specified.",
                    param=name,
                )
        return
    choice = request.get("tool_choice", "auto")
    if not isinstance(choice, dict):
        return
    chosen = cast("dict[str, Any]", choice)
    wanted = (
        [tool[tool["type"]]["name"] for tool in chosen["allowed_tools"]["tools"]]
        if chosen["type"] == "allowed_tools"
        else [chosen[chosen["type"]]["name"]]
    )
    for name in wanted:
        if name not in names:
            raise Refusal(
                f"Invalid value for 'tool_choice': tool '{name}' not found in 'tools'.",
                param="tool_choice",
            )


def _check_response_format(request: dict[str, Any]) -> None:
    form = request.get("response_format", {"type": "text"})
    if form["type"] == "json_object" and "json" not in json.dumps(request["messages"]).lower():
        raise Refusal(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            param="messages",
        )
    if form["type"] != "json_schema" or "schema" not in form["json_schema"]:
        return
    wanted = form["json_schema"]
    check_format(wanted, "response_format")


def _check_messages(request: dict[str, Any]) -> None:
    waiting: dict[str, int] = {}
    for index, message in enumerate(request["messages"]):
        role = message["role"]
        if role == "tool":
            if message["tool_call_id"] not in waiting:
                raise Refusal(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            del waiting[message["tool_call_id"]]
            continue
        if waiting:
            raise _unanswered(waiting)
        if role == "assistant":
            waiting = _check_assistant(message, index)
        elif role == "user" and isinstance(message["content"], list):
            for part in cast("list[dict[str, Any]]", message["content"]):
                _check_part(part, f"messages[{index}].content")
    if waiting:
        raise _unanswered(waiting)


def _unanswered(waiting: dict[str, int]) -> Refusal:
    return Refusal(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(waiting),
        param=f"messages.[{next(iter(waiting.values()))}].role",
    )


def _check_assistant(message: dict[str, Any], index: int) -> dict[str, int]:
    """Return the ids of the calls that want a tool message next."""
    calls = cast("list[dict[str, Any]]", message.get("tool_calls") or [])
    said = message.get("content") is not None or message.get("refusal") or message.get("audio")
    if not calls and not said and not message.get("function_call"):
        raise Refusal(
            f"Invalid value for 'messages[{index}].content': expected a string, got null.",
            param=f"messages[{index}].content",
        )
    return {call["id"]: index for call in calls}


def _check_part(part: dict[str, Any], param: str) -> None:
    match part["type"]:
        case "image_url":
            url: str = part["image_url"]["url"]
            if not url.startswith(("https://", "http://")):
                check_data_url(url, f"{param}.image_url", ("data:image/",))
        case "file" if "file_data" in part["file"]:
            check_data_url(part["file"]["file_data"], f"{param}.file", ("data:",))
        case "file" if "file_id" not in part["file"]:
            raise Refusal("Missing required parameter: 'file_id' or 'file_data'.", param=param)
        case _:
            pass
