import msgspec
import pytest

from addon.neutral import OpaqueState, ReasoningPart, TextPart, ToolCallPart
from addon.wire.carrier import Carried, mint_base64
from addon.wire.restoring import open_envelopes, restore

SIGNED = OpaqueState("anthropic", "Sig=")
CALL = ToolCallPart("toolu_1", "ls", "{}")
PIECES = (Carried("Let me see.\nYes.", SIGNED), Carried(call_id="toolu_1"))


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("<think>\nLet me see.\nYes.\n</think>", ()),
        ("<thinking>Let me see.\nYes.</thinking>\n\nI look.", (TextPart("I look."),)),
        ("<think>Let me", (TextPart("<think>Let me"),)),
        ("<think>Something else.</think>", (TextPart("<think>Something else.</think>"),)),
        ("Let me see.\nYes.", (TextPart("Let me see.\nYes."),)),
    ],
)
def test_thoughts_that_an_agent_returned_as_words_are_not_said_twice(words, left):
    """A signature that is bound to what stands before it would not hold behind them."""
    thought = ReasoningPart("Let me see.\nYes.", SIGNED)
    assert restore((TextPart(words), CALL), PIECES) == (*left, thought, CALL)


def test_without_thoughts_to_restore_words_stay_as_they_are():
    text = TextPart("<think></think> Well.")
    assert restore((text, CALL), (Carried(call_id="toolu_1"),)) == (text, CALL)


def test_words_between_shown_thoughts_and_the_envelope_stay_behind_the_thoughts():
    pieces = [Carried("Hm.", SIGNED), Carried(signs_text=True)]
    envelope = OpaqueState("gemini", mint_base64(pieces))
    shown = [ReasoningPart("H"), ReasoningPart("m."), TextPart("I look.")]
    assert open_envelopes([*shown, msgspec.structs.replace(CALL, state=envelope)]) == (
        ReasoningPart("Hm.", SIGNED),
        TextPart("I look."),
        CALL,
    )
