import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.base import RequestLine
from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.dialects import DIALECTS
from addon.neutral import ClientRequestError, UnsupportedFeature

LINE = RequestLine()
ODD = b"""{
  "messages" : [ {"role":"user", "content":"caf\\u00e9  \\ud83d\\ude00", "x": 1.0e3} ],
  "model":"gpt-5.1" ,"temperature":1.00,
\t"tools":[ ],"n":1
}\r\n"""


def rewrite(body, model="new-model", dialect="openai"):
    wire = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FORMAT.rewrite_request(wire, LINE, model, dialect)


def changed(dialect, model="new-model", messages=None, **fields):
    """Rewrite a request; return it, decoded, with the losses."""
    body = {"model": "old", "messages": messages or [{"role": "user", "content": "hi"}], **fields}
    answer = rewrite(body, model, dialect)
    return json.loads(answer.body), [loss.field for loss in answer.losses]


def test_only_the_model_changes_for_openai():
    answer = rewrite(ODD)
    assert answer.body == ODD.replace(b"gpt-5.1", b"new-model")
    assert answer.path == "/chat/completions"
    assert answer.losses == ()


def test_the_same_model_changes_nothing():
    assert rewrite(ODD, "gpt-5.1").body == ODD


def test_a_request_in_order_stays_byte_for_byte():
    assert rewrite(ODD, "gpt-5.1", "openrouter").body == ODD.replace(b',"n":1', b"")


@given(
    st.dictionaries(
        st.sampled_from(["temperature", "tools", "metadata", "stop", "my_field", "stream", "user"]),
        st.recursive(st.none() | st.text(max_size=4) | st.integers(), st.lists, max_leaves=5),
    ),
    st.sampled_from([None, 1, "\t"]),
)
def test_openai_is_sent_every_other_byte(fields, indent):
    body = json.dumps({"model": "a-b-c", "messages": [], **fields}, indent=indent).encode()
    expected = body.replace(b'"a-b-c"', b'"other"', 1)
    assert rewrite(body, "other").body == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff"])
def test_a_body_must_be_an_object(body):
    with pytest.raises(ClientRequestError):
        rewrite(body, dialect="deepseek")


def test_the_limit_is_renamed():
    body, lost = changed("deepseek", max_completion_tokens=9)
    assert body["max_tokens"] == 9
    assert "max_completion_tokens" not in body
    assert lost == []
    both, _ = changed("deepseek", max_completion_tokens=9, max_tokens=5)
    assert (both.get("max_tokens"), both.get("max_completion_tokens")) == (9, None)
    groq, _ = changed("groq", max_tokens=5)
    assert groq["max_completion_tokens"] == 5
    assert changed("glm", max_tokens=10**7)[0]["max_tokens"] == 131_072


def test_what_is_refused_goes_and_is_listed():
    body, lost = changed(
        "mistral", store=True, metadata={"a": 1}, user="u", verbosity="low", seed=7
    )
    assert "store" not in body
    assert body["metadata"] == {"a": 1}
    assert body["random_seed"] == 7
    assert "seed" not in body
    assert sorted(lost) == ["store", "user", "verbosity"]


def test_harmless_values_go_without_a_word():
    options = {"include_usage": True}
    body, lost = changed(
        "mistral",
        store=False,
        top_k=None,
        stream_options=options,
        logprobs=False,
        service_tier="auto",
    )
    assert body.keys() == {"model", "messages"}
    assert lost == []


@pytest.mark.parametrize(
    ("dialect", "fields", "feature"),
    [
        ("deepseek", {"n": 2}, "n"),
        ("groq", {"logprobs": True}, "logprobs"),
        ("deepseek", {"modalities": ["text", "audio"], "audio": {}}, "audio"),
    ],
)
def test_what_the_agent_would_miss_is_refused(dialect, fields, feature):
    with pytest.raises(UnsupportedFeature, match="a rule can leave it out") as caught:
        changed(dialect, **fields)
    assert caught.value.feature == feature


