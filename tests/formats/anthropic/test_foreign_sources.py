import json

from hypothesis import given
from hypothesis import strategies as st

from addon.formats.anthropic.foreign_sources import without_foreign_sources
from addon.formats.anthropic.hosted_calls import hosted_blocks
from addon.neutral import Citation, HostedCallPart

OWN = {"type": "web_search_result_location", "url": "https://o", "encrypted_index": "Eo8B"}
FOREIGN = {"type": "web_search_result_location", "url": "https://f", "encrypted_index": ""}
SEARCH = HostedCallPart("s1", "web_search", "rain", sources=(Citation("https://f", "t"),))


def said(*citations):
    return {"type": "text", "text": "It  rains.", "citations": list(citations)}


def left(*blocks, role="assistant"):
    body = {"model": "m", "messages": [{"role": role, "content": list(blocks)}], "max_tokens": 1}
    found = json.loads(without_foreign_sources(json.dumps(body).encode()))
    return found["messages"][0]["content"]


def test_what_others_cited_is_left_out_and_own_citations_stay():
    assert left(said(OWN, FOREIGN)) == [said(OWN)]
    assert left(said(FOREIGN)) == [{"type": "text", "text": "It  rains."}]


def test_what_others_searched_is_left_out():
    words = {"type": "text", "text": "."}
    assert left(*hosted_blocks(SEARCH), words) == [words]
    assert left(*hosted_blocks(SEARCH)) == [words]


def test_the_users_blocks_stay():
    assert left(said(FOREIGN), role="user") == [said(FOREIGN)]


@given(st.lists(st.sampled_from([said(OWN), {"type": "text", "text": "encrypted_"}])))
def test_without_foreign_sources_every_byte_stays(blocks):
    body = json.dumps({"messages": [{"role": "assistant", "content": blocks}]}, indent=1).encode()
    assert without_foreign_sources(body) == body


@given(st.binary())
def test_no_bytes_are_trusted(data):
    assert without_foreign_sources(b'"encrypted_' + data) == b'"encrypted_' + data
