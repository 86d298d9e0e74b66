"""One small request for each feature of each format, for `scripts.format_matrix`."""

from __future__ import annotations

import json
from typing import Any

from addon.formats.base import FormatName

type Body = dict[str, Any]

_PNG = "iVBORw0KGgoAAAANSUhEUg=="
_PDF = "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2Jq"
_URL = "https://example.com/a.png"
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_GRAMMAR = {"syntax": "lark", "definition": "start: /a+/"}


def _chat(*content: object, role: str = "user", **fields: object) -> Body:
    return {"messages": [*_CHAT, {"role": role, "content": list(content)}], **fields}


def _responses(*content: object, role: str = "user", **fields: object) -> Body:
    return {"input": [*_RESPONSES, {"role": role, "content": list(content)}], **fields}


def _anthropic(*content: object, **fields: object) -> Body:
    return {"messages": [{"role": "user", "content": list(content)}], **fields}


def _gemini(*parts: object, **fields: object) -> Body:
    return {"contents": [{"role": "user", "parts": list(parts)}], **fields}


_TEXT = {"type": "text", "text": "Look."}
_CHAT = [{"role": "user", "content": "Look."}]
_RESPONSES = [{"role": "user", "content": "Look."}]
PLAIN: dict[FormatName, Body] = {
    "openai-chat": {"model": "asked-for", "messages": _CHAT},
    "openai-responses": {"model": "asked-for", "input": _RESPONSES},
    "anthropic": {"model": "asked-for", "max_tokens": 1000, **_anthropic(_TEXT)},
    "gemini": _gemini({"text": "Look."}),
}
"""A request with nothing but a word of the user."""

_CHAT_TOOL = {"type": "function", "function": {"name": "f", "parameters": _SCHEMA}}
_RESPONSES_TOOL = {"type": "function", "name": "f", "parameters": _SCHEMA}
_ANTHROPIC_TOOL = {"name": "f", "input_schema": _SCHEMA}
_GEMINI_TOOL = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": _SCHEMA}]}
_ARGUMENTS = json.dumps({"city": "Bern"})
_BASE64 = {"type": "base64", "media_type": "image/png", "data": _PNG}
_INLINE = {"inlineData": {"mimeType": "image/png", "data": _PNG}}
_CHAT_CALLS = [
    {"id": f"call_{n}", "type": "function", "function": {"name": "f", "arguments": _ARGUMENTS}}
    for n in (1, 2)
]
_USES = [{"type": "tool_use", "id": f"c{n}", "name": "f", "input": {"city": "B"}} for n in (1, 2)]


def _answered(result: str | None, count: int = 1) -> dict[FormatName, Body]:
    """Return calls with their results; `result` is text, or a picture where it is None."""
    image = result is None
    calls = [{"functionCall": {"name": "f", "args": {"city": "B"}}} for _ in range(count)]
    response: Body = {"name": "f", "response": {"output": result or ""}}
    if image:
        response["parts"] = [_INLINE]
    made: dict[FormatName, Body] = {
        "openai-responses": {
            "tools": [_RESPONSES_TOOL],
            "input": [
                *_RESPONSES,
                *(
                    {"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": "{}"}
                    for n in range(count)
                ),
                *(
                    {
                        "type": "function_call_output",
                        "call_id": f"c{n}",
                        "output": result
                        or [{"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"}],
                    }
                    for n in range(count)
                ),
            ],
        },
        "anthropic": {
            "tools": [_ANTHROPIC_TOOL],
            "messages": [
                {"role": "user", "content": [_TEXT]},
                {"role": "assistant", "content": _USES[:count]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": use["id"],
                            "content": [
                                {"type": "image", "source": _BASE64}
                                if image
                                else {"type": "text", "text": result}
                            ],
                        }
                        for use in _USES[:count]
                    ],
                },
            ],
        },
        "gemini": {
            "tools": [_GEMINI_TOOL],
            "contents": [
                {"role": "user", "parts": [{"text": "Look."}]},
                {"role": "model", "parts": calls},
                {"role": "user", "parts": [{"functionResponse": response}] * count},
            ],
        },
    }
    if not image:
        made["openai-chat"] = {
            "tools": [_CHAT_TOOL],
            "messages": [
                *_CHAT,
                {"role": "assistant", "content": None, "tool_calls": _CHAT_CALLS[:count]},
                *(
                    {"role": "tool", "tool_call_id": call["id"], "content": result}
                    for call in _CHAT_CALLS[:count]
                ),
            ],
        }
    return made


