"""A longer conversation begins with the bytes of the shorter one (decision D8).

Providers cache prompts by their prefix, and newer models refuse a conversation whose beginning has
changed. So each recorded conversation is cut wherever an agent would have sent it before, and the
rendering of each cut must be a prefix of the rendering of the whole.
"""

from __future__ import annotations

import json

import msgspec
import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ClientRequestError, UnsupportedFeature
from tests.support.recordings import needs_recordings, recordings

TARGETS = {
    "anthropic": [(model, "anthropic") for model in ("claude-opus-5-5", "claude-haiku-4-5")],
    "gemini": [(model, "google") for model in ("gemini-3.8-flash", "gemini-2.5-flash")],
    "openai-responses": [("gpt-5.5", "openai"), ("deepseek-v4-pro", "deepseek")],
    "openai-chat": [("gpt-4.1", "openai"), ("deepseek-v4-pro", "deepseek"), ("m", "local")],
}


def conversations(source):
    for recording in recordings(source):
        if recording.request is None or not recording.succeeded:
            continue
        try:
            request = FORMATS[source].parse_request(recording.request, RequestLine())
        except ClientRequestError:
            continue
        if any(message.role == "assistant" for message in request.messages):
            yield recording.name, request


def sent_before(request):
    """The requests that the agent must have sent earlier in the same conversation."""
    for index, message in enumerate(request.messages):
        if index and request.messages[index - 1].role == "assistant":
            continue
        if (
            message.role == "assistant"
            and index
            and request.messages[index - 1].role != "assistant"
        ):
            yield msgspec.structs.replace(request, messages=request.messages[:index])


def body(request, target, model, dialect):
    wire = json.loads(FORMATS[target].render_request(request, model, dialect).body)
    fields = ("tools", "system", "systemInstruction", "instructions")
    prompt = {field: wire.get(field) for field in fields}
    if target == "openai-responses":
        return prompt, [json.dumps(item) for item in wire["input"]]
    turns = wire.get("messages") or wire["contents"]
    return prompt, [block for turn in turns for block in blocks(turn)]


def blocks(turn):
    """What a provider reads of a turn, one after the other; empty turns leave no trace."""
    content = turn.get("content") or turn.get("parts")
    pieces = content if isinstance(content, list) else [content] if content else []
    said = [(turn["role"], json.dumps(piece)) for piece in pieces]
    return said + [(turn["role"], json.dumps(call)) for call in turn.get("tool_calls") or ()]


@needs_recordings
@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_a_recorded_conversation_grows_at_its_end_only(source, target, matrix):
    cuts, failures = 0, []
    for name, request in conversations(source):
        # A forced call is asked for in words on models that refuse it, at the very end.
        request = msgspec.structs.replace(request, tool_choice=None)
        for model, dialect in TARGETS[target]:
            try:
                prompt, messages = body(request, target, model, dialect)
                for earlier in sent_before(request):
                    cuts += 1
                    earlier_prompt, earlier_messages = body(earlier, target, model, dialect)
                    if messages[: len(earlier_messages)] != earlier_messages:
                        failures.append(f"{name} ({model}, {len(earlier.messages)} messages)")
                    if request.tools:  # else a placeholder comes with the first call
                        assert earlier_prompt == prompt, name
            except UnsupportedFeature:
                continue
    matrix("conversations", source, target, {"prefixes": cuts}, len(failures))
    assert cuts
    assert not failures, "\n".join(failures)
