"""Whether the Gemini API would take a request, and what it would say if not.

The order is the API's: the body's shape first, then the contents, then tools and parameters that
depend on the model. Wording follows the real messages where they are known, because agents match
on them.
"""

from __future__ import annotations

import re
from typing import Any

from addon.embedded.gemini.conversation import check_contents
from addon.embedded.gemini.messages import GENERATE_REQUEST
from addon.embedded.gemini.models import Gemini, find_gemini
from addon.embedded.gemini.schemas import check_json_schema, check_own_schema
from addon.embedded.gemini.signatures import check_signatures
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal

_FUNCTION_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_MOST_FUNCTIONS = 512
_MOST_STOPS = 5
_JSON_TYPE = "application/json"


def check_generate_request(
    body: object, name: str, secret: bytes | None
) -> tuple[dict[str, Any], Gemini, int]:
    """Check a request to `models/NAME:generateContent`.

    Args:
        body: The decoded JSON.
        name: The model's name out of the path.
        secret: What thought signatures are made with; None where they come from elsewhere and only
            their presence can be checked.

    Returns:
        The request in one form (see `protobuf`), its model, and how many of its signatures are
        sentinels.

    Raises:
        Refusal: What the API would answer.
    """
    request = GENERATE_REQUEST(body, "")
    model = model_called(name)
    if "cachedContent" in request:
        raise Refusal("CachedContent not found (or permission denied)", status=403)
    check_contents(request, model)
    _check_tools(request, model)
    generation = request.get("generationConfig", {})
    _check_ranges(generation, model)
    _check_abilities(generation, model)
    _check_thinking(generation.get("thinkingConfig", {}), model)
    _check_output(request, generation, model)
    tokens = estimate_tokens(request)
    if tokens > model.context:
        raise Refusal(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
            f"({model.context})."
        )
    sentinels = check_signatures(request["contents"], name, secret, demanded=model.signs)
    return request, model, sentinels


def model_called(name: str) -> Gemini:
    """Return a model's abilities.

    Raises:
        Refusal: There is none of that name.
    """
    model = find_gemini(name)
    if model is None:
        raise Refusal(
            f"models/{name} is not found for API version v1beta, or is not supported for "
            "generateContent. Call ListModels to see the list of available models and their "
            "supported methods.",
            status=404,
        )
    return model


def _check_tools(request: dict[str, Any], model: Gemini) -> None:
    names: list[str] = []
    others: set[str] = set()
    for index, tool in enumerate(request.get("tools", [])):
        if not tool:
            place = f"tools[{index}].tool_type"
            raise Refusal(
                f"* GenerateContentRequest.{place}: required one_of 'tool_type' must have one "
                "initialized field\n",
                param=place,
            )
        others |= tool.keys() - {"functionDeclarations"}
        for position, function in enumerate(tool.get("functionDeclarations", [])):
            _check_function(function, f"tools[{index}].function_declarations[{position}]")
            names.append(function["name"])
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(f"Duplicate function declaration found: {twice}")
    if len(names) > _MOST_FUNCTIONS:
        raise Refusal(f"At most {_MOST_FUNCTIONS} function declarations are allowed.")
    config = request.get("toolConfig", {})
    if names and others and not model.search_with_functions:
        raise Refusal("Tool use with function calling is unsupported")
    if names and others and not config.get("includeServerSideToolInvocations"):
        raise Refusal(
            "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools "
            "with Function calling."
        )
    if "functionCallingConfig" in config:
        _check_calling(config["functionCallingConfig"], names, model)


def _check_function(function: dict[str, Any], place: str) -> None:
    if not _FUNCTION_NAME.fullmatch(function.get("name", "")):
        raise Refusal(
            f"* GenerateContentRequest.{place}.name: [Invalid function name. Must start with a "
            "letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots "
            "(.), colons (:), or dashes (-), with a maximum length of 128.]\n",
            param=f"{place}.name",
        )
    if "parameters" in function and "parametersJsonSchema" in function:
        raise Refusal(
            f"* GenerateContentRequest.{place}: parameters and parameters_json_schema are "
            "mutually exclusive\n",
            param=place,
        )
    if "parameters" in function:
        check_own_schema(function["parameters"], f"{place}.parameters")
        if function["parameters"]["type"] != "OBJECT":
            raise Refusal(
                f"* GenerateContentRequest.{place}.parameters.type: must be OBJECT\n", param=place
            )
    if "parametersJsonSchema" in function:
        check_json_schema(function["parametersJsonSchema"], f"{place}.parameters_json_schema")


