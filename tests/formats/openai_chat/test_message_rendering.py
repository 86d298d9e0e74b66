import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.message_rendering import NO_RESULT, SKIP_SIGNATURE
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    Message,
    NativePart,
    OpaqueState,
    PlainText,
    ReasoningPart,
    RefusalPart,
    Request,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UnsupportedFeature,
    UrlMedia,
)

PICTURE = ImagePart(InlineMedia("image/png", "aGk="))


def text(words):
    return (TextPart(words),)


def user(*parts, name=None):
    return Message("user", tuple(TextPart(p) if isinstance(p, str) else p for p in parts), name)


def assistant(*parts):
    return Message("assistant", tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


def results(**contents):
    return Message(
        "tool",
        tuple(
            ToolResultPart(key, content if isinstance(content, tuple) else text(content))
            for key, content in contents.items()
        ),
    )


def render(*messages, dialect="openai", model="gpt-4.1", system=(), losses=None):
    request = Request(model="m", source_format="anthropic", system=tuple(system), messages=messages)
    rendered = FORMAT.render_request(request, model, dialect)
    if losses is not None:
        losses += [loss.field for loss in rendered.losses]
    return json.loads(rendered.body)["messages"]


A, B = ToolCallPart("a", "read", '{"x":1}'), ToolCallPart("b", "list", "")


def tool(call_id, content):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def test_a_conversation_with_tools():
    assert render(
        user("go"),
        assistant("Let me see.", A, B),
        results(b="two", a="one"),
        user("and?"),
        system=[SystemMessage(text("Be brief.")), SystemMessage(text("Really."), "developer")],
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Really."},
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "read", "arguments": '{"x":1}'},
                },
                {"id": "b", "type": "function", "function": {"name": "list", "arguments": "{}"}},
            ],
        },
        tool("b", "two"),
        tool("a", "one"),
        {"role": "user", "content": "and?"},
    ]


def test_one_turn_told_in_several_messages_is_one_message():
    _, turn, *_ = render(
        user("go"), assistant("I"), assistant(A), assistant(B), results(a="1", b="2")
    )
    assert turn["content"] == "I"
    assert [call["id"] for call in turn["tool_calls"]] == ["a", "b"]


def test_results_are_moved_behind_their_calls():
    losses = []
    rendered = render(user("go"), assistant(A, B), user("wait"), results(a="one"), losses=losses)
    assert rendered[2:] == [
        tool("a", "one"),
        tool("b", NO_RESULT),
        {"role": "user", "content": "wait"},
    ]
    assert losses == ["messages"]


def test_calls_at_the_end_get_a_result_too():
    assert render(user("go"), assistant(A))[-1] == tool("a", NO_RESULT)


def test_the_last_of_two_results_counts():
    rendered = render(user("go"), assistant(A), results(a="old"), results(a="new"), user("x"))
    assert rendered[2:] == [tool("a", "new"), {"role": "user", "content": "x"}]


def test_a_result_without_call_becomes_words():
    losses = []
    rendered = render(user("go"), results(z="lost"), losses=losses)
    assert rendered[1]["role"] == "user"
    assert "lost" in json.dumps(rendered[1])
    assert losses == ["messages"]


def test_ids_may_be_used_again_in_later_turns():
    rendered = render(user("go"), assistant(A), results(a="1"), assistant(A), results(a="2"))
    assert [m["content"] for m in rendered if m["role"] == "tool"] == ["1", "2"]


def test_pictures_of_results_follow_all_results():
    losses = []
    rendered = render(
        user("go"),
        assistant(A, B),
        results(a=(TextPart("seen"), PICTURE), b=(PICTURE,)),
        user("nice"),
        losses=losses,
    )
    assert [message["role"] for message in rendered[2:]] == ["tool", "tool", "user", "user"]
    assert rendered[2]["content"] == "seen"
    assert rendered[3]["content"]
    kinds = [part["type"] for part in rendered[4]["content"]]
    assert kinds == ["text", "image_url", "text", "image_url"]
    assert losses == ["messages.content"]


def test_failed_calls_are_listed():
    losses = []
    part = ToolResultPart("a", text("boom"), is_error=True)
    rendered = render(user("go"), assistant(A), Message("tool", (part,)), losses=losses)
    assert rendered[2] == tool("a", "boom")
    assert losses == ["tool_result.is_error"]


