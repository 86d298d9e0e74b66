"""Tools that providers run themselves, each asked for in its own way."""

import json

import pytest

from addon import StreamTranslator, translate_request, translate_response
from addon.formats import FORMATS
from addon.neutral import Citation, HostedCallPart, TextPart, fold
from tests.support.official import (
    read_anthropic_stream,
    read_chat_stream,
    read_gemini_stream,
    read_responses_answer,
    read_responses_stream,
    responses_facts,
)
from tests.support.streams import data_of, frames

SEARCH = {
    "openai-responses": {"type": "web_search"},
    "anthropic": {"type": "web_search_20260209", "name": "web_search"},
    "gemini": {"googleSearch": {}},
}
CODE = {
    "openai-responses": {"type": "code_interpreter", "container": {"type": "auto"}},
    "anthropic": {"type": "code_execution_20260521", "name": "code_execution"},
    "gemini": {"codeExecution": {}},
}
SENT = {
    "openai-responses": ("gpt-5.5", "web_search", "code_interpreter"),
    "anthropic": ("claude-opus-5-5", "web_search_20250305", "code_execution_20250825"),
    "gemini": ("gemini-3.8-flash", "googleSearch", "codeExecution"),
}


def ask(source, tools, **fields):
    question = {"role": "user", "content": "Look."}
    match source:
        case "openai-responses":
            body = {"model": "m", "input": "Look."}
        case "anthropic":
            body = {"model": "m", "max_tokens": 9, "messages": [question]}
        case _:
            body = {"model": "m", "contents": [{"parts": [{"text": "Look."}]}]}
    return json.dumps({**body, "tools": tools, **fields}).encode()


@pytest.mark.parametrize("source", SEARCH)
@pytest.mark.parametrize("target", SENT)
def test_what_several_providers_run_is_asked_for_in_their_words(source, target):
    model, *names = SENT[target]
    body = ask(source, [SEARCH[source], CODE[source]])
    if source == target:
        return
    rendered = translate_request(body, source, target, model)
    tools = json.loads(rendered.body)["tools"]
    assert [tool.get("type") or next(iter(tool)) for tool in tools] == names
    assert rendered.losses == () or {loss.field for loss in rendered.losses} == {"cache_control"}


@pytest.mark.parametrize("source", CODE)
def test_chat_runs_no_code(source):
    rendered = translate_request(ask(source, [CODE[source]]), source, "openai-chat", "gpt-4.1")
    assert "tools" not in json.loads(rendered.body)
    assert "tools.code_execution" in [loss.field for loss in rendered.losses]


def test_a_container_that_lives_at_openai_is_lost_by_name():
    tool = {"type": "code_interpreter", "container": "cntr_1"}
    rendered = translate_request(
        ask("openai-responses", [tool]), "openai-responses", "anthropic", "claude-opus-4-8"
    )
    assert "tools.container" in [loss.field for loss in rendered.losses]


def test_a_search_may_be_chosen():
    body = ask("openai-responses", [SEARCH["openai-responses"]], tool_choice={"type": "web_search"})
    rendered = translate_request(body, "openai-responses", "anthropic", "claude-opus-4-8")
    assert json.loads(rendered.body)["tool_choice"] == {"type": "tool", "name": "web_search"}


PAGE = {
    "type": "web_search_result",
    "url": "https://a.org",
    "title": "A",
    "encrypted_content": "x",
    "page_age": None,
}
BLOCKS = [
    {"type": "text", "text": "Let me look."},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "a"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [PAGE]},
    {
        "type": "server_tool_use",
        "id": "srvtoolu_2",
        "name": "code_execution",
        "input": {"code": "print(1)"},
    },
    {
        "type": "code_execution_tool_result",
        "tool_use_id": "srvtoolu_2",
        "content": {
            "type": "code_execution_result",
            "stdout": "1\n",
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
    },
    {"type": "text", "text": "It is A."},
]
PARTS = (
    TextPart("Let me look."),
    HostedCallPart("srvtoolu_1", "web_search", "a", sources=(Citation("https://a.org", "A"),)),
    HostedCallPart("srvtoolu_2", "code_execution", "print(1)", "1\n"),
    TextPart("It is A."),
)
USAGE = {"input_tokens": 3, "output_tokens": 4}
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": BLOCKS,
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}


