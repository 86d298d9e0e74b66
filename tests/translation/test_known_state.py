from hypothesis import given
from hypothesis import strategies as st

from addon.translation import known_state
from addon.translation.known_state import ABSENT_FOR, KEPT_FOR, KnownState
from addon.translation.remembering import STATE
from addon.vault import MemoryVault


class Vault(MemoryVault):
    """Counts what it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def get(self, kind, keys):
        assert kind == STATE
        keys = list(keys)
        self.asked.append(keys)
        return super().get(kind, keys)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def make():
    vault, clock = Vault(), Clock()
    return vault, clock, KnownState(vault, clock)


def test_what_is_known_is_not_asked_again():
    vault, clock, known = make()
    vault.put(STATE, {"a": b"1"})
    assert known.get(["a", "b"]) == {"a": b"1"}
    assert known.get(["a", "b", "c"]) == {"a": b"1"}
    assert vault.asked == [["a", "b"], ["c"]]
    clock.now += ABSENT_FOR
    assert known.get(["a", "b"]) == {"a": b"1"}
    clock.now += KEPT_FOR
    assert known.get(["a"]) == {"a": b"1"}
    assert vault.asked[2:] == [["b"], ["a"]]


def test_what_is_put_is_known_and_kept():
    vault, _, known = make()
    assert known.get(["a"]) == {}
    known.put({"a": b"1", "b": b""})
    assert known.get(["a", "b"]) == {"a": b"1", "b": b""}
    assert len(vault.asked) == 1
    assert vault.get(STATE, ["a", "b"]) == {"a": b"1", "b": b""}


def test_another_process_is_heard_of_soon():
    vault, clock, known = make()
    assert known.get(["a"]) == {}
    vault.put(STATE, {"a": b"1"})
    clock.now += ABSENT_FOR
    assert known.get(["a"]) == {"a": b"1"}


def test_it_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(known_state, "MOST_BYTES", 3000)
    _, _, known = make()
    known.put({"large": bytes(4000)})
    for number in range(100):
        known.put({str(number): bytes(300)})
    assert 1 < len(known._entries) < 10
    assert known._size == sum(entry.size for entry in known._entries.values()) <= 3000
    assert known.get(["large", "0", "99"]) == {
        "large": bytes(4000),
        "0": bytes(300),
        "99": bytes(300),
    }


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=3))),
        st.tuples(st.just("get"), st.lists(st.sampled_from("abcd"))),
        st.tuples(st.just("wait"), st.sampled_from([1.0, ABSENT_FOR, KEPT_FOR])),
    )
)


@given(STEPS)
def test_it_says_what_the_store_would_say(steps):
    vault, clock, known = make()
    for step, value in steps:
        match step:
            case "put":
                known.put(value)
            case "get":
                assert known.get(value) == vault.get(STATE, value)
            case _:
                clock.now += value