def test_efforts_are_put_in_the_provider_s_words():
    body, lost = changed("deepseek", "deepseek-v4-pro", reasoning_effort="medium")
    assert (body["reasoning_effort"], body["thinking"]) == ("high", {"type": "enabled"})
    assert lost == ["reasoning_effort"]
    body, _ = changed("openrouter", "x/y", reasoning_effort="low")
    assert "reasoning_effort" not in body
    assert body["reasoning"] == {"effort": "low"}
    assert changed("groq", "qwen/q", reasoning_effort="default")[0]["reasoning_effort"] == "default"


def test_the_agent_s_own_words_for_thinking_stay():
    body, _ = changed("qwen", "q", reasoning_effort="low", enable_thinking=False)
    assert body["enable_thinking"] is False


def test_values_are_brought_into_range():
    body, lost = changed("glm", temperature=1.5, stop=["a", "b"])
    assert (body["temperature"], body["stop"]) == (1.0, ["a"])
    assert lost == ["temperature", "stop"]


FUNCTION = {"name": "f", "strict": True, "parameters": {"$schema": "x", "type": "object"}}
TOOLS = [{"type": "function", "function": FUNCTION}]
LIST = {"type": "function", "function": {"name": "g"}}


def test_tools_lose_what_is_refused_and_no_byte_more():
    tools = b'[ {"type":"function" ,"function":{ "strict":true, "name":"f","x":1.0} } ,\n {"y":2}]'
    body = b'{"model":"m","messages":[],"tools":' + tools + b"}"
    assert rewrite(body, "m", "deepseek").body == body.replace(b'"strict":true, ', b"")
    assert rewrite(body, "m", "openrouter").body == body
    assert changed("mistral", tools=TOOLS)[0]["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]


def test_choices_are_brought_down():
    named = {"type": "function", "function": {"name": "f"}}
    body, lost = changed("moonshot", "kimi-k2.7-code", tools=TOOLS, tool_choice=named)
    assert body["tool_choice"] == "auto"
    assert "tool_choice" in lost
    body, _ = changed("deepseek", "deepseek-v4-pro", tools=TOOLS, tool_choice="required")
    assert body["tool_choice"] == "required"
    assert body["thinking"] == {"type": "disabled"}
    assert changed("mistral", tools=[LIST], tool_choice="any")[0]["tool_choice"] == "any"
    odd = {"type": "web_search"}
    assert changed("local", tools=[LIST], tool_choice=odd)[0]["tool_choice"] == odd


def test_allowed_tools_are_the_only_ones_offered():
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    body, lost = changed("local", tools=[*TOOLS, LIST], tool_choice=choice)
    assert body["tools"] == [LIST]
    assert body["tool_choice"] == "auto"
    assert "tool_choice.allowed_tools" in lost


WISH = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([{"role": "user", "content": "hi"}], 0),
        ([{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}], 1),
        ([{"role": "developer", "content": "s"}], 1),
    ],
)
def test_schemas_are_told_in_words_where_they_are_unknown(messages, place):
    body, lost = changed("deepseek", messages=messages, response_format=WISH)
    assert body["response_format"] == {"type": "json_object"}
    assert len(body["messages"]) == len(messages) + 1
    assert body["messages"][place]["role"] == "system"
    assert "JSON Schema" in body["messages"][place]["content"]
    assert lost == ["response_format"]
    assert changed("mistral", messages=messages, response_format=WISH)[0]["response_format"] == WISH


