import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.think_tags import ThinkTagSplitter
from addon.neutral import ReasoningPart, TextPart, fold


def split(*pieces):
    splitter = ThinkTagSplitter()
    spans = [span for piece in pieces for span in splitter.feed(piece)] + splitter.finish()
    return tuple(
        "".join(words for kind, words in spans if kind == wanted)
        for wanted in ("reasoning", "text")
    )


@pytest.mark.parametrize(
    ("content", "thoughts", "text"),
    [
        ("<think>Hm</think>\n\nA", "Hm", "A"),
        ("\n <think>Hm</think>A", "Hm", "A"),
        ("<think></think>A", "", "A"),
        ("A <think>literal</think>", "", "A <think>literal</think>"),
        ("<think>a</think>b</think>c <think>d", "a", "b</think>c <think>d"),
        ("<think>never closed </thi", "never closed </thi", ""),
        ("<thin", "", "<thin"),
        ("<thinking>x</thinking>", "", "<thinking>x</thinking>"),
        ("<think>a < b </ b</think>c", "a < b </ b", "c"),
        (" " * 100 + "<think>a</think>", "", " " * 100 + "<think>a</think>"),
        ("", "", ""),
    ],
)
def test_tags_count_at_the_beginning_only(content, thoughts, text):
    assert split(content) == (thoughts, text)
    assert split(*content) == (thoughts, text)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "</th", "a", "\n", " "]), max_size=9))
def test_cuts_do_not_matter(pieces):
    assert split(*pieces) == split("".join(pieces)) == split(*"".join(pieces))


@given(st.text(alphabet="<>/think a\n", max_size=40))
def test_nothing_but_tags_and_blanks_is_lost(content):
    thoughts, text = split(content)
    rest = content
    for word in (thoughts, text):
        assert word in rest
        rest = rest.replace(word, "", 1)
    assert not rest.replace("<think>", "").replace("</think>", "").strip()


def read(*deltas):
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    wire = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    decoder = FORMAT.decoder()
    return fold(decoder.feed(wire.encode())).parts


def test_the_stream_tells_thoughts_from_words():
    parts = read({"content": "<th"}, {"content": "ink>Hm</"}, {"content": "think>\nA"})
    assert parts == (ReasoningPart("Hm"), TextPart("A"))


def test_thoughts_sent_apart_leave_the_content_alone():
    parts = read({"reasoning": "Hm"}, {"content": "<think>x</think>"})
    assert parts == (ReasoningPart("Hm"), TextPart("<think>x</think>"))


def test_what_was_held_back_comes_before_a_call():
    call = {"index": 0, "id": "i", "function": {"name": "f", "arguments": "{}"}}
    parts = read({"content": "<thi"}, {"tool_calls": [call]})
    assert parts[0] == TextPart("<thi")
