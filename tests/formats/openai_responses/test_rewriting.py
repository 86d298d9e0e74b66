import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ClientRequestError, OpaqueState
from addon.wire.carrier import Carried, mint

FORMAT = FORMATS["openai-responses"]
LINE = RequestLine("/v1/responses")


def rewrite(body):
    return FORMAT.rewrite_request(body, LINE, "new", "openai")


def test_nothing_but_the_model_changes():
    body = b'{ "input" : [ {"role":"user","content":"\\u00fc"} ],\n "model":"old", "x":1.0}'
    rendered = rewrite(body)
    assert rendered.body == body.replace(b'"old"', b'"new"')
    assert (rendered.path, rendered.losses) == ("/responses", ())


def test_the_same_model_leaves_every_byte():
    body = b'{"model": "new" ,"input":"x"}  '
    assert rewrite(body).body is body


@pytest.mark.parametrize("place", [0, 1, 2])
def test_thoughts_of_another_provider_stay_away(place):
    envelope = mint([Carried("hm", OpaqueState("anthropic", "sig"))])
    own = [{"role": "user", "content": "dt1. is a word"},
           {"type": "reasoning", "encrypted_content": "gAAA"}]  # fmt: skip
    given_items = list(own)
    given_items.insert(place, {"type": "reasoning", "encrypted_content": envelope})
    body = json.dumps({"model": "new", "input": given_items, "z": 1}).encode()
    rendered = rewrite(body)
    assert json.loads(rendered.body) == {"model": "new", "input": own, "z": 1}
    assert [loss.field for loss in rendered.losses] == ["reasoning"]


def test_an_envelope_that_is_only_spoken_of_changes_nothing():
    body = b'{"model":"new","input":[{"role":"user","content":"dt1.abc"}]}'
    assert rewrite(body).body == body


@given(st.binary(max_size=60))
def test_a_body_that_is_no_object_is_refused(junk):
    for body in (junk, b"[" + junk, b'"dt1.' + junk):
        try:
            rewrite(body)
        except ClientRequestError:
            continue
