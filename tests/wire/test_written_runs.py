from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import LossList, Message, Recurring, TextPart
from addon.wire.written_runs import WrittenRuns


class Writer:
    """Writes conversations, and counts the runs that it had to write."""

    def __init__(self):
        self.runs = WrittenRuns()
        self.written = 0

    def write(self, run, state, losses):
        self.written += 1
        texts = [part.text for message in run for part in message.parts]
        losses.dropped(texts[0], "not known")
        return [{"said": texts, "after": state}], f"{state}{len(run)}"

    def __call__(self, messages, context="claude"):
        losses = LossList()
        written, state = self.runs.write(messages, context, "", losses, self.write)
        return written, state, [loss.field for loss in losses.to_tuple()]


def said(role, text):
    return Message(role, (TextPart(text),))


KNOWN = [said(role, text) for role in ("user", "assistant", "tool") for text in "abc"]
CONVERSATIONS = st.lists(st.lists(st.sampled_from(KNOWN), max_size=8), min_size=1, max_size=6)


@given(CONVERSATIONS)
def test_whatever_came_before_a_conversation_is_written_alike(conversations):
    writer = Writer()
    for messages in conversations:
        for length in range(len(messages) + 1):
            part = messages[:length]
            assert writer(Recurring(part)) == Writer()(tuple(part))


def test_a_run_is_written_once():
    writer = Writer()
    messages = [said(("user", "assistant")[number % 2], str(number)) for number in range(30)]
    for length in range(1, 31):
        writer(Recurring(messages[:length]))
    assert writer.written == 30


def test_a_run_is_written_once_even_after_one_that_has_changed():
    writer = Writer()
    messages = [said(("user", "assistant")[number % 2], str(number)) for number in range(30)]
    writer(Recurring(messages))
    writer(Recurring([*messages[:10], said("user", "other"), *messages[11:]]))
    assert writer.written == 31


def test_each_context_has_runs_of_its_own():
    writer = Writer()
    messages = Recurring([said("user", "a"), said("assistant", "b"), said("user", "c")])
    for context in ("claude", "gemini", "claude", "gemini"):
        writer(messages, context)
    assert writer.written == 6


def test_messages_that_do_not_recur_are_not_remembered():
    writer = Writer()
    messages = (said("user", "a"),)
    writer(messages)
    writer(messages)
    assert writer.written == 2


def test_a_message_that_is_gone_is_not_mistaken_for_a_new_one_in_its_place():
    writer = Writer()
    for number in range(200):
        written, _, _ = writer(Recurring([said("user", str(number))]))
        assert written[0]["said"] == [str(number)]


def test_a_mistake_is_made_again():
    runs = WrittenRuns()
    messages = Recurring([said("user", "a")])

    def refuse(run, state, losses):
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            runs.write(messages, None, "", LossList(), refuse)
