"""Completions with a suffix, in the words of who fills in between two texts, and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.openai_chat.infill import WAYS, InfillAnswer, has_suffix, render_infill
from addon.neutral import ClientRequestError, ProviderResponseError
from addon.wire.sse import SseDecoder

ASKED = {"model": "m", "prompt": "a", "suffix": "b", "stream_options": {"include_usage": True}}
LLAMA = [
    b'data: {"content":"x\xc3\xa9","stop":false}\n\n',
    b'data: {"content":"","stop":true,"stop_type":"limit","tokens_predicted":2,'
    b'"tokens_evaluated":3,"model":"n"}\n\n',
]
CHAT = [
    b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n',
    b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
ERROR = [b'data: {"error":{"code":500,"message":"no"}}\n\n']


def events(written):
    decoder = SseDecoder()
    return [*decoder.feed(written), *decoder.flush()]


@pytest.mark.parametrize("stream", [LLAMA, CHAT, ERROR, [*LLAMA[:1], *ERROR]])
@given(data=st.data())
def test_pieces_do_not_matter(stream, data):
    whole = b"".join(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    body = json.dumps(ASKED).encode()
    at_once = InfillAnswer(body).feed(whole)
    answer = InfillAnswer(body)
    bounds = zip([0, *cuts], [*cuts, len(whole)], strict=True)
    written = b"".join(answer.feed(whole[start:end]) for start, end in bounds)
    assert events(written) == events(at_once)  # but for comments


def test_llama_cpps_stream():
    said = events(InfillAnswer(json.dumps(ASKED).encode()).feed(b"".join(LLAMA)))
    first, last, usage = (json.loads(event.data) for event in said[:-1])
    assert said[-1].data == b"[DONE]"
    assert first["choices"][0] | {"text": "xé", "finish_reason": None} == first["choices"][0]
    assert first["model"] == "m"
    assert last["choices"][0]["finish_reason"] == "length"
    assert usage["choices"] == []
    assert usage["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_errors_in_a_stream_pass():
    said = events(InfillAnswer(b"{}").feed(ERROR[0]))
    assert json.loads(said[0].data)["error"]["message"] == "no"


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"<html>"])
def test_what_is_no_answer(answer):
    with pytest.raises(ProviderResponseError):
        InfillAnswer(b"{}").whole(answer)


@pytest.mark.parametrize(
    ("base_url", "dialect", "address"),
    [
        ("https://api.deepseek.com/v1", "deepseek", "https://api.deepseek.com/beta/completions"),
        ("https://api.deepseek.com/beta", "deepseek", "https://api.deepseek.com/beta/completions"),
        ("https://api.deepseek.com/", "deepseek", "https://api.deepseek.com/beta/completions"),
        ("https://api.mistral.ai/v1", "mistral", "https://api.mistral.ai/v1/fim/completions"),
        ("http://127.0.0.1:8080/v1", "llama.cpp", "http://127.0.0.1:8080/infill"),
    ],
)
def test_addresses(base_url, dialect, address):
    way = WAYS[dialect]
    assert way.base_url(base_url) + way.path == address


@pytest.mark.parametrize("dialect", WAYS)
def test_one_prompt_in_a_list_is_one(dialect):
    body = json.dumps({**ASKED, "prompt": ["a"], "user": None}).encode()
    rendered = render_infill(body, "n", WAYS[dialect])
    written = json.loads(rendered.body)
    assert "a" in written.values()
    assert written["model"] == "n"
    assert not rendered.losses


@pytest.mark.parametrize(
    ("body", "found"),
    [(b'{"suffix": "x"}', True), (b'{"suffix": ""}', False), (b'{"a": "suffix"}', False)],
)
def test_a_suffix_is_seen(body, found):
    assert has_suffix(body) == found


def test_no_object():
    with pytest.raises(ClientRequestError):
        render_infill(b"[]", "n", WAYS["mistral"])
