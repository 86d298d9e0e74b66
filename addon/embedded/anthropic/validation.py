"""Whether the Anthropic API would take a Messages request, and what it would say if not.

The order is the API's: the body's shape first, then the model, then parameters that depend on the
model, then the conversation as a whole. Wording follows the real messages where they are known,
because agents match on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from addon.embedded.anthropic.conversation import check_conversation
from addon.embedded.anthropic.models import Claude, find_claude
from addon.embedded.anthropic.shapes import CUSTOM_TOOL, SERVER_TOOLS, count_shape, create_shape
from addon.embedded.prefix import blocks_of, chain
from addon.embedded.refusal import Refusal
from addon.embedded.schema_rules import ANTHROPIC_STRICT, check_schema, check_strict_schema
from addon.embedded.shapes import Path, ShapeError

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
NEWEST_VERSION = "2026-10-21"
MOST_BREAKPOINTS = 4
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_messages_request(
    body: object, headers: Mapping[str, str], secret: bytes, *, counting: bool = False
) -> tuple[dict[str, Any], Claude]:
    """Check a request to `/v1/messages` (or to its `count_tokens`) and name its model.

    Args:
        body: The decoded JSON.
        headers: Lower-case names.
        secret: What thinking signatures are made with.
        counting: Whether tokens are to be counted only.

    Raises:
        Refusal: What the API would answer.
    """
    version = headers.get("anthropic-version")
    if version is None:
        raise Refusal("anthropic-version: header is required")
    if version not in VERSIONS:
        raise Refusal(f'anthropic-version: "{version}" is not a valid version')
    beta = "anthropic-beta" in headers
    try:
        (count_shape if counting else create_shape)(beta=beta)(body, ())
    except ShapeError as error:
        raise Refusal(describe(error)) from error
    request = cast("dict[str, Any]", body)
    model = find_claude(request["model"])
    if model is None:
        raise Refusal(f"model: {request['model']}", status=404, kind="not_found_error")
    _check_limits(request, model)
    _check_sampling(request, model, version)
    _check_thinking(request, model, headers.get("anthropic-beta", ""))
    _check_output_config(request, model)
    _check_tools(request, model)
    _check_breakpoints(request, headers.get("anthropic-beta", ""))
    check_conversation(request, model, version == NEWEST_VERSION, secret)
    tokens = chain(request)[-1].tokens
    if tokens > model.context:
        raise Refusal(f"prompt is too long: {tokens} tokens > {model.context} maximum")
    return request, model


def describe(error: ShapeError) -> str:
    """Say what is wrong as the API's own validator does."""
    match error.problem:
        case "missing":
            words = "Field required"
        case "unknown":
            words = "Extra inputs are not permitted"
        case "type":
            noun = "dictionary" if error.expected == "object" else error.expected
            words = f"Input should be a valid {noun}"
        case "value" if error.path[-1:] == ("type",) and error.expected.startswith("one of"):
            words = (
                f"Input tag {error.value!r} found using 'type' does not match any of the expected "
                f"tags: {error.expected.removeprefix('one of ')}"
            )
        case "value":
            words = f"Input should be {error.expected}"
    return f"{'.'.join(map(str, _spoken(error.path)))}: {words}"


def _spoken(path: Path) -> Path:
    return path or ("body",)


def _check_limits(request: dict[str, Any], model: Claude) -> None:
    if not request["messages"]:
        raise Refusal("messages: at least one message is required")
    limit: int = request.get("max_tokens", 0)
    if limit > model.max_output:
        raise Refusal(
            f"max_tokens: {limit} > {model.max_output}, which is the maximum allowed number of "
            f"output tokens for {request['model']}"
        )
    for sequence in request.get("stop_sequences", []):
        if not sequence.strip():
            raise Refusal("stop_sequences: each stop sequence must contain non-whitespace")
    user = request.get("metadata", {}).get("user_id")
    if user and _EMAIL.fullmatch(user):
        raise Refusal("metadata.user_id: user_id appears to contain an email address")
    if request.get("speed") == "fast" and not model.fast:
        raise Refusal(f"speed: 'fast' is not supported on {request['model']}")
    for block in blocks_of(request.get("system")):
        if not block["text"].strip():
            raise Refusal("system: text content blocks must be non-empty")


