"""The Responses request, transcribed into shapes.

Page followed: https://platform.openai.com/docs/api-reference/responses/create. Items and tools of
OpenAI's own servers (web search, code interpreter, computers, ...) are only looked at by their
type.
"""

from __future__ import annotations

from typing import cast

from addon.embedded.shapes import (
    Path,
    Shape,
    anything,
    boolean,
    each,
    integer,
    mapping,
    nullable,
    number,
    one_of,
    record,
    string_or,
    tagged,
    text,
)

NAME = text(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_STATUS = {"status": nullable(one_of("in_progress", "completed", "incomplete"))}
_CALL_ID = text(shortest=1, longest=64)


def _identifier(prefix: str) -> dict[str, Shape]:
    return {"id": nullable(text(pattern=f"^{prefix}"))}


_INPUT_TEXT = record(
    {"type": text(), "text": text()}, {"prompt_cache_breakpoint": nullable(mapping)}
)
_INPUT_PARTS: dict[str, Shape] = {
    "input_text": _INPUT_TEXT,
    "input_image": record(
        {"type": text()},
        {
            "image_url": nullable(text(shortest=1)),
            "file_id": nullable(text(shortest=1)),
            "detail": nullable(one_of("auto", "low", "high", "original")),
            "prompt_cache_breakpoint": nullable(mapping),
        },
    ),
    "input_file": record(
        {"type": text()},
        {
            "file_data": nullable(text(shortest=1)),
            "file_id": nullable(text(shortest=1)),
            "file_url": nullable(text(shortest=1)),
            "filename": nullable(text()),
            "prompt_cache_breakpoint": nullable(mapping),
        },
    ),
}
_OUTPUT_PARTS: dict[str, Shape] = {
    "output_text": record(
        {"type": text(), "text": text()},
        {"annotations": nullable(each(mapping)), "logprobs": nullable(each(mapping))},
    ),
    "refusal": record({"type": text(), "refusal": text()}),
}
_OUTPUT = string_or(each(tagged(_INPUT_PARTS)))
_MESSAGE_FIELDS: dict[str, Shape] = {"type": one_of("message"), **_identifier("msg"), **_STATUS}
_INPUT_MESSAGE = record(
    {"role": text(), "content": string_or(each(tagged(_INPUT_PARTS)))}, _MESSAGE_FIELDS
)
_MESSAGE = tagged(
    {
        "user": _INPUT_MESSAGE,
        "system": _INPUT_MESSAGE,
        "developer": _INPUT_MESSAGE,
        "assistant": record(
            {"role": text(), "content": string_or(each(tagged(_OUTPUT_PARTS)))},
            {**_MESSAGE_FIELDS, "phase": nullable(one_of("commentary", "final_answer"))},
        ),
    },
    field="role",
)
_CALLER: dict[str, Shape] = {"caller": nullable(mapping), "async": nullable(boolean)}
ITEMS: dict[str, Shape] = {
    "message": _MESSAGE,
    "function_call": record(
        {"type": text(), "call_id": _CALL_ID, "name": NAME, "arguments": text()},
        {**_identifier("fc"), **_STATUS, **_CALLER, "namespace": nullable(text())},
    ),
    "function_call_output": record(
        {"type": text(), "call_id": _CALL_ID, "output": _OUTPUT},
        {"id": nullable(text()), **_STATUS, **_CALLER},
    ),
    "custom_tool_call": record(
        {"type": text(), "call_id": _CALL_ID, "name": NAME, "input": text()},
        {**_identifier("ctc"), **_STATUS, **_CALLER, "namespace": nullable(text())},
    ),
    "custom_tool_call_output": record(
        {"type": text(), "call_id": _CALL_ID, "output": _OUTPUT},
        {"id": nullable(text()), **_STATUS, **_CALLER},
    ),
    "reasoning": record(
        {"type": text(), "summary": each(record({"type": text(), "text": text()}))},
        {
            **_identifier("rs"),
            **_STATUS,
            "encrypted_content": nullable(text()),
            "content": nullable(each(record({"type": text(), "text": text()}))),
        },
    ),
    "item_reference": record({"type": text(), "id": text(shortest=1)}),
    "additional_tools": record({"type": text(), "tools": each(mapping)}, {"role": text()}),
    **dict.fromkeys(
        (
            "web_search_call",
            "file_search_call",
            "code_interpreter_call",
            "image_generation_call",
            "computer_call",
            "computer_call_output",
            "local_shell_call",
            "local_shell_call_output",
            "shell_call",
            "shell_call_output",
            "apply_patch_call",
            "apply_patch_call_output",
            "mcp_list_tools",
            "mcp_call",
            "mcp_approval_request",
            "mcp_approval_response",
            "tool_search_call",
            "tool_search_output",
            "program",
            "program_output",
            "compaction",
            "compaction_trigger",
        ),
        mapping,
    ),
}
_ITEM = tagged(ITEMS)


def _item(value: object, path: Path) -> None:
    """Accept an item; one that tells a role and no type is a message."""
    mapping(value, path)
    fields = cast("dict[str, object]", value)
    (_MESSAGE if "type" not in fields and "role" in fields else _ITEM)(fields, path)


_FUNCTION = record(
    {"type": text(), "name": NAME},
    {
        "description": nullable(text()),
        "parameters": nullable(mapping),
        "strict": nullable(boolean),
        "defer_loading": nullable(boolean),
        "allowed_callers": nullable(each(text())),
        "output_schema": nullable(mapping),
        "async": nullable(boolean),
    },
)
_CUSTOM = record(
    {"type": text(), "name": NAME},
    {
        "description": nullable(text()),
        "format": nullable(
            tagged(
                {
                    "text": record({"type": text()}),
                    "grammar": record(
                        {
                            "type": text(),
                            "syntax": one_of("lark", "regex"),
                            "definition": text(shortest=1),
                        }
                    ),
                }
            )
        ),
        "defer_loading": nullable(boolean),
        "allowed_callers": nullable(each(text())),
    },
)
_HOSTED_TOOLS = (
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "tool_search",
    "programmatic_tool_calling",
)
TOOL = tagged(
    {
        "function": _FUNCTION,
        "custom": _CUSTOM,
        "namespace": record(
            {
                "type": text(),
                "name": NAME,
                "tools": each(tagged({"function": _FUNCTION, "custom": _CUSTOM}), least=1),
            },
            {"description": nullable(text())},
        ),
        **dict.fromkeys(_HOSTED_TOOLS, mapping),
    }
)
_NAMED = record({"type": text(), "name": NAME})
_TOOL_CHOICE = string_or(
    tagged(
        {
            "function": _NAMED,
            "custom": _NAMED,
            "allowed_tools": record(
                {"type": text(), "mode": one_of("auto", "required"), "tools": each(mapping)}
            ),
            **dict.fromkeys(_HOSTED_TOOLS, mapping),
        }
    ),
    string=one_of("none", "auto", "required"),
)
_FORMAT = tagged(
    {
        "text": record({"type": text()}),
        "json_object": record({"type": text()}),
        "json_schema": record(
            {"type": text(), "name": NAME, "schema": mapping},
            {"strict": nullable(boolean), "description": nullable(text())},
        ),
    }
)
_INCLUDES = (
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
)
_OPTIONAL: dict[str, Shape] = {
    "input": string_or(each(_item)),
    "instructions": text(),
    "background": boolean,
    "context_management": each(mapping),
    "conversation": string_or(mapping),
    "include": each(one_of(*_INCLUDES)),
    "max_output_tokens": integer(16),
    "max_tool_calls": integer(1),
    "metadata": mapping,
    "model": text(shortest=1),
    "moderation": anything,
    "parallel_tool_calls": boolean,
    "previous_response_id": text(pattern="^resp"),
    "prompt": mapping,
    "prompt_cache_key": text(),
    "prompt_cache_options": mapping,
    "prompt_cache_retention": text(),
    "reasoning": record(
        {},
        {
            "effort": nullable(one_of(*_EFFORTS)),
            "summary": nullable(one_of("auto", "concise", "detailed")),
            "generate_summary": nullable(one_of("auto", "concise", "detailed")),
            "context": nullable(text()),
            "mode": nullable(text()),
        },
    ),
    "safety_identifier": text(),
    "service_tier": one_of("auto", "default", "flex", "scale", "priority", "fast"),
    "store": boolean,
    "stream": boolean,
    "stream_options": record({}, {"include_obfuscation": boolean}),
    "temperature": number(0, 2),
    "text": record(
        {}, {"format": nullable(_FORMAT), "verbosity": nullable(one_of("low", "medium", "high"))}
    ),
    "tool_choice": _TOOL_CHOICE,
    "tools": each(TOOL),
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "truncation": one_of("auto", "disabled"),
    "user": text(),
}
RESPONSES_REQUEST = record({}, {name: nullable(shape) for name, shape in _OPTIONAL.items()})
