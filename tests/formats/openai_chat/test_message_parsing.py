import json

import pytest

from addon.formats.base import RequestLine
from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    Message,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)

PNG = "data:image/png;base64,aGk="


def parse(*messages, **fields):
    body = {"model": "m", "messages": messages} | fields
    return FORMAT.parse_request(json.dumps(body).encode(), RequestLine())


def parts(*content, role="user"):
    return parse({"role": role, "content": list(content)}).messages[0].parts


def text(words):
    return (TextPart(words),)


def test_leading_instructions_stand_before_the_conversation():
    request = parse(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": "c", "name": "bob"},
        {"role": "system", "content": "d"},
        {"role": "developer", "content": "e"},
    )
    assert request.system == (SystemMessage(text("a")), SystemMessage(text("b"), "developer"))
    assert request.messages == (
        Message("user", text("c"), "bob"),
        Message("system", text("d")),
        Message("system", text("e"), developer=True),
    )


def test_calls_and_results():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    custom = {"id": "c2", "type": "custom", "custom": {"name": "p", "input": "raw"}}
    request = parse(
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call, custom], "refusal": None},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
    )
    assert request.messages[1].parts == (
        ToolCallPart("c1", "f", '{"x": 1}'),
        ToolCallPart("c2", "p", "raw", "custom"),
    )
    assert request.messages[2:] == (
        Message("tool", (ToolResultPart("c2", text("two")),)),
        Message("tool", (ToolResultPart("c1", text("one")),)),
    )


def test_google_s_signatures_are_read():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    call["extra_content"] = {"google": {"thought_signature": "sig"}}
    request = parse({"role": "assistant", "tool_calls": [call]})
    assert request.messages[0].parts[0].state == OpaqueState("openai-chat", "sig")


def test_pictures_in_results_are_tolerated():
    image = {"type": "image_url", "image_url": {"url": PNG}}
    request = parse({"role": "tool", "tool_call_id": "c", "content": [image]})
    (result,) = request.messages[0].parts
    assert result.content == (ImagePart(InlineMedia("image/png", "aGk=")),)


def test_old_calls_get_the_same_ids_in_every_request():
    turns = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "two"},
    ]
    shorter, longer = parse(*turns[:3]), parse(*turns)
    assert longer.messages[:3] == shorter.messages
    ids = [part.call_id for message in longer.messages[1:] for part in message.parts]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_a_result_of_an_unknown_function_is_kept():
    request = parse({"role": "function", "name": "f", "content": "one"})
    assert request.messages[0].parts[0].content == text("one")


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "Hm"},
        {"reasoning": "Hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "s"}]},
        {"reasoning_content": "Hm", "reasoning": "Hm"},
    ],
)
def test_earlier_thoughts_are_read(fields):
    request = parse({"role": "assistant", "content": "A", **fields})
    assert request.messages[0].parts == (ReasoningPart("Hm"), TextPart("A"))


def test_assistants_may_refuse_in_two_ways():
    refusal = {"type": "refusal", "refusal": "No."}
    assert parts(refusal, role="assistant") == (RefusalPart("No."),)
    message = {"role": "assistant", "content": None, "refusal": "No."}
    assert parse(message).messages[0].parts == (RefusalPart("No."),)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            ImagePart(InlineMedia("image/png", "aGk="), "low"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
            ImagePart(UrlMedia("https://a/b.png")),
        ),
        (
            {"type": "image_url", "image_url": "https://a/b.png"},
            ImagePart(UrlMedia("https://a/b.png")),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}},
            ImagePart(InlineMedia("image/svg+xml", "PHN2Zy8+")),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            },
            FilePart(InlineMedia("application/pdf", "aGk="), "a.pdf"),
        ),
        (
            {"type": "file", "file": {"file_data": "aGk="}},
            FilePart(InlineMedia("", "aGk=")),
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            FilePart(FileReference("openai-chat", "file-1")),
        ),
        (
            {"type": "document_url", "document_url": "https://a/b.pdf", "document_name": "b"},
            FilePart(UrlMedia("https://a/b.pdf"), "b"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
            AudioPart(InlineMedia("audio/mpeg", "aGk="), "mp3"),
        ),
    ],
)
def test_every_part_of_a_user_s_message(part, expected):
    assert parts(part) == (expected,)


@pytest.mark.parametrize(
    ("marker", "ttl"),
    [
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, "5m"),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}, "1h"),
        ({"cache_control": {"type": "ephemeral"}}, "5m"),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, "1h"),
    ],
)
def test_cache_markers(marker, ttl):
    (part,) = parts({"type": "text", "text": "x", **marker})
    assert part.cache_breakpoint == CacheBreakpoint(ttl)


def test_cache_markers_inherit_the_request_s_time():
    part = {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    request = parse({"role": "user", "content": [part]}, prompt_cache_options={"ttl": "30m"})
    assert request.messages[0].parts[0].cache_breakpoint == CacheBreakpoint("1h")


def test_what_messages_hold_beyond_the_hub_is_listed_once():
    spoken = {"role": "assistant", "content": "A", "audio": {"id": "a1"}, "annotations": []}
    request = parse(spoken, spoken, {"role": "user", "content": "B"})
    assert [extra.field for extra in request.extras] == ["messages.audio"]
    assert not request.extras[0].essential


def test_empty_and_absent_content():
    assert parse({"role": "user", "content": ""}).messages[0].parts == text("")
    assert parse({"role": "assistant", "content": None}).messages[0].parts == ()
