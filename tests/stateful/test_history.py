"""A request that leans on earlier ones becomes whole, byte for byte."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import ClientRequestError
from addon.stateful import Archive, History, StateError
from addon.vault import MemoryVault


class Clock:
    def __init__(self):
        self.time = 1_800_000_000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def archive(clock):
    return Archive(MemoryVault(), clock)


@pytest.fixture
def history(archive):
    return History(archive)


def user(words):
    return {"role": "user", "content": words}


def message(name, words):
    content = [{"type": "output_text", "text": words, "annotations": []}]
    return {"type": "message", "id": name, "role": "assistant", "content": content}


def response(name, *output, status="completed"):
    return {"id": name, "object": "response", "status": status, "output": list(output)}


def request(**fields):
    return json.dumps({"model": "gpt-6", **fields}).encode()


def said(history, name, *output, status="completed", **fields):
    """Let one turn happen."""
    turn = history.begin(request(**fields))
    history.finish(turn, response(name, *output, status=status))
    return turn


def inputs(turn):
    return json.loads(turn.body)["input"]


def test_a_request_that_refers_to_nothing_stays_the_same_object(history):
    body = request(input=[user("hi")], tools=[{"type": "function", "name": "conversation"}])
    assert history.begin(body).body is body


def test_a_chain_holds_inputs_and_outputs_in_order(history):
    said(history, "resp_1", message("msg_1", "one"), input="first")
    said(history, "resp_2", message("msg_2", "two"), input=[user("second")],
         previous_response_id="resp_1", instructions="be brief")  # fmt: skip
    turn = history.begin(request(input="third", previous_response_id="resp_2"))
    wire = json.loads(turn.body)
    texts = [item["content"][0]["text"] if isinstance(item["content"], list) else item["content"]
             for item in wire["input"]]  # fmt: skip
    assert texts == ["first", "one", "second", "two", "third"]
    assert "previous_response_id" not in wire
    assert "instructions" not in wire  # not inherited


def test_thoughts_go_back_with_what_was_sealed_in_them(history):
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "dt1.x"}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    said(history, "resp_1", thought, call, input="go")
    result = {"type": "function_call_output", "call_id": "c", "output": "4"}
    turn = history.begin(request(input=[result], previous_response_id="resp_1"))
    assert inputs(turn)[1:] == [thought, call, result]


def test_two_may_go_on_from_one(history):
    said(history, "resp_1", message("msg_1", "one"), input="first")
    for words in ("left", "right"):
        turn = said(history, f"resp_{words}", message(f"msg_{words}", words),
                    input=words, previous_response_id="resp_1")  # fmt: skip
        assert len(inputs(turn)) == 3
    again = history.begin(request(input="x", previous_response_id="resp_left"))
    assert "right" not in again.body.decode()


@pytest.mark.parametrize("name", ["resp_none", "resp_false"])
def test_what_was_not_stored_is_not_found(history, name):
    said(history, "resp_false", input="hi", store=False)
    with pytest.raises(StateError) as caught:
        history.begin(request(input="x", previous_response_id=name))
    assert caught.value.to_wire() == {
        "message": f"Previous response with id '{name}' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }
    assert caught.value.status == 400


def test_a_connection_remembers_what_is_not_stored(archive, clock):
    local = History(archive, Archive(MemoryVault(), clock))
    said(local, "resp_0", message("msg_0", "kept"), input="zero")
    said(local, "resp_1", message("msg_1", "one"), input="first", store=False,
         previous_response_id="resp_0")  # fmt: skip
    turn = local.begin(request(input="x", previous_response_id="resp_1"))
    assert len(inputs(turn)) == 5
    with pytest.raises(StateError):
        History(archive).begin(request(input="x", previous_response_id="resp_1"))
    assert History(archive).begin(request(input="x", previous_response_id="resp_0")).leans


def test_a_response_lives_for_thirty_days(history, clock):
    said(history, "resp_1", input="hi")
    clock.time += 29 * 86400
    history.begin(request(input="x", previous_response_id="resp_1"))
    clock.time += 2 * 86400
    with pytest.raises(StateError):
        history.begin(request(input="x", previous_response_id="resp_1"))


def test_a_chain_with_a_missing_link_is_not_found(history, archive):
    said(history, "resp_1", input="hi")
    said(history, "resp_2", input="ho", previous_response_id="resp_1")
    archive.delete_response("resp_1")
    with pytest.raises(StateError, match="resp_1"):
        history.begin(request(input="x", previous_response_id="resp_2"))


def test_what_still_runs_cannot_be_gone_on_from(history):
    said(history, "resp_1", input="hi", status="in_progress")
    with pytest.raises(StateError, match="has not ended"):
        history.begin(request(input="x", previous_response_id="resp_1"))


def test_a_reference_stands_for_the_item(history):
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "dt1.x"}
    said(history, "resp_1", thought, message("msg_1", "one"), input="first")
    said(history, "resp_2", message("msg_2", "two"), input="second")
    items = [user("first"), {"type": "item_reference", "id": "rs_1"}, {"id": "msg_1"},
             user("then"), {"type": "item_reference", "id": "msg_2"}]  # fmt: skip
    turn = history.begin(request(input=items))
    assert inputs(turn) == [items[0], thought, message("msg_1", "one"), items[3],
                            message("msg_2", "two")]  # fmt: skip
    history.finish(turn, response("resp_3"))
    chained = history.begin(request(input="x", previous_response_id="resp_3"))
    assert inputs(chained)[:5] == inputs(turn)


def test_an_unknown_reference_is_not_found(history):
    with pytest.raises(StateError) as caught:
        history.begin(request(input=[{"type": "item_reference", "id": "rs_9"}]))
    assert caught.value.status == 404
    assert str(caught.value).startswith("Item with id 'rs_9' not found.")


def test_previous_response_and_conversation_exclude_each_other(history):
    with pytest.raises(StateError) as caught:
        history.begin(request(input="x", previous_response_id="r", conversation="c"))
    assert caught.value.code == "mutually_exclusive_parameters"


@pytest.mark.parametrize("fields", [
    {"previous_response_id": 5},
    {"conversation": ["c"]},
    {"conversation": {"id": 5}},
    {"previous_response_id": "resp_1", "input": 5},
    {"previous_response_id": "resp_1", "input": [5]},
])  # fmt: skip
def test_nonsense_is_the_agents_mistake(history, fields):
    said(history, "resp_1", input="hi")
    with pytest.raises(ClientRequestError):
        history.begin(request(**fields))


@pytest.mark.parametrize("body", [b"[]", b'{"store": ', b'{"conversation": nope}', b'"store"'])
def test_what_is_no_json_object_is_refused_or_left_to_others(history, body):
    with contextlib.suppress(ClientRequestError):
        assert history.begin(body).body is body


def test_an_answer_that_cannot_be_read_is_not_remembered(history, archive):
    turn = history.begin(request(input="hi"))
    for nonsense in (b"", b"[]", b'{"id": 5}', b'{"output": []}', b'{"id": "resp_1", "output": 5}'):
        history.finish(turn, nonsense)
    assert archive.response("resp_1") is None


def test_a_history_sent_whole_each_time_is_stored_once(clock):
    class Counting(MemoryVault):
        written = 0

        def put(self, kind, values):
            Counting.written += sum(map(len, values.values()))
            super().put(kind, values)

    history = History(Archive(Counting(), clock))
    items = []
    for turn in range(50):
        items.append(user(f"{turn} " + "x" * 10_000))
        said(history, f"resp_{turn}", input=items)
    assert Counting.written < 50 * 10_000 * 1.2 + 50 * 50 * 40


words = st.text(max_size=20)
new_items = st.lists(words.map(user), max_size=3) | words


@given(st.lists(st.tuples(new_items, words), min_size=1, max_size=6))
def test_a_longer_conversation_begins_with_the_shorter_one(turns):
    history = History(Archive(MemoryVault()))
    before = b""
    for number, (brought, answer) in enumerate(turns):
        fields = {"previous_response_id": f"resp_{number - 1}"} if number else {}
        turn = said(history, f"resp_{number}", message(f"msg_{number}", answer),
                    input=brought, **fields)  # fmt: skip
        if number:
            whole = turn.body.partition(b'"input": ')[2]
            assert whole.startswith(before)
            before = whole.rpartition(b"]")[0]
        assert json.loads(turn.body)["model"] == "gpt-6"
    assert (
        len(history.made_from(f"resp_{len(turns) - 1}"))
        == sum(1 if isinstance(brought, str) else len(brought) for brought, _ in turns)
        + len(turns)
        - 1
    )
