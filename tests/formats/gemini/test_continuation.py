import importlib
import json

from hypothesis import given
from hypothesis import strategies as st

from addon.formats.gemini.continuation import continuation
from tests.support.strategies import cuts

QUOTED = 'so `"continuationToken": "not this"` it said'
MODEL = "gemini-4-argon"


def stream(token):
    chunks = [
        {"candidates": [{"content": {"parts": [{"text": QUOTED}]}}]},
        {"candidates": [{"finishReason": "CONTINUATION", **token}]},
        {"usageMetadata": {"promptTokenCount": 1}},
    ]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


@given(st.data(), st.text(min_size=1).filter(lambda token: token.isprintable()))
def test_the_token_is_found_however_the_stream_is_cut(data, token):
    reader = continuation(b'{"contents": []}', MODEL)
    for piece in data.draw(cuts(stream({"continuationToken": token}))):
        reader.feed(piece)
    assert json.loads(reader.follow_up()) == {"contents": [], "continuationToken": token}
    assert reader.follow_up() is None


def test_words_are_no_token():
    reader = continuation(b"{}", MODEL)
    reader.feed(stream({}))
    assert reader.follow_up() is None
    reader.read_whole(json.dumps({"candidates": [{"content": QUOTED}]}).encode())
    assert reader.follow_up() is None


def test_of_a_long_stream_the_end_is_kept(monkeypatch):
    module = importlib.import_module("addon.formats.gemini.continuation")
    monkeypatch.setattr(module, "_LONGEST_TAIL", 500)
    reader = continuation(b"{}", MODEL)
    for _ in range(1000):
        reader.feed(b"data: {}\n\n")
        assert sum(map(len, reader._tail)) <= 1010
    reader.feed(stream({"continuationToken": "t"}))
    assert json.loads(reader.follow_up()) == {"continuationToken": "t"}


def test_older_models_never_suspend():
    assert continuation(b"{}", "gemini-3.8-flash") is None
    assert continuation(b"{}", "gemini-2.5-pro") is None
