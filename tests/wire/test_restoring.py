"""State comes back to the place that it had in its answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import OpaqueState, ReasoningPart, TextPart, ToolCallPart
from addon.wire.carrier import Carried, mint, mint_base64
from addon.wire.restoring import open_envelopes, restore

STATE = OpaqueState("gemini", "S", origin="google:gemini-3-pro")


def thought(text):
    return ReasoningPart(text, OpaqueState("anthropic", f"signed {text}"))


def pieces_of(parts):
    for part in parts:
        match part:
            case ReasoningPart():
                yield Carried(part.text, part.state)
            case ToolCallPart():
                yield Carried(state=part.state, call_id=part.call_id)
            case _:
                yield Carried(state=part.state, signs_text=True)


@st.composite
def answers(draw):
    """Words first, then calls, as Chat keeps them, with thoughts anywhere between."""
    parts = [TextPart("Words.", state=draw(st.none() | st.just(STATE)))] * draw(st.integers(0, 1))
    parts += [
        ToolCallPart(f"c{number}", "x", "{}", state=draw(st.none() | st.just(STATE)))
        for number in range(draw(st.integers(1, 3)))
    ]
    whole = []
    for number, part in enumerate(parts):
        whole += [thought(f"{number}.{turn}") for turn in range(draw(st.integers(0, 2)))]
        whole.append(part)
    return tuple(whole)


def stripped(part):
    if isinstance(part, ToolCallPart):
        return ToolCallPart(part.call_id, part.name, part.arguments)
    return TextPart(part.text)


@given(answers())
def test_what_the_agent_lost_is_put_back(answer):
    returned = [stripped(part) for part in answer if not isinstance(part, ReasoningPart)]
    assert restore(returned, pieces_of(answer)) == answer


@given(answers(), st.text())
def test_words_that_the_agent_shows_as_thoughts_are_replaced(answer, shown):
    returned = [stripped(part) for part in answer if not isinstance(part, ReasoningPart)]
    assert restore([ReasoningPart(shown), *returned], pieces_of(answer)) == answer


def test_a_call_that_the_agent_left_out_loses_nothing_else():
    answer = (
        thought("a"),
        ToolCallPart("1", "x", "{}"),
        thought("b"),
        ToolCallPart("2", "x", "{}"),
    )
    restored = restore([ToolCallPart("2", "x", "{}")], pieces_of(answer))
    assert restored == (thought("a"), thought("b"), ToolCallPart("2", "x", "{}"))


def test_an_envelope_on_a_thought_vouches_for_its_words():
    envelope = OpaqueState("anthropic", mint([Carried(state=STATE)]))
    assert open_envelopes([ReasoningPart("hm", envelope)]) == (ReasoningPart("hm", STATE),)


def test_an_envelope_on_a_call_holds_the_thoughts_before_it():
    first = thought("hm")
    envelope = OpaqueState("gemini", mint_base64([Carried("hm", first.state)]))
    call = ToolCallPart("1", "x", "{}")
    shown = [ReasoningPart("h"), ReasoningPart("m"), ToolCallPart("1", "x", "{}", state=envelope)]
    assert open_envelopes(shown) == (first, call)


def test_an_envelope_on_a_call_knows_where_the_thoughts_before_it_stood():
    early, late = thought("early"), thought("late")
    pieces = [
        Carried("early", early.state),
        Carried(signs_text=True),
        Carried("late", late.state),
    ]
    envelope = OpaqueState("gemini", mint_base64(pieces))
    call = ToolCallPart("1", "x", "{}")
    returned = [TextPart("a"), ToolCallPart("1", "x", "{}", state=envelope)]
    assert open_envelopes(returned) == (early, TextPart("a"), late, call)


def test_an_envelope_behind_words_holds_the_thoughts_before_them():
    first = thought("hm")
    pieces = [Carried("hm", first.state), Carried(signs_text=True)]
    envelope = OpaqueState("gemini", mint_base64(pieces))
    assert open_envelopes([TextPart("a"), TextPart("", state=envelope)]) == (
        first,
        TextPart("a"),
        TextPart(""),
    )


def test_a_damaged_envelope_is_left_out():
    envelope = OpaqueState("anthropic", "dt1.!")
    assert open_envelopes([ReasoningPart("hm", envelope), TextPart("a")]) == (
        ReasoningPart("hm"),
        TextPart("a"),
    )


@given(answers())
def test_parts_without_envelopes_stay(answer):
    assert open_envelopes(answer) == answer


SIGNED = OpaqueState("anthropic", "signature", "signature")
WORDS = Carried(signs_text=True)


def call(*pieces):
    """A call that carries thoughts home, and the places of words among them."""
    envelope = mint([piece if piece is WORDS else Carried(piece, SIGNED) for piece in pieces])
    return ToolCallPart("call_1", "f", "{}", state=OpaqueState("gemini", envelope, "signature"))


def opened(*parts):
    return [
        (part.text, part.state) if isinstance(part, ReasoningPart) else type(part)
        for part in open_envelopes(parts)
    ]


@pytest.mark.parametrize(
    "shown", [(), (ReasoningPart("hm"),), (ReasoningPart("h"), ReasoningPart("m"))]
)
def test_a_thought_stands_where_it_was_thought(shown):
    parts = (*shown, TextPart("Looking."), call("hm", WORDS))
    assert opened(*parts) == [("hm", SIGNED), TextPart, ToolCallPart]


def test_the_same_thought_twice_stands_in_both_places():
    parts = (ReasoningPart("hm"), TextPart("Looking."), call("hm", WORDS, "hm"))
    assert opened(*parts) == [("hm", SIGNED), TextPart, ("hm", SIGNED), ToolCallPart]


def test_a_thought_of_no_known_place_stands_before_its_call():
    parts = (ReasoningPart("shortened"), TextPart("Looking."), call("hm"))
    assert opened(*parts) == [TextPart, ("hm", SIGNED), ToolCallPart]
