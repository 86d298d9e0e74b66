"""What agents are doing is told by their traffic alone."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats import FORMATS, format_for_path
from addon.formats.base import RequestLine
from addon.neutral import Request
from addon.rules import PHASES, SIGNATURES
from addon.rules.phases import recognise
from tests.rules.phases import aider, claude_code, codex, opencode
from tests.rules.phases.case import Case, phase_of, recognised
from tests.support.recordings import TRAFFIC

CASES = (*codex.CASES, *claude_code.CASES, *opencode.CASES, *aider.CASES)
REQUESTS = TRAFFIC.parent / "agents" / "requests"
BODIES = sorted(REQUESTS.glob("*.json"))
RECORDED = [file for file in BODIES if file.with_suffix(".meta.json").exists()]
needs_requests = pytest.mark.skipif(
    not RECORDED, reason="recorded requests are not part of the project (../shared is absent)"
)


def named(cases):
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("case", named(CASES))
def test_a_phase_is_recognised(case: Case):
    assert phase_of(case) == case.phase


@pytest.mark.parametrize("case", named(case for case in CASES if not case.needs_headers))
def test_a_phase_is_recognised_without_headers_made_for_it(case: Case):
    if case.name != "claude-code, another side call":
        assert phase_of(case, headers=False) == case.phase


@pytest.mark.parametrize("case", named(case for case in CASES if case.needs_headers))
def test_only_the_headers_tell(case: Case):
    assert phase_of(case, headers=False) == "coding"


@pytest.mark.parametrize("case", named(CASES))
def test_the_same_words_of_another_program_mean_nothing(case: Case):
    assert recognised("my-bot/1.0", case.headers, case.path, case.body) == "other"


@pytest.mark.parametrize("case", named(CASES))
def test_a_program_of_another_name_may_be_named_by_the_proxy_user(case: Case):
    agent = case.name.partition(",")[0]
    assert recognised("my-fork/1.0", case.headers, case.path, case.body, agent) == case.phase


def test_every_row_of_the_table_decides_for_some_case():
    """A row that none needs is either dead or not tested."""
    for agent, rows in SIGNATURES.items():
        cases = [case for case in CASES if case.name.startswith(f"{agent}, ")]
        assert {case.phase for case in cases} >= {row.phase for row in rows}
        assert {row.phase for row in rows} <= set(PHASES)
        assert len(set(rows)) == len(rows)


def test_a_request_that_cannot_be_read_is_other():
    assert recognise("codex", {}, None) == "other"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(anything | anything.map(json.dumps))
def test_whatever_codex_says_of_itself_is_borne(told):
    body = {"model": "m", "input": "Hi.", "client_metadata": {"x-codex-turn-metadata": told}}
    assert recognised(codex.USER_AGENT, {}, "/v1/responses", body) in PHASES


@needs_requests
@pytest.mark.parametrize("file", RECORDED, ids=[file.stem for file in RECORDED])
def test_recorded_requests(file):
    call = json.loads(file.with_suffix(".meta.json").read_text())
    body = json.loads(file.read_text())
    path = call["path"].partition("?")[0]
    if call["method"] != "POST" or format_for_path(path) is None:
        pytest.skip("asks for no answer")
    agent = file.stem.partition("-")[0]
    titled = agent == "opencode" and not body.get("tools")
    expected = {"codex": "coding", "opencode": "title" if titled else "coding"}.get(agent, "other")
    headers = {name.lower(): value for name, value in call["headers"]}
    assert recognised(headers.get("user-agent", ""), headers, path, body) == expected


@needs_requests
def test_the_frame_of_a_socket_tells_by_itself():
    frame = json.loads((REQUESTS / "codex-wsframe-2.json").read_text())
    # What it goes on from has been put in its place before the rules look at it.
    body = {name: value for name, value in frame.items() if name != "previous_response_id"}
    stale = {"x-codex-turn-metadata": codex.turn(request_kind="compaction")}
    assert recognised(codex.USER_AGENT, stale, "/v1/responses", body) == "coding"


def test_recognising_costs_little():
    """The budget for a request of 24 kB is 50 microseconds; the best of many runs is taken."""
    text = "An instruction of some length that says nothing about what is to be done. " * 160
    body = claude_code.case("long", "coding", claude_code.says("user", text), system=text).body
    request = FORMATS["anthropic"].parse_request(json.dumps(body).encode(), RequestLine())
    assert isinstance(request, Request)

    def seconds():
        start = time.perf_counter()
        assert recognise("claude-code", {}, request) == "coding"
        return time.perf_counter() - start

    assert min(seconds() for _ in range(200)) < 50e-6