def _check_sampling(request: dict[str, Any], model: Claude, version: str) -> None:
    given = [name for name in ("temperature", "top_p", "top_k") if name in request]
    if not given:
        return
    if version == NEWEST_VERSION:
        raise Refusal(f"{given[0]}: not supported as of anthropic-version {NEWEST_VERSION}")
    if not model.sampling:
        raise Refusal(f"`{given[0]}` is not supported on {request['model']}")
    if "temperature" in given and "top_p" in given:
        raise Refusal(
            "`temperature` and `top_p` cannot both be specified for this model. "
            "Please use only one."
        )
    if request.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        if request.get("temperature", 1) != 1:
            raise Refusal(
                "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
            )
        if request.get("top_p", 1) < 0.95:
            raise Refusal(
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
            )
        if "top_k" in given:
            raise Refusal("`top_k` must be unset when thinking is enabled.")


def _check_thinking(request: dict[str, Any], model: Claude, betas: str) -> None:
    thinking = request.get("thinking")
    if thinking is None:
        return
    kind = thinking["type"]
    if kind not in model.thinking:
        raise Refusal(f"thinking.type: '{kind}' is not supported on {request['model']}")
    if kind == "enabled" and thinking["budget_tokens"] >= request.get("max_tokens", 1 << 32):
        raise Refusal(
            "`max_tokens` must be greater than `thinking.budget_tokens`. "
            "Please consult the documentation on extended thinking."
        )
    if "block_binding" in thinking and "thinking-binding-controls" not in betas:
        raise Refusal("thinking.adaptive.block_binding: Extra inputs are not permitted")
    if thinking.get("display") == "updates" and "thinking-display-updates" not in betas:
        raise Refusal("thinking.adaptive.display: Input should be 'summarized' or 'omitted'")


def _check_output_config(request: dict[str, Any], model: Claude) -> None:
    configuration = request.get("output_config", {})
    effort = configuration.get("effort")
    if effort is not None:
        if not model.efforts:
            raise Refusal("This model does not support the effort parameter.")
        if effort not in model.efforts:
            raise Refusal(
                f"output_config.effort: '{effort}' is not supported on {request['model']}. "
                f"Supported values: {', '.join(model.efforts)}"
            )
    kind = request.get("thinking", {}).get("type")
    high = effort in ("xhigh", "max")
    if kind == "disabled" and model.disabling_needs_high_effort_or_less and high:
        raise Refusal(f"thinking.type: 'disabled' is not supported with effort '{effort}'")
    if kind == "between_tools" and high:
        raise Refusal(f"thinking.type: 'between_tools' is not supported with effort '{effort}'")
    form = configuration.get("format")
    if form is not None:
        check_strict_schema(form["schema"], "output_config.format.schema", ANTHROPIC_STRICT)
        if request["messages"][-1]["role"] == "assistant":
            raise Refusal("output_config.format: prefill is not supported with structured outputs")
        if any(_cites(block) for _, block in _message_blocks(request)):
            raise Refusal("output_config.format: citations cannot be used with structured outputs")


def _cites(block: dict[str, Any]) -> bool:
    citations = block.get("citations")
    return isinstance(citations, dict) and bool(cast("dict[str, Any]", citations).get("enabled"))


def _check_tools(request: dict[str, Any], model: Claude) -> None:
    tools = cast("list[dict[str, Any]]", request.get("tools", []))
    names: set[str] = set()
    for index, tool in enumerate(tools):
        _check_tool(tool, index)
        if tool["name"] in names:
            raise Refusal("tools: Tool names must be unique.")
        names.add(tool["name"])
    if tools and all(tool.get("defer_loading") for tool in tools):
        raise Refusal("tools: At least one tool must have defer_loading=false.")
    choice = request.get("tool_choice")
    if choice is not None:
        if not tools:
            raise Refusal("tool_choice: may only be specified while providing tools.")
        _check_tool_choice(choice, names, request, model)


