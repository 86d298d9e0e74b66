from __future__ import annotations

from addon.neutral import LossList, Message, TextPart
from addon.wire.written_runs import WrittenRuns


def writer(calls):
    def write(losses):
        calls.append(1)
        losses.dropped("messages.name", "not known")
        return [{"text": len(calls)}]

    return write


def said(text):
    return Message("user", (TextPart(text),))


def test_the_same_messages_are_written_once_for_each_context():
    runs, calls = WrittenRuns(), []
    run = [said("a"), said("b")]
    for context in (("claude",), ("gpt",), ("claude",)):
        runs.write(run, context, LossList(), writer(calls))
    assert len(calls) == 2


def test_other_messages_are_written_even_if_they_say_the_same():
    runs, calls = WrittenRuns(), []
    for run in ([said("a")], [said("a")], [said("a"), said("a")]):
        runs.write(run, (), LossList(), writer(calls))
    assert len(calls) == 3


def test_losses_are_told_every_time():
    runs, run = WrittenRuns(), [said("a")]
    for _ in range(3):
        losses = LossList()
        runs.write(run, (), losses, writer([]))
        assert [loss.field for loss in losses.to_tuple()] == ["messages.name"]


def test_a_message_that_is_gone_is_not_mistaken_for_a_new_one_in_its_place():
    runs = WrittenRuns()
    for number in range(200):
        run = [said(str(number))]  # often where the last one was
        assert runs.write(run, (), LossList(), lambda _, run=run: run[0].parts[0].text) == str(
            number
        )