def _check_calling(calling: dict[str, Any], names: list[str], model: Gemini) -> None:
    mode = calling.get("mode", "MODE_UNSPECIFIED")
    if not names and mode != "NONE":
        raise Refusal("Function calling config is set without function_declarations.")
    if mode == "VALIDATED" and not model.validated_calls:
        raise Refusal("Function calling mode VALIDATED is not supported by this model.")
    allowed = calling.get("allowedFunctionNames", [])
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise Refusal(
            "Function calling config: allowed_function_names should only be set when the function "
            "calling mode is ANY or VALIDATED."
        )
    for name in allowed:
        if name not in names:
            raise Refusal(
                f"Function calling config: allowed function name `{name}` is not declared."
            )


def _check_ranges(generation: dict[str, Any], model: Gemini) -> None:
    for field, least, beyond in (
        ("temperature", 0, 2.0001),
        ("topP", 0, 1.0001),
        ("topK", 1, 65),
        ("maxOutputTokens", 1, model.max_output + 1),
        ("candidateCount", 1, 9),
        ("logprobs", 0, 21),
    ):
        value = generation.get(field)
        if value is not None and not least <= value < beyond:
            raise Refusal(
                f"Unable to submit request because it has a {field} value of {value} but the "
                f"supported range is from {least} (inclusive) to {beyond} (exclusive). Update the "
                "value and try again."
            )
    if len(generation.get("stopSequences", [])) > _MOST_STOPS:
        raise Refusal(
            f"Unable to submit request because it has more than {_MOST_STOPS} stopSequences."
        )
    if "" in generation.get("stopSequences", []):
        raise Refusal("Unable to submit request because a stop sequence is empty.")


def _check_abilities(generation: dict[str, Any], model: Gemini) -> None:
    if generation.get("candidateCount", 1) > 1 and not model.several_candidates:
        raise Refusal("Multiple candidates is not enabled for this model")
    if generation.get("responseLogprobs") and not model.logprobs:
        raise Refusal("Logprobs is not enabled for this model.")
    if "logprobs" in generation and not generation.get("responseLogprobs"):
        raise Refusal("logprobs can only be set when response_logprobs is true.")
    if not model.penalties and (
        "presencePenalty" in generation or "frequencyPenalty" in generation
    ):
        raise Refusal("Penalty is not enabled for this model")
    if set(generation.get("responseModalities", [])) & {"IMAGE", "AUDIO", "VIDEO"}:
        raise Refusal("The requested combination of response modalities is not supported.")


def _check_thinking(thinking: dict[str, Any], model: Gemini) -> None:
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if thinking and model.budgets is None:
        raise Refusal("Thinking is not supported by this model.")
    if budget is not None and level is not None:
        raise Refusal("You can only set only one of thinking budget and thinking level.")
    if level is not None and not model.levels:
        raise Refusal("Thinking level is not supported for this model.")
    if level is not None and level not in model.levels:
        raise Refusal(f"Thinking level {level} is not supported for this model.")
    if budget is None or budget == -1 or model.budgets is None:
        return
    least, most = model.budgets
    if budget == 0:
        if not model.can_stop_thinking:
            raise Refusal("Budget 0 is invalid. This model only works in thinking mode.")
        if thinking.get("includeThoughts"):
            raise Refusal("include_thoughts is only enabled when thinking is enabled.")
    elif not least <= budget <= most:
        raise Refusal(
            f"The thinking budget {budget} is invalid. Please choose a value between {least} and "
            f"{most}."
        )


def _check_output(request: dict[str, Any], generation: dict[str, Any], model: Gemini) -> None:
    kind = generation.get("responseMimeType", "text/plain")
    if kind not in ("text/plain", _JSON_TYPE, "text/x.enum"):
        raise Refusal(
            f"* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
            f"`text/plain`, `{_JSON_TYPE}`, `application/xml`, `application/yaml` and "
            "`text/x.enum`.\n"
        )
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in generation]
    if len(schemas) == 2:
        raise Refusal("response_schema and response_json_schema are mutually exclusive.")
    if schemas and kind == "text/plain":
        raise Refusal(
            "* GenerateContentRequest.generation_config.response_schema: only supported when "
            f"response_mime_type is `{_JSON_TYPE}` or `text/x.enum`\n"
        )
    functions = any("functionDeclarations" in tool for tool in request.get("tools", []))
    if kind == _JSON_TYPE and functions and not model.json_with_functions:
        raise Refusal(f"Function calling with a response mime type: '{_JSON_TYPE}' is unsupported")
    if "responseSchema" in generation:
        check_own_schema(generation["responseSchema"], "generation_config.response_schema")
    if "responseJsonSchema" in generation:
        place = "generation_config.response_json_schema"
        check_json_schema(generation["responseJsonSchema"], place)
