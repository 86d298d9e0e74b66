import pytest

from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    FilePart,
    ImagePart,
    InlineMedia,
    LossList,
    Message,
    PlainText,
    ReasoningPart,
    Request,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire.unexpressed import lose_cache_marks, lose_document_settings, lose_part

MARK = CacheBreakpoint()
MARKED = TextPart("x", cache_breakpoint=MARK)


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_ttl": "1h"},
        {"system": (SystemMessage((MARKED,)),)},
        {"messages": (Message("user", (MARKED,)),)},
        {"messages": (Message("tool", (ToolResultPart("call_1", (MARKED,)),)),)},
        {"tools": (Tool("look", cache_breakpoint=MARK),)},
    ],
)
def test_a_mark_anywhere_is_listed_once(fields):
    losses = LossList()
    lose_cache_marks(Request(model="m", source_format="anthropic", **fields), losses)
    assert [loss.field for loss in losses.to_tuple()] == ["cache_control"]


def test_without_marks_nothing_is_lost():
    losses = LossList()
    plain = Request(
        model="m",
        source_format="anthropic",
        messages=(Message("user", (TextPart("x"),)),),
        tools=(Tool("look"),),
    )
    lose_cache_marks(plain, losses)
    assert losses.to_tuple() == ()


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (ImagePart(InlineMedia("image/png", "")), "image"),
        (FilePart(PlainText("x")), "file"),
        (AudioPart(InlineMedia("audio/wav", ""), "wav"), "audio"),
        (ToolCallPart("call_1", "look", "{}"), "tool_calls"),
        (ReasoningPart("hm"), "reasoning"),
    ],
)
def test_a_part_is_listed_by_its_kind(part, name):
    losses = LossList()
    lose_part(part, losses, "not here")
    assert [loss.field for loss in losses.to_tuple()] == [f"messages.{name}"]


def test_what_is_said_about_a_document_is_listed():
    losses = LossList()
    lose_document_settings(
        FilePart(PlainText("x"), context="a letter", citations_enabled=True), losses
    )
    assert [loss.field for loss in losses.to_tuple()] == [
        "messages.document.context",
        "messages.document.citations",
    ]
