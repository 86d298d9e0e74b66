import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import ClientRequestError
from addon.rules import apply_edits

BODY = b'{ "model":"gpt-5",\n"temperature" : 1.0, "logit_bias":{"1":2},"n":1e0 }'


def test_only_the_named_fields_change():
    edited = apply_edits(BODY, {"temperature": 0.2, "top_p": 1}, ["logit_bias", "absent"])
    assert edited == b'{ "model":"gpt-5",\n"temperature" : 0.2,"n":1e0,"top_p":1 }'


def test_nothing_to_change_leaves_even_nonsense_alone():
    assert apply_edits(b"not JSON", {}, ()) == b"not JSON"


@pytest.mark.parametrize("body", [b"", b"[]", b"not JSON", b'"text"'])
def test_a_body_that_is_no_object_is_the_agents_mistake(body):
    with pytest.raises(ClientRequestError, match="the body is not a JSON object"):
        apply_edits(body, {"a": 1}, ())


keys = st.sampled_from(["a", "b", "c", "d"])
values = st.none() | st.integers(-9, 9) | st.text(max_size=3) | st.lists(st.booleans(), max_size=2)


@given(st.dictionaries(keys, values), st.dictionaries(keys, values), st.sets(keys))
def test_the_result_is_what_editing_the_object_gives(document, changes, removed):
    removed -= set(changes)
    expected = {key: value for key, value in {**document, **changes}.items() if key not in removed}
    edited = apply_edits(json.dumps(document).encode(), changes, sorted(removed))
    assert json.loads(edited) == expected