def _generation(**fields: object) -> Body:
    return {"generationConfig": fields}


PROBES: dict[str, dict[FormatName, Body]] = {
    "text": PLAIN,
    "system prompt": {
        "openai-chat": {"messages": [{"role": "system", "content": "Be kind."}, *_CHAT]},
        "openai-responses": {"instructions": "Be kind."},
        "anthropic": {"system": "Be kind."},
        "gemini": {"systemInstruction": {"parts": [{"text": "Be kind."}]}},
    },
    "system message amid the conversation": {
        "openai-chat": {"messages": [*_CHAT, {"role": "system", "content": "Be kind."}, *_CHAT]},
        "openai-responses": {
            "input": [*_RESPONSES, {"role": "developer", "content": "Be kind."}, *_RESPONSES]
        },
    },
    "picture, inline": {
        "openai-chat": _chat(
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}
        ),
        "openai-responses": _responses(
            {"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"}
        ),
        "anthropic": _anthropic({"type": "image", "source": _BASE64}, _TEXT),
        "gemini": _gemini({"text": "Look."}, _INLINE),
    },
    "picture, by address": {
        "openai-chat": _chat({"type": "image_url", "image_url": {"url": _URL}}),
        "openai-responses": _responses({"type": "input_image", "image_url": _URL}),
        "anthropic": _anthropic({"type": "image", "source": {"type": "url", "url": _URL}}, _TEXT),
        "gemini": _gemini({"fileData": {"fileUri": _URL, "mimeType": "image/png"}}),
    },
    "PDF, inline": {
        "openai-chat": _chat(
            {
                "type": "file",
                "file": {"file_data": f"data:application/pdf;base64,{_PDF}"},
            }
        ),
        "openai-responses": _responses(
            {
                "type": "input_file",
                "file_data": f"data:application/pdf;base64,{_PDF}",
            }
        ),
        "anthropic": _anthropic(
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": _PDF},
            },
            _TEXT,
        ),
        "gemini": _gemini({"inlineData": {"mimeType": "application/pdf", "data": _PDF}}),
    },
    "file kept at one provider": {
        "openai-chat": _chat({"type": "file", "file": {"file_id": "file-1"}}),
        "openai-responses": _responses({"type": "input_file", "file_id": "file-1"}),
        "anthropic": _anthropic(
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}}, _TEXT
        ),
    },
    "sound": {
        "openai-chat": _chat(
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
        ),
        "gemini": _gemini({"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}),
    },
    "tools": {
        "openai-chat": {"tools": [_CHAT_TOOL]},
        "openai-responses": {"tools": [_RESPONSES_TOOL]},
        "anthropic": {"tools": [_ANTHROPIC_TOOL]},
        "gemini": {"tools": [_GEMINI_TOOL]},
    },
    "parallel calls and their results": _answered("21", 2),
    "picture as a tool's result": _answered(None),
    "forced tool call": {
        "openai-chat": {"tools": [_CHAT_TOOL], "tool_choice": "required"},
        "openai-responses": {"tools": [_RESPONSES_TOOL], "tool_choice": "required"},
        "anthropic": {"tools": [_ANTHROPIC_TOOL], "tool_choice": {"type": "any"}},
        "gemini": {
            "tools": [_GEMINI_TOOL],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        },
    },
    "one call at a time": {
        "openai-chat": {"tools": [_CHAT_TOOL], "parallel_tool_calls": False},
        "openai-responses": {"tools": [_RESPONSES_TOOL], "parallel_tool_calls": False},
        "anthropic": {
            "tools": [_ANTHROPIC_TOOL],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
    },
    "strict arguments": {
        "openai-chat": {
            "tools": [{"type": "function", "function": {**_CHAT_TOOL["function"], "strict": True}}]
        },
        "openai-responses": {"tools": [{**_RESPONSES_TOOL, "strict": True}]},
    },
    "custom tool with a grammar": {
        "openai-chat": {
            "tools": [
                {
                    "type": "custom",
                    "custom": {"name": "f", "format": {"type": "grammar", "grammar": _GRAMMAR}},
                }
            ]
        },
        "openai-responses": {
            "tools": [{"type": "custom", "name": "f", "format": {"type": "grammar", **_GRAMMAR}}]
        },
    },
    "web search by the provider": {
        "openai-chat": {"web_search_options": {}},
        "openai-responses": {"tools": [{"type": "web_search"}]},
        "anthropic": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        "gemini": {"tools": [{"googleSearch": {}}]},
    },
    "code run by the provider": {
        "openai-responses": {
            "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]
        },
        "anthropic": {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        "gemini": {"tools": [{"codeExecution": {}}]},
    },
    "how long to think": {
        "openai-chat": {"reasoning_effort": "high"},
        "openai-responses": {"reasoning": {"effort": "high"}},
        "anthropic": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        "gemini": _generation(thinkingConfig={"thinkingLevel": "HIGH"}),
    },
    "not to think": {
        "openai-chat": {"reasoning_effort": "none"},
        "openai-responses": {"reasoning": {"effort": "none"}},
        "anthropic": {"thinking": {"type": "disabled"}},
        "gemini": _generation(thinkingConfig={"thinkingBudget": 0}),
    },
    "JSON Schema answers": {
        "openai-chat": {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": _SCHEMA, "strict": True},
            }
        },
        "openai-responses": {
            "text": {
                "format": {"type": "json_schema", "name": "a", "schema": _SCHEMA, "strict": True}
            }
        },
        "anthropic": {"output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}}},
        "gemini": _generation(responseMimeType="application/json", responseJsonSchema=_SCHEMA),
    },
    "JSON mode": {
        "openai-chat": {"response_format": {"type": "json_object"}},
        "openai-responses": {"text": {"format": {"type": "json_object"}}},
        "gemini": _generation(responseMimeType="application/json"),
    },
    "token limit": {
        "openai-chat": {"max_completion_tokens": 500},
        "openai-responses": {"max_output_tokens": 500},
        "anthropic": {"max_tokens": 500},
        "gemini": _generation(maxOutputTokens=500),
    },
    "stop sequences": {
        "openai-chat": {"stop": ["END"]},
        "anthropic": {"stop_sequences": ["END"]},
        "gemini": _generation(stopSequences=["END"]),
    },
    "`temperature`": {
        "openai-chat": {"temperature": 0.2},
        "openai-responses": {"temperature": 0.2},
        "anthropic": {"temperature": 0.2},
        "gemini": _generation(temperature=0.2),
    },
    "`seed`": {"openai-chat": {"seed": 7}, "gemini": _generation(seed=7)},
    "penalties": {
        "openai-chat": {"presence_penalty": 0.5},
        "gemini": _generation(presencePenalty=0.5),
    },
    "several answers (`n`)": {
        "openai-chat": {"n": 2},
        "gemini": _generation(candidateCount=2),
    },
    "token probabilities": {
        "openai-chat": {"logprobs": True, "top_logprobs": 2},
        "openai-responses": {"top_logprobs": 2, "include": ["message.output_text.logprobs"]},
        "gemini": _generation(responseLogprobs=True, logprobs=2),
    },
    "`logit_bias`": {"openai-chat": {"logit_bias": {"1": 1}}},
    "verbosity": {
        "openai-chat": {"verbosity": "low"},
        "openai-responses": {"text": {"verbosity": "low"}},
    },
    "cache marks": {
        "openai-chat": _chat(
            {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
        ),
        "openai-responses": _responses(
            {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
        ),
        "anthropic": _anthropic({**_TEXT, "cache_control": {"type": "ephemeral"}}),
    },
    "service tier": {
        "openai-chat": {"service_tier": "flex"},
        "openai-responses": {"service_tier": "flex"},
        "gemini": {"serviceTier": "flex"},
    },
}
"""Each feature, and what asks for it in the formats that have it."""
