"""Keys under which state is kept: the same for the provider's wording and the agent's."""

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import (
    Message,
    OpaqueState,
    ReasoningPart,
    Recurring,
    Request,
    TextPart,
    ToolCallPart,
)
from addon.providers import BUILT_IN, Destination
from addon.translation import Memory
from addon.translation.known_state import ABSENT_FOR
from addon.translation.origins import origin_of
from addon.translation.remembering import STATE, call_key
from addon.vault import MemoryVault
from addon.wire.carrier import Carried, pack

DESTINATION = Destination(
    BUILT_IN["anthropic"], "anthropic", "https://api.anthropic.com", "claude-opus-5"
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES))
def test_arguments_may_be_written_in_another_way(arguments):
    compact = json.dumps(arguments, separators=(",", ":"))
    spacious = json.dumps(dict(reversed(arguments.items())), indent=2, ensure_ascii=False)
    assert call_key("f:0", "f", compact, "function") == call_key("f:0", "f", spacious, "function")


def test_a_call_with_a_counter_is_known_by_what_was_called():
    one = call_key("functions.get_weather:0", "get_weather", '{"city":"Ulm"}', "function")
    two = call_key("functions.get_weather:0", "get_weather", '{"city":"Köln"}', "function")
    assert one != two


@pytest.mark.parametrize("call_id", ["toolu_01A09q90qw90lq917835lq9", "call_" + "0a1b2c3d" * 3])
def test_a_random_id_is_enough(call_id):
    assert call_key(call_id, "f", "{}", "function") == call_key(call_id, "g", "x", "custom")


class CountingVault(MemoryVault):
    def __init__(self):
        super().__init__()
        self.asked = 0

    def get(self, kind, keys):
        self.asked += 1
        return super().get(kind, keys)


def conversation(turns):
    messages = []
    for turn in range(turns):
        call = f"toolu_0123456789ABCDEFG{turn}"
        messages += [
            Message("user", (TextPart("?"),)),
            Message("assistant", (ReasoningPart("hm"), ToolCallPart(call, "f", "{}"))),
        ]
    return Request(model="m", source_format="openai-chat", messages=tuple(messages))


def test_one_request_is_one_question():
    vault = CountingVault()
    Memory(vault).recall(conversation(20), DESTINATION)
    assert vault.asked == 1


def test_nothing_is_asked_when_nothing_is_missing():
    vault = CountingVault()
    memory = Memory(vault)
    request = conversation(0)
    plain = msgspec.structs.replace(
        request, messages=(Message("assistant", (TextPart("Hello."),)),)
    )
    assert memory.recall(plain, DESTINATION) is plain
    assert vault.asked == 0


def recurring(request):
    return msgspec.structs.replace(request, messages=Recurring(request.messages))


def test_what_was_restored_comes_again_as_the_same_object():
    vault, request = MemoryVault(), recurring(conversation(2))
    thought = Carried("hm", OpaqueState("anthropic", "signature", origin=origin_of(DESTINATION)))
    vault.put(STATE, {"call:toolu_0123456789ABCDEFG1": pack([thought])})
    memory = Memory(vault)
    first, second = (memory.recall(request, DESTINATION).messages for _ in range(2))
    assert first[3].parts[0] == ReasoningPart("hm", thought.state)
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert isinstance(first, Recurring)


def test_a_recurring_turn_gets_what_was_kept_since():
    now = [0.0]
    vault, request = MemoryVault(), recurring(conversation(1))
    memory = Memory(vault, clock=lambda: now[0])
    assert memory.recall(request, DESTINATION) is request
    thought = Carried("hm", OpaqueState("anthropic", "signature", origin=origin_of(DESTINATION)))
    vault.put(STATE, {"call:toolu_0123456789ABCDEFG0": pack([thought])})
    now[0] += ABSENT_FOR
    assert memory.recall(request, DESTINATION).messages[1].parts[0].state == thought.state


def test_a_recurring_turn_is_fitted_to_each_destination():
    state = OpaqueState("anthropic", "signature", origin=origin_of(DESTINATION))
    turn = Message("assistant", (TextPart("Hello.", state=state),))
    request = recurring(Request(model="m", source_format="anthropic", messages=(turn,)))
    other = msgspec.structs.replace(DESTINATION, model="claude-sonnet-5")
    memory = Memory(MemoryVault())
    for _ in range(2):
        assert memory.recall(request, DESTINATION) is request
        assert memory.recall(request, other).messages[0].parts == (TextPart("Hello."),)


def test_recalling_is_quick():
    memory = Memory(MemoryVault())
    request = conversation(20)
    began = time.perf_counter()
    for _ in range(20):
        memory.recall(request, DESTINATION)
    assert (time.perf_counter() - began) / 20 < 0.005  # about 0.2 ms on a quiet machine
