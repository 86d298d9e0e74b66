import json

import pytest

from addon.formats.anthropic import FORMAT
from addon.formats.base import Reply
from addon.neutral import (
    Citation,
    OpaqueState,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
    unfold,
)
from addon.wire.carrier import Carried, read

WIRE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "text", "text": "hi", "citations": [{"url": "https://e.org", "title": "t"}]},
        {"type": "server_tool_use", "id": "s", "name": "web_fetch", "input": {}},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"p": "ü"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 3,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "output_tokens": 40,
        "output_tokens_details": {"thinking_tokens": 7},
    },
}
RESPONSE = Response(
    id="msg_1",
    model="claude-x",
    parts=(
        ReasoningPart("hm", OpaqueState("anthropic", "sig")),
        ReasoningPart("", OpaqueState("anthropic", "xx", "redacted")),
        TextPart("hi", (Citation("https://e.org", "t"),)),
        ToolCallPart("toolu_1", "read", '{"p":"ü"}'),
    ),
    finish_reason="tool_calls",
    raw_finish_reason="tool_use",
    usage=Usage(18, 10, 5, 40, 7),
)


def test_a_whole_answer_is_read():
    response, losses = FORMAT.parse_response(json.dumps(WIRE).encode())
    assert response == RESPONSE
    assert [loss.field for loss in losses] == ["content.server_tool_use"]


def test_a_whole_answer_is_written():
    body, losses = FORMAT.render_response(RESPONSE, Reply(model="mine"))
    wire = json.loads(body)
    assert wire["model"] == "mine"
    assert [block["type"] for block in wire["content"]] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
    ]
    assert wire["usage"] == {
        "input_tokens": 3,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "output_tokens": 40,
        "output_tokens_details": {"thinking_tokens": 7},
    }
    assert losses == ()


CITED = TextPart("It rains.", (Citation("https://e.org", "t", "rain", 3, 8), Citation("https://f")))


def test_sources_of_others_are_cited_as_found_by_a_search():
    response = Response(id="r", model="m", parts=(CITED,))
    body, losses = FORMAT.render_response(response, Reply())
    citation = {"type": "web_search_result_location", "encrypted_index": ""}
    assert json.loads(body)["content"][0]["citations"] == [
        {**citation, "url": "https://e.org", "title": "t", "cited_text": "rain"},
        {**citation, "url": "https://f", "title": None, "cited_text": ""},
    ]
    assert [(loss.field, loss.action) for loss in losses] == [("citations", "approximated")]


def test_a_stream_cites_what_a_whole_answer_cites():
    response = Response(id="r", model="m", parts=(CITED,))
    encoder, decoder = FORMAT.encoder(Reply()), FORMAT.decoder()
    stream = b"".join(map(encoder.encode, unfold(response)))
    streamed = fold(decoder.feed(stream) + decoder.feed_eof())
    whole, _ = FORMAT.parse_response(FORMAT.render_response(response, Reply())[0])
    assert streamed.parts == whole.parts
    assert [citation.url for citation in whole.parts[0].citations] == ["https://e.org", "https://f"]


def test_a_refusal_brings_its_explanation():
    wire = {
        **WIRE,
        "content": [],
        "stop_reason": "refusal",
        "stop_details": {"explanation": "I will not."},
    }
    response, _ = FORMAT.parse_response(json.dumps(wire).encode())
    assert response.parts == (RefusalPart("I will not."),)
    assert response.finish_reason == "content_filter"


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"{}", b'{"content":"x"}'])
def test_what_is_no_message_is_an_error_of_the_provider(body):
    with pytest.raises(ProviderResponseError):
        FORMAT.parse_response(body)


def test_foreign_state_travels_in_an_envelope():
    response = Response(id="r", model="m", parts=(ReasoningPart("hm", OpaqueState("gemini", "g")),))
    body, losses = FORMAT.render_response(response, Reply())
    assert losses == ()
    signature = json.loads(body)["content"][0]["signature"]
    assert read(signature) == (Carried(state=OpaqueState("gemini", "g")),)