def stream_of(blocks):
    """The blocks as a stream; the first input comes in a delta, as Claude sends it."""
    events = [{"type": "message_start", "message": {**WHOLE, "content": []}}]
    for index, block in enumerate(blocks):
        delta = None
        if block["type"] == "text":
            delta = {"type": "text_delta", "text": block["text"]}
            block = {**block, "text": ""}
        elif block["type"] == "server_tool_use":
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            block = {**block, "input": {}}
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        if delta is not None:
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE})
    return b"".join(frames(*events, {"type": "message_stop"}))


def translated(source_stream, source, target):
    translator = StreamTranslator(source, target, b'{"model":"asked","stream":true}')
    return translator.feed(source_stream) + translator.close()


def folded(stream, name):
    decoder = FORMATS[name].decoder()
    return fold(decoder.feed(stream) + decoder.feed_eof())


def test_what_the_provider_ran_is_read_from_streams_and_whole_answers_alike():
    assert folded(stream_of(BLOCKS), "anthropic").parts == PARTS
    response, losses = FORMATS["anthropic"].parse_response(json.dumps(WHOLE).encode())
    assert response.parts == PARTS
    assert losses == ()


def test_agents_of_responses_see_searches_and_code_as_items():
    output = translated(stream_of(BLOCKS), "anthropic", "openai-responses")
    final = read_responses_stream(output)
    assert [item.type for item in final.output] == [
        "message",
        "web_search_call",
        "code_interpreter_call",
        "message",
    ]
    search, code = final.output[1:3]
    assert (search.action.query, search.action.sources[0].url) == ("a", "https://a.org")
    assert (code.code, code.outputs[0].logs) == ("print(1)", "1\n")
    kinds = [event["type"] for event in data_of(output)]
    assert "response.web_search_call.searching" in kinds
    assert kinds.index("response.web_search_call.completed") < kinds.index(
        "response.code_interpreter_call.in_progress"
    )
    _, _, plain = translate_response(
        200, (), json.dumps(WHOLE).encode(), "anthropic", "openai-responses", b'{"model":"asked"}'
    )
    assert responses_facts(read_responses_answer(plain)) == responses_facts(final)


def test_agents_of_anthropic_see_what_another_provider_ran():
    told = translated(stream_of(BLOCKS), "anthropic", "openai-responses")
    output = translated(told, "openai-responses", "anthropic")
    content = read_anthropic_stream(output).content
    assert [block.type for block in content] == [block["type"] for block in BLOCKS]
    assert content[1].input == {"query": "a"}
    assert content[2].tool_use_id == content[1].id
    assert content[3].input == {"code": "print(1)"}
    assert content[4].content.stdout == "1\n"


def test_agents_of_gemini_see_queries_and_code():
    chunks = read_gemini_stream(translated(stream_of(BLOCKS), "anthropic", "gemini"))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert [part.executable_code.code for part in parts if part.executable_code] == ["print(1)"]
    assert [part.code_execution_result.output for part in parts if part.code_execution_result] == [
        "1\n"
    ]
    assert chunks[-1].candidates[0].grounding_metadata.web_search_queries == ["a"]


def test_agents_of_chat_see_the_words_alone_and_people_what_was_lost():
    translator = StreamTranslator("anthropic", "openai-chat", b'{"model":"asked","stream":true}')
    output = translator.feed(stream_of(BLOCKS)) + translator.close()
    message = read_chat_stream(output).choices[0].message
    assert message.content == "Let me look.It is A."
    assert {loss.field for loss in translator.losses} == {
        "output.web_search",
        "output.code_execution",
    }


def test_a_call_whose_result_never_comes_is_told_all_the_same():
    output = translated(stream_of(BLOCKS[:2]), "anthropic", "openai-responses")
    items = read_responses_stream(output).output
    assert [item.type for item in items] == ["message", "web_search_call"]
    assert items[1].action.query == "a"
    twice = [BLOCKS[1], BLOCKS[1], BLOCKS[2]]
    assert [part.tool for part in folded(stream_of(twice), "anthropic").parts] == ["web_search"]
