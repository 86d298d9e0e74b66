import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.anthropic.call_ids import legal_call_id
from addon.formats.anthropic.models import claude_model
from addon.formats.anthropic.turns import NO_RESULT, render_turns
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    FileReference,
    ImagePart,
    InlineMedia,
    LossList,
    Message,
    OpaqueState,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UnsupportedFeature,
    UrlMedia,
)

SONNET = claude_model("claude-sonnet-5")
OPUS = claude_model("claude-opus-5-5")
OLD = claude_model("claude-haiku-4-5")
PNG = "iVBORw0KGgo="


def user(text):
    return Message("user", (TextPart(text),))


def assistant(*parts):
    return Message("assistant", tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


def call(call_id, name="ls", arguments="{}"):
    return ToolCallPart(call_id, name, arguments)


def result(call_id, text="ok"):
    return Message("tool", (ToolResultPart(call_id, (TextPart(text),)),))


def system(text):
    return Message("system", (TextPart(text),))


def turns(*messages, model=SONNET, instruction=None):
    losses = LossList()
    return render_turns(messages, model, losses, instruction), losses.to_tuple()


def kinds(turn):
    return [block["type"] for block in turn["content"]]


def test_results_come_first_in_the_order_of_the_calls():
    rendered, losses = turns(
        user("go"),
        assistant("ok", call("a"), call("b")),
        user("meanwhile"),
        result("b", "B"),
        result("a", "A"),
    )
    assert [turn["role"] for turn in rendered] == ["user", "assistant", "user"]
    assert kinds(rendered[1]) == ["text", "tool_use", "tool_use"]
    assert kinds(rendered[2]) == ["tool_result", "tool_result", "text"]
    assert [block["content"] for block in rendered[2]["content"][:2]] == ["A", "B"]
    assert losses == ()


def test_a_call_without_a_result_gets_an_empty_one():
    rendered, losses = turns(user("go"), assistant(call("a"), call("b")), result("b"), user("x"))
    missing, given_result, _ = rendered[2]["content"]
    assert (missing["tool_use_id"], missing["content"], missing["is_error"]) == (
        "a",
        NO_RESULT,
        True,
    )
    assert given_result["tool_use_id"] == "b"
    assert [loss.action for loss in losses] == ["approximated"]


def test_calls_at_the_very_end_are_answered_too():
    rendered, _ = turns(user("go"), assistant(call("a")))
    assert kinds(rendered[-1]) == ["tool_result"]


def test_a_result_without_its_call_becomes_words():
    rendered, losses = turns(user("go"), result("zzz", "42"))
    assert kinds(rendered[0]) == ["text", "text", "text"]
    assert "42" in rendered[0]["content"][2]["text"]
    assert losses[0].reason == "a tool result without its call became user text"


def test_the_last_of_two_results_for_one_call_counts():
    rendered, losses = turns(assistant(call("a")), result("a", "old"), result("a", "new"))
    assert [block["content"] for block in rendered[1]["content"]] == ["new"]
    assert "earlier of two results" in losses[0].reason


def test_blank_texts_and_empty_turns_disappear():
    rendered, _ = turns(user("hi"), user("  \n"), assistant("", " "), user("there"))
    assert rendered == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}],
        }
    ]


def test_an_empty_conversation_still_has_a_turn():
    rendered, losses = turns()
    assert rendered[0]["role"] == "user"
    assert rendered[0]["content"][0]["text"].strip()
    assert losses


def test_a_prefill_is_answered_by_a_nudge_where_it_is_refused():
    newer, _ = turns(user("a"), assistant("b "))
    older, _ = turns(user("a"), assistant("b "), model=OLD)
    assert newer[-1]["role"] == "user"
    assert older[-1] == {"role": "assistant", "content": [{"type": "text", "text": "b"}]}


def test_a_late_system_message_is_native_where_the_model_obeys_it():
    rendered, losses = turns(user("a"), assistant("b"), system("be terse"), user("c"), model=OPUS)
    assert [turn["role"] for turn in rendered] == ["user", "assistant", "user", "system"]
    assert rendered[-1] == {"role": "system", "content": "be terse"}
    assert losses == ()


def test_a_late_system_message_elsewhere_stands_behind_the_results():
    rendered, losses = turns(
        user("a"), assistant(call("x")), system("be terse"), result("x"), user("c")
    )
    assert kinds(rendered[2]) == ["tool_result", "text", "text"]
    assert rendered[2]["content"][1]["text"] == "<system>\nbe terse\n</system>"
    assert losses[0].action == "approximated"


def test_a_native_system_message_never_follows_an_assistant_turn():
    rendered, _ = turns(user("a"), assistant("b"), system("c"), model=OPUS)
    assert [turn["role"] for turn in rendered] == ["user", "assistant", "user", "system"]


@pytest.mark.parametrize("model", [SONNET, OPUS])
def test_an_instruction_stands_at_the_very_end(model):
    rendered, _ = turns(user("a"), model=model, instruction="call it")
    assert "call it" in json.dumps(rendered[-1])


