from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from addon.wire.memo import Memo


def test_a_result_is_remembered_and_nothing_else():
    memo = Memo(100)
    memo.put("a", 1, weight=10)
    assert memo.get("a") == 1
    assert memo.get("b") is None


def test_what_is_asked_for_outlives_what_is_not():
    memo = Memo(100)
    memo.put("often", 1, weight=10)
    memo.put("once", 2, weight=10)
    for number in range(50):
        memo.put(number, number, weight=10)
        assert memo.get("often") == 1
    assert memo.get("once") is None


def test_what_outweighs_half_the_memory_is_not_remembered():
    memo = Memo(100)
    memo.put("small", 1, weight=50)
    memo.put("large", 2, weight=51)
    assert memo.get("large") is None
    assert memo.get("small") == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))))
def test_all_that_is_remembered_never_weighs_more_than_allowed(steps):
    memo = Memo(100)
    for put, key in steps:
        if put:
            memo.put(key, f"of {key}", weight=7 * key)
        else:
            assert memo.get(key) in (None, f"of {key}")
    assert sum(7 * key for key in range(10) if memo.get(key) is not None) <= 100
