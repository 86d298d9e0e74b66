"""The Messages request, transcribed into shapes.

Page followed: https://platform.claude.com/docs/en/api/messages. Fields that only a beta knows are
let through when the request names any beta.
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

TOOL_NAME = text(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
TOOL_ID = text(pattern=r"^[a-zA-Z0-9_-]+$")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

_CACHE = {
    "cache_control": nullable(
        record(
            {"type": one_of("ephemeral")},
            # `scope` needs a beta; the validation looks at that.
            {"ttl": one_of("5m", "1h"), "scope": one_of("global", "organization")},
        )
    )
}
_CITATIONS = {"citations": nullable(record({}, {"enabled": boolean}))}


def _block(required: dict[str, Shape], optional: dict[str, Shape] | None = None) -> Shape:
    return record({"type": text(), **required}, {**_CACHE, **(optional or {})})


_URL = record({"type": text(), "url": text()})
_FILE = record({"type": text(), "file_id": text()})

TEXT_BLOCK = _block({"text": text()}, {"citations": nullable(each(mapping))})
_TEXT_ONLY = tagged({"text": TEXT_BLOCK}, show_tag=True)
_IMAGE = _block(
    {
        "source": tagged(
            {
                "base64": record(
                    {"type": text(), "media_type": one_of(*IMAGE_TYPES), "data": text()}
                ),
                "url": _URL,
                "file": _FILE,
            },
            show_tag=True,
        )
    },
    {"transformations": nullable(mapping)},
)
_DOCUMENT = _block(
    {
        "source": tagged(
            {
                "base64": record(
                    {"type": text(), "media_type": one_of("application/pdf"), "data": text()}
                ),
                "text": record(
                    {"type": text(), "media_type": one_of("text/plain"), "data": text()}
                ),
                "content": record({"type": text(), "content": string_or(each(mapping))}),
                "url": _URL,
                "file": _FILE,
            },
            show_tag=True,
        )
    },
    {
        **_CITATIONS,
        "title": nullable(text(longest=500)),
        "context": nullable(text()),
    },
)
_SEARCH_RESULT = _block(
    {"source": text(), "title": text(), "content": each(_TEXT_ONLY, least=1)}, _CITATIONS
)
_TOOL_RESULT_PARTS = tagged(
    {
        "text": TEXT_BLOCK,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "tool_reference": _block({"tool_name": text()}),
    },
    show_tag=True,
)
_SERVER_RESULT = _block({"tool_use_id": text(), "content": anything}, {"caller": nullable(mapping)})

CONTENT_BLOCKS: dict[str, Shape] = {
    "text": TEXT_BLOCK,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH_RESULT,
    "tool_result": _block(
        {"tool_use_id": TOOL_ID},
        {
            "content": string_or(each(_TOOL_RESULT_PARTS, least=1)),
            "is_error": boolean,
            "toolset_name": nullable(text()),
        },
    ),
    "tool_use": _block(
        {"id": TOOL_ID, "name": TOOL_NAME, "input": mapping},
        {"caller": nullable(mapping), "toolset_name": nullable(text())},
    ),
    "thinking": record({"type": text(), "thinking": text(), "signature": text(shortest=1)}),
    "redacted_thinking": record({"type": text(), "data": text(shortest=1)}),
    "server_tool_use": _block(
        {"id": TOOL_ID, "name": TOOL_NAME, "input": mapping}, {"caller": nullable(mapping)}
    ),
    "web_search_tool_result": _SERVER_RESULT,
    "web_fetch_tool_result": _SERVER_RESULT,
    "code_execution_tool_result": _SERVER_RESULT,
    "bash_code_execution_tool_result": _SERVER_RESULT,
    "text_editor_code_execution_tool_result": _SERVER_RESULT,
    "tool_search_tool_result": _SERVER_RESULT,
    "container_upload": _block({"file_id": text()}),
}

_EFFORT = nullable(one_of("low", "medium", "high", "xhigh", "max"))
_MESSAGE: dict[str, Shape] = {
    "role": one_of("user", "assistant", "system"),
    "content": string_or(each(tagged(CONTENT_BLOCKS, show_tag=True))),
}
MESSAGE = record(_MESSAGE)
_BETA_MESSAGE = record(
    _MESSAGE,
    {
        "clear_at": nullable(one_of("next_user_message", "never")),
        "output_config": nullable(record({}, {"effort": _EFFORT})),
    },
)

CUSTOM_TOOL = record(
    {"name": TOOL_NAME, "input_schema": mapping},
    {
        **_CACHE,
        "type": nullable(one_of("custom")),
        "description": text(),
        "strict": boolean,
        "defer_loading": boolean,
        "eager_input_streaming": nullable(boolean),
        "input_examples": each(mapping),
        "allowed_callers": each(text()),
    },
)
SERVER_TOOLS = {
    "bash_20250124": "bash",
    "code_execution_20250522": "code_execution",
    "code_execution_20250825": "code_execution",
    "code_execution_20260120": "code_execution",
    "code_execution_20260521": "code_execution",
    "memory_20250818": "memory",
    "text_editor_20250124": "str_replace_editor",
    "text_editor_20250429": "str_replace_based_edit_tool",
    "text_editor_20250728": "str_replace_based_edit_tool",
    "tool_search_tool_bm25_20251119": "tool_search_tool_bm25",
    "tool_search_tool_regex_20251119": "tool_search_tool_regex",
    "web_fetch_20250910": "web_fetch",
    "web_fetch_20260209": "web_fetch",
    "web_fetch_20260309": "web_fetch",
    "web_fetch_20260318": "web_fetch",
    "web_search_20250305": "web_search",
    "web_search_20260209": "web_search",
    "web_search_20260318": "web_search",
}
"""Type and the one name that a tool of this type may have."""

_DISPLAY = nullable(one_of("summarized", "omitted"))
_THINKING = tagged(
    {
        "adaptive": record({"type": text()}, {"display": _DISPLAY}),
        "enabled": record(
            {"type": text(), "budget_tokens": integer(least=1024)}, {"display": _DISPLAY}
        ),
        "disabled": record({"type": text()}),
        "between_tools": record({"type": text()}),
    },
    show_tag=True,
)
_BETA_THINKING = tagged(
    {
        "adaptive": record(
            {"type": text()},
            {
                "display": nullable(one_of("summarized", "omitted", "updates")),
                "block_binding": record(
                    {"prefix_mismatch_behavior": one_of("error", "drop_block")}
                ),
            },
        ),
        "enabled": record(
            {"type": text(), "budget_tokens": integer(least=1024)}, {"display": _DISPLAY}
        ),
        "disabled": record({"type": text()}),
        "between_tools": record({"type": text()}),
    },
    show_tag=True,
)
_PARALLEL = {"disable_parallel_tool_use": boolean}

_SHARED: dict[str, Shape] = {
    **_CACHE,
    "system": string_or(each(_TEXT_ONLY)),
    "thinking": _THINKING,
    "tool_choice": tagged(
        {
            "auto": record({"type": text()}, _PARALLEL),
            "any": record({"type": text()}, _PARALLEL),
            "tool": record({"type": text(), "name": text()}, _PARALLEL),
            "none": record({"type": text()}),
        },
        show_tag=True,
    ),
    "tools": each(mapping),
    "output_config": record(
        {},
        {
            "effort": _EFFORT,
            "format": nullable(
                tagged({"json_schema": record({"type": text(), "schema": mapping})})
            ),
        },
    ),
    "speed": nullable(one_of("standard", "fast")),
}
_CREATE_ONLY: dict[str, Shape] = {
    "container": nullable(string_or(mapping)),
    "diagnostics": nullable(record({}, {"previous_message_id": nullable(text(pattern="^msg_"))})),
    "inference_geo": nullable(text()),
    "metadata": record({}, {"user_id": nullable(text(longest=512))}),
    "service_tier": one_of("auto", "standard_only"),
    "stop_sequences": each(text()),
    "stream": boolean,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": integer(0),
    "user_profile_id": text(),
    "workspace_id": text(),
}
_BETA_ONLY: dict[str, Shape] = {
    "thinking": _BETA_THINKING,
    "context_management": nullable(mapping),
    "fallbacks": anything,
    "mcp_servers": each(mapping),
    "thread": anything,
    "output_config": record(
        {},
        {
            "effort": _EFFORT,
            "format": nullable(mapping),
            "task_budget": nullable(mapping),
        },
    ),
}


def create_shape(*, beta: bool) -> Shape:
    """Return the shape of a request to `/v1/messages`."""
    optional = {**_SHARED, **_CREATE_ONLY, **(_BETA_ONLY if beta else {})}
    return record({**_required(beta=beta), "max_tokens": integer(0)}, optional)


def count_shape(*, beta: bool) -> Shape:
    """Return the shape of a request to `/v1/messages/count_tokens`."""
    return record(_required(beta=beta), {**_SHARED, **(_BETA_ONLY if beta else {})})


def _required(*, beta: bool) -> dict[str, Shape]:
    message = _BETA_MESSAGE if beta else MESSAGE
    return {"model": text(shortest=1, longest=256), "messages": each(message, most=100_000)}