@pytest.mark.parametrize(
    ("dialect", "model", "expected"),
    [
        ("openai", "gpt-4.1", {}),
        ("deepseek", "deepseek-v4-pro", {"reasoning_content": "Hm"}),
        ("moonshot", "kimi-k3", {"reasoning_content": "Hm"}),
        ("glm", "glm-5.3", {"reasoning_content": "Hm"}),
        ("qwen", "qwen3.8-max", {"reasoning_content": "Hm"}),
        ("openrouter", "x/y", {"reasoning": "Hm"}),
        ("mistral", "mistral-large-4", {}),
    ],
)
def test_thoughts_go_back_where_they_are_wanted(dialect, model, expected):
    thought = ReasoningPart("Hm", OpaqueState("anthropic", "sig"))
    turn = render(user("go"), assistant(thought, "A", A), dialect=dialect, model=model)[1]
    assert {key: turn[key] for key in turn if key.startswith("reasoning")} == expected
    assert "sig" not in json.dumps(turn)


@pytest.mark.parametrize(
    ("dialect", "thought"),
    [("deepseek", " "), ("moonshot", " "), ("glm", None), ("openai", None)],
)
def test_missing_thoughts_are_filled_in_where_they_are_demanded(dialect, thought):
    rendered = render(user("go"), assistant(A), results(a="1"), assistant("done"), dialect=dialect)
    assert rendered[1].get("reasoning_content") == thought
    assert "reasoning_content" not in rendered[3]


def test_the_developer_is_called_system_where_he_is_unknown():
    system = [SystemMessage(text("a"), "developer")]
    late = Message("system", text("b"), developer=True)
    for dialect, role in (("openai", "developer"), ("deepseek", "system"), ("mistral", "system")):
        rendered = render(user("x"), late, system=system, dialect=dialect)
        assert [rendered[0]["role"], rendered[2]["role"]] == [role, role]


def test_local_templates_take_one_leading_system_message():
    system = [SystemMessage(text("a")), SystemMessage(text("b"))]
    rendered = render(user("x"), Message("system", text("c")), system=system, dialect="local")
    assert rendered[0] == {"role": "system", "content": "a\n\nb"}
    assert [message["role"] for message in rendered] == ["system", "user", "user"]
    assert "<system>" in rendered[2]["content"]


@pytest.mark.parametrize(
    ("call_id", "dialect", "kept"),
    [
        ("call_123", "openai", True),
        ("x" * 41, "openai", False),
        ("x" * 64, "deepseek", True),
        ("x" * 446, "deepseek", False),
        ("abcdefghi", "mistral", True),
        ("call_123", "mistral", False),
    ],
)
def test_ids_obey_the_provider(call_id, dialect, kept):
    call = ToolCallPart(call_id, "f", "{}")
    messages = (user("go"), assistant(call), Message("tool", (ToolResultPart(call_id, text("1")),)))
    rendered = render(*messages, dialect=dialect)
    called, answered = rendered[1]["tool_calls"][0]["id"], rendered[2]["tool_call_id"]
    assert called == answered
    assert (called == call_id) is kept
    assert len(called) == 9 if dialect == "mistral" else len(called) <= 64
    assert rendered == render(*messages, dialect=dialect)


def test_custom_calls_are_wrapped_the_way_tools_are():
    call = ToolCallPart("a", "patch", 'x "y"', "custom")
    native = render(user("go"), assistant(call))[1]["tool_calls"][0]
    assert native == {"id": "a", "type": "custom", "custom": {"name": "patch", "input": 'x "y"'}}
    wrapped = render(user("go"), assistant(call), dialect="deepseek")[1]["tool_calls"][0]
    assert json.loads(wrapped["function"]["arguments"]) == {"input": 'x "y"'}


def test_google_gets_its_word_for_a_missing_signature():
    calls = render(user("go"), assistant(A, B), dialect="google")[1]["tool_calls"]
    assert calls[0]["extra_content"] == {"google": {"thought_signature": SKIP_SIGNATURE}}
    assert "extra_content" not in calls[1]
    signed = ToolCallPart("a", "f", "{}", state=OpaqueState("openai-chat", "sig"))
    (call,) = render(user("go"), assistant(signed), dialect="google")[1]["tool_calls"]
    assert call["extra_content"] == {"google": {"thought_signature": "sig"}}
    assert "sig" not in json.dumps(render(user("go"), assistant(signed)))