def _check_tool(tool: dict[str, Any], index: int) -> None:
    kind = tool.get("type") or "custom"
    path = f"tools.{index}.{kind}"
    if kind in SERVER_TOOLS:
        if tool.get("name") != SERVER_TOOLS[kind]:
            raise Refusal(f"{path}.name: Input should be '{SERVER_TOOLS[kind]}'")
        return
    if kind != "custom":
        raise Refusal(
            f"tools.{index}: Input tag {kind!r} found using 'type' does not match any of the "
            "expected tags"
        )
    try:
        CUSTOM_TOOL(tool, ("tools", index, "custom"))
    except ShapeError as error:
        raise Refusal(describe(error)) from error
    schema = cast("dict[str, Any]", tool["input_schema"])
    if "type" not in schema:
        raise Refusal(f"{path}.input_schema.type: Field required")
    if schema["type"] != "object":
        raise Refusal(f"{path}.input_schema.type: Input should be 'object'")
    if any(keyword in schema for keyword in ("oneOf", "allOf", "anyOf")):
        raise Refusal(
            f"{path}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the "
            "top level"
        )
    check_schema(schema, f"{path}.input_schema")
    if tool.get("strict"):
        check_strict_schema(schema, f"{path}.input_schema", ANTHROPIC_STRICT)


def _check_tool_choice(
    choice: dict[str, Any], names: set[str], request: dict[str, Any], model: Claude
) -> None:
    if choice["type"] == "tool" and choice["name"] not in names:
        raise Refusal(f"Tool '{choice['name']}' not found in provided tools")
    if choice["type"] not in ("any", "tool"):
        return
    if not model.forced_tools:
        raise Refusal(
            f"tool_choice: '{choice['type']}' is not supported on {request['model']}; "
            "use 'auto' or 'none'"
        )
    if request.get("thinking", {}).get("type") == "enabled":
        raise Refusal("Thinking may not be enabled when tool_choice forces tool use.")


def _message_blocks(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, message in enumerate(request["messages"]):
        for place, block in enumerate(blocks_of(message["content"])):
            path = f"messages.{index}.content.{place}"
            yield path, block
            if block["type"] == "tool_result":
                for inner in blocks_of(block.get("content")):
                    yield path, inner


def _prompt_blocks(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, tool in enumerate(request.get("tools", [])):
        yield f"tools.{index}", tool
    for index, block in enumerate(blocks_of(request.get("system"))):
        yield f"system.{index}", block
    yield from _message_blocks(request)


def _check_breakpoints(request: dict[str, Any], beta: str) -> None:
    marks = [
        (path, block["cache_control"], block)
        for path, block in _prompt_blocks(request)
        if block.get("cache_control")
    ]
    short_lived_seen = False
    for path, mark, _ in marks:
        if "scope" in mark and "prompt-caching-scope" not in beta:
            raise Refusal(f"{path}.cache_control.scope: Extra inputs are not permitted")
        if mark.get("ttl") == "1h" and short_lived_seen:
            raise Refusal(
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
                "ttl='5m' cache_control block. Note that blocks are processed in the following "
                "order: `tools`, `system`, `messages`."
            )
        short_lived_seen |= mark.get("ttl", "5m") == "5m"
    count = len(marks)
    automatic = request.get("cache_control")
    if automatic:
        last = list(_prompt_blocks(request))[-1][1]
        explicit = last.get("cache_control")
        if explicit and explicit.get("ttl", "5m") != automatic.get("ttl", "5m"):
            raise Refusal("cache_control.ttl: differs from the ttl of the last block's own mark")
        if not explicit and short_lived_seen and automatic.get("ttl") == "1h":
            raise Refusal("cache_control.ttl: a ttl='1h' mark must not come after a ttl='5m' mark")
        count += not explicit
    if count > MOST_BREAKPOINTS:
        raise Refusal(
            f"A maximum of {MOST_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {count}."
        )
