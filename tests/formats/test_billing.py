"""What decides about the price of an answer is read in each format."""

import json

import pytest

from addon.formats import FORMATS
from addon.neutral import Usage, billing
from addon.translation import StreamTranslator

CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
}
RESPONSE = {"id": "r", "object": "response", "model": "m", "status": "completed", "output": []}
MESSAGE = {
    "id": "a",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
}
GEMINI = {
    "candidates": [
        {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP"}
    ]
}
IN_CHAT = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
IN_RESPONSES = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
IN_GEMINI = {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11}
OPENROUTER = {"cost": 0.00148925, "is_byok": False, "cost_details": {"upstream_inference_cost": 1}}
OWN_KEY = {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}


@pytest.mark.parametrize(
    ("name", "wire", "expected"),
    [
        ("openai-chat", {**CHAT, "usage": IN_CHAT}, None),
        ("openai-chat", {**CHAT, "usage": IN_CHAT, "service_tier": "default"}, None),
        ("openai-chat", {**CHAT, "usage": IN_CHAT, "service_tier": None}, None),
        (
            "openai-chat",
            {**CHAT, "usage": IN_CHAT, "service_tier": "priority"},
            billing(tier="priority"),
        ),
        ("openai-chat", {**CHAT, "usage": IN_CHAT | OPENROUTER}, billing(cost_usd=0.00148925)),
        ("openai-chat", {**CHAT, "usage": IN_CHAT | OWN_KEY}, billing(cost_usd=0.021)),
        ("openai-chat", {**CHAT, "usage": IN_CHAT | {"cost": "free"}}, None),
        ("openai-chat", {**CHAT, "usage": IN_CHAT | {"cost": -1}}, None),
        (
            "openai-chat",
            {**CHAT, "usage": IN_CHAT | {"cost": {"total_cost": 0.00609, "request_cost": 0.006}}},
            billing(cost_usd=0.00609),
        ),
        (
            "openai-chat",
            {**CHAT, "usage": IN_CHAT | {"cost_in_usd_ticks": 3_530_500}},
            billing(cost_usd=0.00035305),
        ),
        ("openai-chat", {**CHAT, "usage": IN_CHAT | {"cost_in_usd_ticks": 0}}, None),
        (
            "openai-responses",
            {**RESPONSE, "usage": IN_RESPONSES, "service_tier": "flex"},
            billing(tier="flex"),
        ),
        (
            "openai-responses",
            {**RESPONSE, "usage": IN_RESPONSES | {"cost": 1}},
            billing(cost_usd=1),
        ),
        ("openai-responses", {**RESPONSE, "usage": IN_RESPONSES, "service_tier": "auto"}, None),
        ("anthropic", {**MESSAGE, "usage": IN_RESPONSES | {"service_tier": "standard"}}, None),
        (
            "anthropic",
            {**MESSAGE, "usage": IN_RESPONSES | {"service_tier": "batch", "inference_geo": "us"}},
            billing(tier="batch", region="us"),
        ),
        (
            "anthropic",
            {**MESSAGE, "usage": IN_RESPONSES | {"speed": "fast", "service_tier": "standard"}},
            billing(tier="fast"),
        ),
        (
            "anthropic",
            {
                **MESSAGE,
                "usage": IN_RESPONSES
                | {
                    "cache_creation_input_tokens": 7,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 3,
                        "ephemeral_1h_input_tokens": 4,
                    },
                },
            },
            billing(cache_write_1h_tokens=4),
        ),
        ("gemini", {**GEMINI, "usageMetadata": IN_GEMINI | {"serviceTier": "standard"}}, None),
        (
            "gemini",
            {**GEMINI, "usageMetadata": IN_GEMINI | {"serviceTier": "SERVICE_TIER_PRIORITY"}},
            billing(tier="priority"),
        ),
        ("gemini", {**GEMINI, "usageMetadata": IN_GEMINI | {"trafficType": "ON_DEMAND"}}, None),
        (
            "gemini",
            {**GEMINI, "usageMetadata": IN_GEMINI | {"trafficType": "ON_DEMAND_FLEX"}},
            billing(tier="flex"),
        ),
        (
            "gemini",
            {**GEMINI, "usageMetadata": IN_GEMINI | {"trafficType": "PROVISIONED_THROUGHPUT"}},
            billing(tier="provisioned_throughput"),
        ),
    ],
)
def test_a_whole_answer(name, wire, expected):
    response, _ = FORMATS[name].parse_response(json.dumps(wire).encode())
    assert response.usage.billing == expected


def events(*documents, names=()):
    lines = [f"data: {json.dumps(document)}\n\n" for document in documents]
    heads = [f"event: {name}\n" for name in names] or [""] * len(lines)
    return "".join(head + line for head, line in zip(heads, lines, strict=True)).encode()


def used(name, stream):
    translator = StreamTranslator(name, name)
    translator.feed(stream)
    translator.close()
    assert translator.error is None
    return translator.usage


def test_a_stream_of_chat():
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    last = {"choices": [], "service_tier": "flex", "usage": IN_CHAT | {"cost": 0.5}}
    stream = events({**chunk, **said}, {**chunk, **last}) + b"data: [DONE]\n\n"
    assert used("openai-chat", stream).billing == billing(tier="flex", cost_usd=0.5)


def test_a_stream_of_anthropic_with_a_compaction():
    start = {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {
                "input_tokens": 181,
                "cache_read_input_tokens": 55096,
                "output_tokens": 1,
                "service_tier": "standard",
            },
        },
    }
    iterations = [
        {
            "type": "compaction",
            "input_tokens": 100,
            "output_tokens": 83,
            "cache_read_input_tokens": 55096,
            "cache_creation_input_tokens": 0,
        },
        {"type": "message", "input_tokens": 181, "output_tokens": 8, "cache_read_input_tokens": 0},
    ]
    delta = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {
            "input_tokens": 181,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 8,
            "iterations": iterations,
        },
    }
    names = ("message_start", "message_delta", "message_stop")
    usage = used("anthropic", events(start, delta, {"type": "message_stop"}, names=names))
    assert (usage.input_tokens, usage.output_tokens) == (181, 8)
    assert usage.beside == Usage(55196, 55096, 0, 83)
    assert usage.billed == Usage(55377, 55096, 0, 91)