def test_only_own_signed_thoughts_are_sent_back():
    rendered, losses = turns(
        user("a"),
        assistant(
            ReasoningPart("hm", OpaqueState("anthropic", "sig")),
            ReasoningPart("", OpaqueState("anthropic", "xx", "redacted")),
            ReasoningPart("foreign", OpaqueState("gemini", "g")),
            ReasoningPart("unsigned"),
            call("a"),
        ),
        result("a"),
    )
    assert kinds(rendered[1]) == ["thinking", "redacted_thinking", "tool_use"]
    assert rendered[1]["content"][0] == {
        "type": "thinking",
        "thinking": "hm",
        "signature": "sig",
    }
    assert [loss.field for loss in losses] == ["reasoning"]


def test_arguments_that_are_no_object_are_kept():
    rendered, losses = turns(
        assistant(call("a", arguments='{"p":'), call("b", arguments=""), call("c", arguments="[1]"))
    )
    inputs = [block["input"] for block in rendered[0]["content"]]
    assert inputs == [{"_raw": '{"p":'}, {}, {"_raw": "[1]"}]
    assert losses[0].field == "tool_calls.arguments"


def test_a_custom_call_is_wrapped():
    part = ToolCallPart("a", "apply_patch", "*** Begin", kind="custom")
    rendered, _ = turns(assistant(part))
    assert rendered[0]["content"][0]["input"] == {"input": "*** Begin"}


def test_pictures_in_results_stay_in_them():
    content = (TextPart("see"), ImagePart(InlineMedia("image/png", PNG)))
    rendered, losses = turns(assistant(call("a")), Message("tool", (ToolResultPart("a", content),)))
    assert [piece["type"] for piece in rendered[1]["content"][0]["content"]] == ["text", "image"]
    assert losses == ()


def test_an_empty_result_has_no_content_at_all():
    rendered, _ = turns(assistant(call("a")), Message("tool", (ToolResultPart("a", ()),)))
    assert rendered[1]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]


def test_a_failed_tool_is_marked():
    message = Message("tool", (ToolResultPart("a", (TextPart("boom"),), is_error=True),))
    rendered, _ = turns(assistant(call("a")), message)
    assert rendered[1]["content"][0]["is_error"] is True


@pytest.mark.parametrize(
    ("part", "feature"),
    [
        (AudioPart(InlineMedia("audio/wav", "AA=="), "wav"), "input_audio"),
        (ImagePart(UrlMedia("http://example.com/a.png")), "image_url"),
        (ImagePart(InlineMedia("image/tiff", "AAAA")), "image_url"),
        (ImagePart(FileReference("openai-chat", "file-1")), "file_id"),
    ],
)
def test_content_that_cannot_be_said_is_refused_by_name(part, feature):
    with pytest.raises(UnsupportedFeature) as caught:
        turns(Message("user", (part,)))
    assert caught.value.feature == feature


def test_a_picture_without_a_type_is_recognised_by_its_bytes():
    rendered, _ = turns(Message("user", (ImagePart(InlineMedia("", PNG)),)))
    assert rendered[0]["content"][0]["source"]["media_type"] == "image/png"


@given(st.text(max_size=600), st.text(max_size=600))
def test_call_ids_become_legal_without_colliding(one, other):
    first, second = legal_call_id(one), legal_call_id(other)
    assert first == legal_call_id(one)
    assert (first == second) == (one == other)
    assert 1 <= len(first) <= 128
    assert legal_call_id(first) == first


@st.composite
def conversations(draw):
    """Requests of one growing conversation: each ends where an agent would send it."""
    messages, ends, count = [user("start")], [1], itertools.count()
    for _ in range(draw(st.integers(1, 4))):
        calls = [f"c{next(count)}" for _ in range(draw(st.integers(0, 3)))]
        said = ["text"] if draw(st.booleans()) or not calls else []
        messages.append(assistant(*said, *map(call, calls)))
        for call_id in draw(st.permutations(calls)):
            messages.append(result(call_id))
        if not calls or draw(st.booleans()):
            messages.append(draw(st.sampled_from([user("more"), system("note")])))
        ends.append(len(messages))
    return [messages[:end] for end in ends]


@given(conversations(), st.sampled_from([SONNET, OPUS, OLD]))
def test_a_longer_conversation_begins_with_the_same_bytes(requests, model):
    rendered = [json.dumps(turns(*messages, model=model)[0])[:-1] for messages in requests]
    for shorter, longer in itertools.pairwise(rendered):
        assert longer.startswith(shorter)


@given(conversations(), st.sampled_from([SONNET, OPUS, OLD]))
def test_turns_alternate_and_answer_their_calls(requests, model):
    rendered, _ = turns(*requests[-1], model=model)
    spoken = [turn for turn in rendered if turn["role"] != "system"]
    for before, after in itertools.pairwise(spoken):
        assert before["role"] != after["role"]
        asked = [b["id"] for b in before["content"] if b["type"] == "tool_use"]
        answered = [b["tool_use_id"] for b in after["content"] if b["type"] == "tool_result"]
        assert answered == asked


@pytest.mark.parametrize("name", ["claude-opus-5-5", "claude-haiku-4-5"])
def test_a_late_instruction_keeps_its_cache_mark(name):
    marked = TextPart("Be brief.", cache_breakpoint=CacheBreakpoint("1h"))
    messages = [Message("user", (TextPart("Hi"),)), Message("system", (marked,))]
    turns = render_turns(messages, claude_model(name), LossList(), None)
    last = turns[-1]["content"][-1]
    assert last["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
