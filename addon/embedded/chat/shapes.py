"""The Chat Completions request, transcribed into shapes.

Page followed: https://platform.openai.com/docs/api-reference/chat/create. OpenAI itself lets
unknown keys inside messages pass, other providers answer 422; this one is of the second kind, but
knows the fields that the field has agreed on (`reasoning_content`).
"""

from __future__ import annotations

from addon.embedded.shapes import (
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

NAME = text(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_BREAKPOINT = {"prompt_cache_breakpoint": mapping}
_TEXT_PART = record({"type": text(), "text": text()}, _BREAKPOINT)
_TEXT_PARTS = string_or(each(tagged({"text": _TEXT_PART}), least=1))
_USER_PARTS = tagged(
    {
        "text": _TEXT_PART,
        "image_url": record(
            {
                "type": text(),
                "image_url": record(
                    {"url": text(shortest=1)},
                    {"detail": one_of("auto", "low", "high", "original")},
                ),
            },
            _BREAKPOINT,
        ),
        "input_audio": record(
            {
                "type": text(),
                "input_audio": record({"data": text(), "format": one_of("wav", "mp3")}),
            },
            _BREAKPOINT,
        ),
        "file": record(
            {
                "type": text(),
                "file": record({}, {"file_data": text(), "file_id": text(), "filename": text()}),
            },
            _BREAKPOINT,
        ),
    }
)
_ASSISTANT_PARTS = tagged(
    {"text": _TEXT_PART, "refusal": record({"type": text(), "refusal": text()})}
)
_TOOL_CALL = tagged(
    {
        "function": record(
            {
                "id": text(shortest=1),
                "type": text(),
                "function": record({"name": NAME, "arguments": text()}),
            },
            {"index": integer(0), "extra_content": mapping},
        ),
        "custom": record(
            {
                "id": text(shortest=1),
                "type": text(),
                "custom": record({"name": NAME, "input": text()}),
            }
        ),
    }
)
_ROLE = {"role": text()}
_AUTHOR = {"name": text()}
MESSAGE = tagged(
    {
        "system": record({**_ROLE, "content": _TEXT_PARTS}, _AUTHOR),
        "developer": record({**_ROLE, "content": _TEXT_PARTS}, _AUTHOR),
        "user": record({**_ROLE, "content": string_or(each(_USER_PARTS, least=1))}, _AUTHOR),
        "assistant": record(
            _ROLE,
            {
                **_AUTHOR,
                "content": nullable(string_or(each(_ASSISTANT_PARTS, least=1))),
                "refusal": nullable(text()),
                "tool_calls": nullable(each(_TOOL_CALL, least=1)),
                "function_call": nullable(record({"name": NAME, "arguments": text()})),
                "audio": nullable(mapping),
                "annotations": nullable(each(mapping)),
                "reasoning_content": nullable(text()),
            },
        ),
        "tool": record(
            {**_ROLE, "content": _TEXT_PARTS, "tool_call_id": text(shortest=1)}, _AUTHOR
        ),
        "function": record({**_ROLE, "content": nullable(text()), "name": NAME}),
    },
    field="role",
)

_FUNCTION = record(
    {"name": NAME},
    {
        "description": nullable(text()),
        "parameters": nullable(mapping),
        "strict": nullable(boolean),
    },
)
_TOOL = tagged(
    {
        "function": record({"type": text(), "function": _FUNCTION}),
        "custom": record(
            {
                "type": text(),
                "custom": record({"name": NAME}, {"description": text(), "format": mapping}),
            }
        ),
    }
)
_NAMED = record({"name": NAME})
_RESPONSE_FORMAT = tagged(
    {
        "text": record({"type": text()}),
        "json_object": record({"type": text()}),
        "json_schema": record(
            {
                "type": text(),
                "json_schema": record(
                    {"name": NAME},
                    {
                        "schema": mapping,
                        "strict": nullable(boolean),
                        "description": nullable(text()),
                    },
                ),
            }
        ),
    }
)
_TOOL_CHOICE = string_or(
    tagged(
        {
            "function": record({"type": text(), "function": _NAMED}),
            "custom": record({"type": text(), "custom": _NAMED}),
            "allowed_tools": record(
                {
                    "type": text(),
                    "allowed_tools": record(
                        {"mode": one_of("auto", "required"), "tools": each(mapping)}
                    ),
                }
            ),
        }
    ),
    string=one_of("none", "auto", "required"),
)

_OPTIONAL: dict[str, Shape] = {
    "audio": mapping,
    "frequency_penalty": number(-2, 2),
    "function_call": string_or(_NAMED, string=one_of("none", "auto")),
    "functions": each(_FUNCTION, least=1, most=128),
    "logit_bias": mapping,
    "logprobs": boolean,
    "max_completion_tokens": integer(1),
    "max_tokens": integer(1),
    "metadata": mapping,
    "modalities": each(one_of("text", "audio")),
    "moderation": anything,
    "n": integer(1, 128),
    "parallel_tool_calls": boolean,
    "prediction": mapping,
    "presence_penalty": number(-2, 2),
    "prompt_cache_key": text(),
    "prompt_cache_options": mapping,
    "prompt_cache_retention": text(),
    "reasoning_effort": one_of(*_EFFORTS),
    "response_format": _RESPONSE_FORMAT,
    "safety_identifier": text(),
    "seed": integer(),
    "service_tier": one_of("auto", "default", "flex", "scale", "priority", "fast"),
    "stop": string_or(each(text(), most=4)),
    "store": boolean,
    "stream": boolean,
    "stream_options": record({}, {"include_usage": boolean, "include_obfuscation": boolean}),
    "temperature": number(0, 2),
    "tool_choice": _TOOL_CHOICE,
    "tools": each(_TOOL, least=1, most=128),
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "user": text(),
    "verbosity": one_of("low", "medium", "high"),
    "web_search_options": mapping,
}

CHAT_REQUEST = record(
    {"model": text(shortest=1), "messages": each(MESSAGE, least=1)},
    {name: nullable(shape) for name, shape in _OPTIONAL.items()},
)