def test_names_are_dropped_where_they_are_refused():
    losses = []
    assert render(user("x", name="bob"), losses=losses)[0]["name"] == "bob"
    assert "name" not in render(user("x", name="bob"), dialect="groq", losses=losses)[0]
    assert losses == ["messages.name"]


def test_mistral_wants_a_begun_answer_marked():
    rendered = render(user("x"), assistant("It is"), dialect="mistral")
    assert rendered[-1] == {"role": "assistant", "content": "It is", "prefix": True}
    assert "prefix" not in render(user("x"), assistant("It is"))[-1]


def test_refusals_and_empty_turns():
    assert render(user("x"), assistant(RefusalPart("No.")), user("y"))[1]["content"] == "No."
    assert len(render(user("x"), assistant(ReasoningPart("Hm")), user("y"))) == 2
    assert render() == [{"role": "user", "content": "(empty)"}]


def test_cache_markers_where_they_are_known():
    marked = TextPart("x", cache_breakpoint=CacheBreakpoint("1h"))
    explicit = {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    assert render(user(marked), model="gpt-6-sol")[0]["content"] == [explicit]
    assert render(user(marked), model="gpt-4.1")[0]["content"] == "x"
    control = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert render(user(marked), dialect="openrouter")[0]["content"] == [control]
    assert render(user(marked), dialect="deepseek")[0]["content"] == "x"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (PICTURE, {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}),
        (
            ImagePart(UrlMedia("https://a"), "low"),
            {"type": "image_url", "image_url": {"url": "https://a", "detail": "low"}},
        ),
        (
            FilePart(InlineMedia("application/pdf", "aGk="), "a.pdf"),
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            },
        ),
        (
            FilePart(FileReference("openai-chat", "file-1")),
            {"type": "file", "file": {"file_id": "file-1"}},
        ),
        (
            FilePart(PlainText("words"), "a.txt", "context"),
            {"type": "text", "text": "a.txt:\ncontext\nwords"},
        ),
        (FilePart(InlineMedia("text/plain", "aGk=")), {"type": "text", "text": "hi"}),
        (
            AudioPart(InlineMedia("audio/wav", "aGk="), "wav"),
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        ),
    ],
)
def test_every_part(part, expected):
    assert render(user(TextPart("see"), part))[0]["content"][1] == expected


@pytest.mark.parametrize(
    ("part", "dialect", "feature"),
    [
        (PICTURE, "deepseek", "image_url"),
        (ImagePart(UrlMedia("https://a")), "moonshot", "image_url"),
        (ImagePart(FileReference("anthropic", "f")), "openai", "image_url"),
        (FilePart(InlineMedia("application/pdf", "aGk=")), "groq", "file"),
        (FilePart(UrlMedia("https://a/b.pdf")), "openai", "file"),
        (FilePart(FileReference("anthropic", "f")), "openai", "file"),
        (AudioPart(InlineMedia("audio/wav", "aGk="), "wav"), "deepseek", "input_audio"),
    ],
)
def test_content_that_cannot_be_told_is_refused_by_name(part, dialect, feature):
    with pytest.raises(UnsupportedFeature) as caught:
        render(user(part), dialect=dialect)
    assert caught.value.feature == feature


def test_other_formats_own_parts_are_dropped():
    losses = []
    native = NativePart("anthropic", "server_tool_use", {})
    assert render(user("x", native), assistant("y", native), losses=losses)[0]["content"] == "x"
    assert losses == ["server_tool_use"]


turns = st.lists(
    st.sampled_from(
        [
            (user("u"),),
            (Message("system", text("s")),),
            (assistant("t"),),
            (assistant(A, B), results(b="2", a="1")),
            (assistant(A), results(a=(TextPart("1"), PICTURE))),
            (assistant(ReasoningPart("h"), A), results(a="1"), user("v")),
        ]
    ),
    max_size=8,
)


@given(turns, st.sampled_from(["openai", "deepseek", "mistral", "local", "google"]))
def test_a_longer_conversation_begins_like_the_shorter(groups, dialect):
    messages = [user("first")]
    earlier = None
    for group in groups:
        before_assistant = group[0].role == "assistant" and messages[-1].role != "assistant"
        if before_assistant:
            earlier = len(messages)
        messages += group
    if earlier is None:
        return
    try:
        whole = render(*messages, dialect=dialect)
        start = render(*messages[:earlier], dialect=dialect)
    except UnsupportedFeature:
        return
    assert whole[: len(start)] == start
