import pytest

from addon.formats.anthropic.models import OTHER_MAKER, claude_model
from addon.formats.anthropic.thinking import Thinking, loop_lacks_thoughts, render_thinking
from addon.neutral import (
    LossList,
    Message,
    OpaqueState,
    ReasoningConfig,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ADAPTIVE = {"type": "adaptive", "display": "summarized"}


def render(model, reasoning):
    losses = LossList()
    chosen = claude_model(model) if model else OTHER_MAKER
    return render_thinking(reasoning, chosen, losses), losses.to_tuple()


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "sent_effort", "lossy"),
    [
        ("claude-opus-5-5", "medium", ADAPTIVE, "medium", False),
        ("claude-opus-5-5", "max", ADAPTIVE, "max", False),
        ("claude-opus-5-5", "minimal", ADAPTIVE, "low", True),
        ("claude-opus-5-5", "none", ADAPTIVE, "low", True),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None, True),
        ("claude-haiku-5-5", "none", {"type": "disabled"}, None, False),
        ("claude-opus-4-8", "none", None, None, False),
        ("claude-opus-4-8", "xhigh", ADAPTIVE, "xhigh", False),
        ("claude-opus-4-6", "xhigh", ADAPTIVE, "high", True),
        ("claude-opus-4-6", "max", ADAPTIVE, "max", False),
        ("claude-haiku-4-5", "high", {"type": "enabled", "budget_tokens": 4096}, None, False),
        ("claude-haiku-4-5", "none", None, None, False),
        ("claude-3-5-sonnet-latest", "high", None, None, True),
        ("claude-3-5-sonnet-latest", "none", None, None, False),
        (None, "low", {"type": "enabled", "budget_tokens": 1024}, None, False),
    ],
)
def test_efforts_in_the_words_of_each_generation(model, effort, thinking, sent_effort, lossy):
    rendered, losses = render(model, ReasoningConfig(effort=effort))
    assert rendered == Thinking(thinking, sent_effort)
    assert bool(losses) == lossy


def test_thoughts_that_come_by_default_are_made_visible():
    assert render("claude-opus-5-5", None)[0] == Thinking(ADAPTIVE)
    assert render("claude-opus-4-8", None)[0] == Thinking()


def test_a_budget_becomes_an_effort_where_budgets_are_refused():
    rendered, losses = render("claude-opus-5-5", ReasoningConfig(budget_tokens=10_000))
    assert rendered.effort == "high"
    assert losses[0].field == "thinking.budget_tokens"


def test_a_tiny_budget_is_raised_to_the_least_allowed():
    rendered, _ = render("claude-haiku-4-5", ReasoningConfig(budget_tokens=10))
    assert rendered.budget == 1024


CALL = ToolCallPart("a", "ls", "{}")
THOUGHT = ReasoningPart("", OpaqueState("anthropic", "sig"))
USER = Message("user", (TextPart("go"),))
RESULT = Message("tool", (ToolResultPart("a", ()),))


@pytest.mark.parametrize(
    ("messages", "lacks"),
    [
        ([USER], False),
        ([USER, Message("assistant", (CALL,)), RESULT], True),
        ([USER, Message("assistant", (THOUGHT, CALL)), RESULT], False),
        ([USER, Message("assistant", (ReasoningPart("x"), CALL)), RESULT], True),
        ([USER, Message("assistant", (CALL,)), RESULT, USER], True),
        ([USER, Message("assistant", (CALL,)), RESULT, Message("assistant", ()), USER], False),
        (
            [
                USER,
                Message("assistant", (THOUGHT, CALL)),
                RESULT,
                Message("assistant", (CALL,)),
                RESULT,
            ],
            True,
        ),
    ],
)
def test_the_loop_under_way_is_searched_for_lost_thoughts(messages, lacks):
    assert loop_lacks_thoughts(messages) is lacks