def test_messages_are_adapted_in_place():
    body = (
        b'{"model":"m","messages":[ {"role" : "developer","content":"s"},'
        b' {"role":"user","name":"bob" ,"content":"\\u00e9"} ]}'
    )
    expected = body.replace(b'"developer"', b'"system"').replace(b',"name":"bob"', b"")
    answer = rewrite(body, "m", "mistral")
    assert answer.body == expected
    assert [loss.field for loss in answer.losses] == ["messages.name"]


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TURNS = [
    {"role": "user", "content": "go"},
    {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    {"role": "tool", "tool_call_id": "call_2", "content": "2"},
]


def test_thoughts_are_filled_in_where_they_are_demanded():
    assert changed("deepseek", messages=TURNS)[0]["messages"][1]["reasoning_content"] == " "
    thoughtful = [TURNS[0], {**TURNS[1], "reasoning": "Hm"}, *TURNS[2:]]
    assert changed("moonshot", messages=thoughtful)[0]["messages"][1]["reasoning_content"] == "Hm"
    assert "reasoning_content" not in changed("glm", messages=TURNS)[0]["messages"][1]


def test_ids_are_renamed_on_both_sides():
    messages = changed("mistral", messages=TURNS)[0]["messages"]
    ids = [call["id"] for call in messages[1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in messages[2:]]
    assert all(len(call_id) == 9 for call_id in ids)
    kept = json.loads(json.dumps(TURNS).replace("call_", "abcdefgh"))
    assert changed("mistral", messages=kept)[0]["messages"] == kept


def test_google_gets_its_word_for_a_missing_signature():
    calls = changed("google", messages=TURNS)[0]["messages"][1]["tool_calls"]
    assert "extra_content" in calls[0]
    assert "extra_content" not in calls[1]
    signed = json.loads(json.dumps(TURNS))
    signed[1]["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "s"}}
    assert changed("google", messages=signed)[0]["messages"] == signed


def test_a_begun_answer_is_marked_for_mistral():
    messages = [*TURNS, {"role": "assistant", "content": "It"}]
    assert changed("mistral", messages=messages)[0]["messages"][-1]["prefix"] is True


def test_local_templates_take_one_leading_system_message():
    messages = [
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
    ]
    body, _ = changed("local", messages=messages)
    assert body["messages"] == [{"role": "system", "content": "a\n\nb"}, messages[2]]


def test_tools_of_another_age_are_translated():
    custom = {"type": "custom", "custom": {"name": "patch"}}
    body, lost = changed("deepseek", tools=[custom])
    assert body["tools"][0]["function"]["name"] == "patch"
    assert "tools.custom" in lost
    body, _ = changed("groq", functions=[{"name": "f"}], function_call="auto")
    assert body["tools"][0]["function"]["name"] == "f"
    assert "functions" not in body
    untouched, _ = changed("openai", functions=[{"name": "f"}], tools=[custom])
    assert untouched["functions"] == [{"name": "f"}]


@pytest.mark.parametrize("dialect", [*DIALECTS, "somebody-else"])
def test_doing_it_twice_changes_nothing_more(dialect):
    body = {
        "model": "m",
        "messages": [{"role": "developer", "content": "s"}, *TURNS],
        "tools": [*TOOLS, LIST],
        "max_completion_tokens": 9,
        "temperature": 1.9,
        "seed": 3,
        "store": True,
        "stream": True,
    }
    once = rewrite(body, "m", dialect)
    twice = rewrite(once.body, "m", dialect)
    assert twice.body == once.body
    assert twice.losses == ()


@pytest.mark.parametrize("dialect", ["mistral", "groq", "local", "an-office-server"])
def test_what_openais_sdks_parsed_does_not_go_to_others(dialect):
    """`finalMessage()`, `get_final_completion()` and `runTools()` send these back."""
    function = {"name": "ls", "arguments": '{"a":"\u00fc"}'}
    call = {"id": "call_000001", "type": "function", "function": function}
    parsed = {**call, "function": {**function, "parsed_arguments": {"a": "\u00fc"}}}
    messages = [
        {"role": "assistant", "content": None, "parsed": None, "tool_calls": [parsed]},
        {"role": "tool", "tool_call_id": "call_000001", "content": "ok"},
    ]
    body, losses = changed(dialect, messages=messages)
    assert "parsed" not in json.dumps(body["messages"])
    assert body["messages"][0]["tool_calls"][0]["function"] == function
    assert losses == []


@pytest.mark.parametrize(
    ("dialect", "choice"),
    [("llama.cpp", "required"), ("lm-studio", "required"), ("ollama", "auto"), ("local", "named")],
)
def test_which_server_of_local_models_takes_a_choice_by_name(dialect, choice):
    named = {"type": "function", "function": {"name": "search"}}
    tool = {"type": "function", "function": {"name": "search", "parameters": {}}}
    messages = [{"role": "user", "content": "hi"}]
    asked = {"model": "m", "messages": messages, "tools": [tool], "tool_choice": named}
    body = json.loads(rewrite(asked, dialect=dialect).body)
    assert body["tool_choice"] == (named if choice == "named" else choice)


def test_lm_studio_is_asked_for_json_by_a_schema():
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    asked["response_format"] = {"type": "json_object"}
    body = json.loads(rewrite(asked, dialect="lm-studio").body)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": {"type": "object"}},
    }
