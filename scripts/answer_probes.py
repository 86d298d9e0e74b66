"""One full answer of each format, and what must be found again in the others' words."""

from __future__ import annotations

from typing import Any

from addon.formats.base import FormatName

_CITED = "https://cited.example/page"
SIGNATURE = b"c2lnbmVkIGhlcmU="
"""What the provider wants to see again, as it is."""
_ARGUMENTS = {"city": "Bern-of-the-call"}

ANSWERS: dict[FormatName, dict[str, Any]] = {
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [
            {"type": "thinking", "thinking": "thought-words", "signature": SIGNATURE.decode()},
            {
                "type": "text",
                "text": "said-words",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": _CITED,
                        "title": "Page",
                        "cited_text": "said",
                        "encrypted_index": "a",
                    }
                ],
            },
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": _ARGUMENTS},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 4321,
            "cache_creation_input_tokens": 0,
            "output_tokens": 8000,
            "output_tokens_details": {"thinking_tokens": 765},
        },
    },
    "gemini": {
        "candidates": [
            {
                "index": 0,
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "thought-words", "thought": True},
                        {"text": "said-words"},
                        {
                            "functionCall": {"id": "c1", "name": "f", "args": _ARGUMENTS},
                            "thoughtSignature": SIGNATURE.decode(),
                        },
                    ],
                },
                "finishReason": "STOP",
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": _CITED, "title": "Page"}}],
                    "groundingSupports": [
                        {
                            "segment": {"startIndex": 0, "endIndex": 4, "text": "said"},
                            "groundingChunkIndices": [0],
                        }
                    ],
                },
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 4326,
            "cachedContentTokenCount": 4321,
            "candidatesTokenCount": 7235,
            "thoughtsTokenCount": 765,
            "totalTokenCount": 12_326,
        },
        "modelVersion": "gemini-3.8-flash",
        "responseId": "r1",
    },
    "openai-chat": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5.5",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "said-words",
                    "reasoning_content": "thought-words",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "url": _CITED,
                                "title": "Page",
                                "start_index": 0,
                                "end_index": 4,
                            },
                        }
                    ],
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"city":"Bern-of-the-call"}'},
                        }
                    ],
                },
            }
        ],
        "usage": {
            "prompt_tokens": 4326,
            "completion_tokens": 8000,
            "total_tokens": 12_326,
            "prompt_tokens_details": {"cached_tokens": 4321},
            "completion_tokens_details": {"reasoning_tokens": 765},
        },
    },
    "openai-responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-5.5",
        "output": [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "thought-words"}],
                "encrypted_content": SIGNATURE.decode(),
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {
                        "type": "output_text",
                        "text": "said-words",
                        "annotations": [
                            {
                                "type": "url_citation",
                                "url": _CITED,
                                "title": "Page",
                                "start_index": 0,
                                "end_index": 4,
                            }
                        ],
                    }
                ],
            },
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "f",
                "arguments": '{"city":"Bern-of-the-call"}',
                "status": "completed",
            },
        ],
        "usage": {
            "input_tokens": 4326,
            "input_tokens_details": {"cached_tokens": 4321},
            "output_tokens": 8000,
            "output_tokens_details": {"reasoning_tokens": 765},
            "total_tokens": 12_326,
        },
    },
}
MARKS = {
    "words": b"said-words",
    "thoughts": b"thought-words",
    "tool calls": b"Bern-of-the-call",
    "citations of the web": _CITED.encode(),
    "cached tokens": b"4321",
    "reasoning tokens": b"765",
}
"""What shows that a part of an answer has come through."""
LOSSES = {_CITED.encode(): "citations"}
"""The field under which the loss list names what is not kept as it was."""
