import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.base import Reply, RequestLine
from addon.formats.gemini import FORMAT
from addon.neutral import (
    AudioPart,
    ClientRequestError,
    CodeExecutionTool,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    NativePart,
    NativeTool,
    OpaqueState,
    ReasoningConfig,
    ReasoningPart,
    Response,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    UrlMedia,
    WebSearchTool,
    unfold,
)

LINE = RequestLine("/v1beta/models/gemini-3.8-flash:streamGenerateContent", "alt=sse")
HELLO = {"role": "user", "parts": [{"text": "hi"}]}


def parse(line=LINE, **fields):
    return FORMAT.parse_request(json.dumps({"contents": [HELLO], **fields}).encode(), line)


def conversation(*contents):
    return parse(contents=list(contents)).messages


def model(*parts):
    return {"role": "model", "parts": list(parts)}


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def call(name, **fields):
    return {"functionCall": {"name": name, "args": {}, **fields}}


def result(name, response, **fields):
    return {"functionResponse": {"name": name, "response": response, **fields}}


def test_the_request_line_tells_model_and_streaming():
    assert (parse().model, parse().stream) == ("gemini-3.8-flash", True)
    plain = parse(
        RequestLine("/v1/projects/p/locations/l/publishers/google/models/g:generateContent")
    )
    assert (plain.model, plain.stream) == ("g", False)
    assert parse(RequestLine()).model == ""


def test_the_parts_of_a_conversation():
    found = conversation(
        user(
            {"text": "look"},
            {"inlineData": {"mimeType": "image/png", "data": "A-_/"}},
            {"inlineData": {"mimeType": "audio/mpeg", "data": "AAAA"}},
            {"inline_data": {"mime_type": "application/pdf", "data": "AAAA"}},
            {"fileData": {"fileUri": "https://x.org/a.png", "mimeType": "image/png"}},
            {"file_data": {"file_uri": "gs://b/a.pdf", "mime_type": "application/pdf"}},
        ),
        model(
            {"text": "hm", "thought": True, "thoughtSignature": "S0"},
            {"text": "ok", "thought_signature": "S1"},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {**call("ls", id="x"), "thoughtSignature": "S2"},
        ),
    )
    state = [OpaqueState("gemini", f"S{number}") for number in range(3)]
    assert found[0].parts == (
        TextPart("look"),
        ImagePart(InlineMedia("image/png", "A+//")),
        AudioPart(InlineMedia("audio/mpeg", "AAAA"), "mp3"),
        FilePart(InlineMedia("application/pdf", "AAAA")),
        ImagePart(UrlMedia("https://x.org/a.png")),
        FilePart(FileReference("gemini", "gs://b/a.pdf")),
    )
    assert found[1].parts[0] == ReasoningPart("hm", state[0])
    assert found[1].parts[1] == TextPart("ok", state=state[1])
    assert isinstance(found[1].parts[2], NativePart)
    assert found[1].parts[3] == ToolCallPart("x", "ls", "{}", state=state[2])


def test_calls_without_ids_are_matched_by_name_and_order():
    found = conversation(
        HELLO,
        model(call("a"), call("b"), call("a")),
        user(result("b", {"output": "2"}), result("a", {"output": "1"})),
        user(result("a", {"error": "3"})),
        model(call("a")),
        user(result("a", {"result": {"n": 4}}), {"text": "go on"}),
    )
    ids = [
        part.call_id for message in found if message.role == "assistant" for part in message.parts
    ]
    assert len(set(ids)) == 4
    results = [part for message in found if message.role == "tool" for part in message.parts]
    assert [(part.call_id, part.content[0].text, part.is_error) for part in results] == [
        (ids[1], "2", False),
        (ids[0], "1", False),
        (ids[2], "3", True),
        (ids[3], '{"n":4}', False),
    ]
    assert found[-1].parts == (TextPart("go on"),)


def test_a_result_may_hold_pictures():
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    found = conversation(
        HELLO, model(call("see", id="x")), user(result("see", {}, id="x", parts=[picture]))
    )
    expected = ToolResultPart("x", (ImagePart(InlineMedia("image/png", "AAAA")),))
    assert found[-1].parts == (expected,)


def test_a_result_without_its_call_keeps_an_id():
    (_, message) = conversation(HELLO, user(result("ls", {"output": "x"})))
    assert message.parts[0].call_id


def test_tools_of_both_dialects():
    tools = parse(
        tools=[
            {
                "function_declarations": [
                    {
                        "name": "a",
                        "description": "d",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {
                                "s": {"type": "STRING", "nullable": True, "format": "enum"},
                                "l": {"type": 5, "minItems": "1", "items": {"type": "INTEGER"}},
                            },
                            "required": ["s"],
                            "propertyOrdering": ["s", "l"],
                        },
                    },
                    {"name": "b", "parametersJsonSchema": {"type": "object"}},
                    {"name": "c"},
                ]
            },
            {"googleSearch": {}},
            {"codeExecution": {}, "urlContext": {}},
        ]
    ).tools
    assert tools[0].input_schema == {
        "type": "object",
        "properties": {
            "s": {"type": ["string", "null"]},
            "l": {"type": "array", "minItems": 1, "items": {"type": "integer"}},
        },
        "required": ["s"],
    }
    assert tools[1].input_schema == {"type": "object"}
    assert tools[2].input_schema is None
    assert tools[3] == WebSearchTool()
    assert tools[4:] == (
        CodeExecutionTool(),
        NativeTool("gemini", "urlContext", {"urlContext": {}}),
    )


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({"mode": 3}, ToolChoice("none")),
        ({"mode": "any"}, ToolChoice("required")),
        ({"mode": "ANY", "allowedFunctionNames": ["a"]}, ToolChoice("tool", "a")),
        (
            {"mode": "ANY", "allowed_function_names": ["a", "b"]},
            ToolChoice("required", allowed=("a", "b")),
        ),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["a"]}, ToolChoice("auto", allowed=("a",))),
        ({}, None),
    ],
)
def test_tool_choice(wire, choice):
    assert parse(toolConfig={"functionCallingConfig": wire}).tool_choice == choice
    assert parse(tool_config={"function_calling_config": wire}).tool_choice == choice


@pytest.mark.parametrize(
    ("wire", "reasoning"),
    [
        ({"thinkingBudget": 0}, ReasoningConfig(effort="none", enabled=False)),
        ({"thinkingBudget": -1}, ReasoningConfig(enabled=True)),
        ({"thinking_budget": 99}, ReasoningConfig(budget_tokens=99, enabled=True)),
        ({"thinkingLevel": "HIGH"}, ReasoningConfig(effort="high", enabled=True)),
        ({"thinkingLevel": 1}, ReasoningConfig(effort="low", enabled=True)),
        ({"includeThoughts": True}, ReasoningConfig(visible=True)),
    ],
)
def test_thinking(wire, reasoning):
    assert parse(generationConfig={"thinkingConfig": wire}).reasoning == reasoning


def test_generation_settings():
    request = parse(
        systemInstruction={"parts": {"text": "Be terse."}},
        serviceTier="standard",
        generationConfig={
            "temperature": 0.5,
            "topP": 0.9,
            "top_k": 40,
            "seed": 7,
            "maxOutputTokens": 99,
            "stopSequences": ["END"],
            "candidateCount": 2,
            "responseLogprobs": True,
            "logprobs": 3,
        },
    )
    assert request.system[0].parts == (TextPart("Be terse."),)
    assert request.service_tier == "default"
    assert (request.sampling.temperature, request.sampling.top_k) == (0.5, 40)
    assert (request.max_output_tokens, request.stop, request.count) == (99, ("END",), 2)
    assert request.logprobs.top == 3
    assert request.extras == ()


@pytest.mark.parametrize(
    ("wire", "wish"),
    [
        ({"responseMimeType": "application/json"}, ResponseFormat("json_object")),
        ({"responseMimeType": "text/plain"}, None),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            ResponseFormat("json_schema", "output", {"type": "string"}, True),
        ),
        (
            {"response_json_schema": {"type": "object"}},
            ResponseFormat("json_schema", "output", {"type": "object"}, True),
        ),
    ],
)
def test_response_formats(wire, wish):
    assert parse(generationConfig=wire).response_format == wish


def test_what_the_hub_has_no_word_for_is_named():
    extras = parse(
        safety_settings=[{"category": "X"}],
        cachedContent="cachedContents/1",
        generationConfig={"responseModalities": ["IMAGE"], "mediaResolution": "LOW"},
    ).extras
    assert {(extra.field, extra.essential) for extra in extras} == {
        ("safetySettings", False),
        ("cachedContent", True),
        ("generationConfig.responseModalities", True),
        ("generationConfig.mediaResolution", False),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"contents":[]}',
        b'{"contents":["x"]}',
        b'{"contents":[{"role":"system","parts":[]}]}',
        b'{"contents":[{"parts":[{}]}]}',
        b'{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{}]}]}',
    ],
)
def test_what_the_api_does_not_allow_is_refused(body):
    with pytest.raises(ClientRequestError):
        FORMAT.parse_request(body, LINE)


@pytest.mark.parametrize(
    ("line", "body", "expected"),
    [
        (LINE, b"{}", ("gemini-3.8-flash", True, False, False)),
        (RequestLine(LINE.path), b"{}", ("gemini-3.8-flash", True, False, True)),
        (RequestLine(), b"no json", (None, False, False, False)),
        (
            RequestLine("/v1/models/g:generateContent"),
            b'{"generation_config":{"response_mime_type":"application/json"}}',
            ("g", False, True, False),
        ),
    ],
)
def test_what_shapes_the_answer(line, body, expected):
    reply = FORMAT.reply(body, line)
    array = reply.stream_type == "application/json"
    assert (reply.model, reply.stream, reply.json_answer, array) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KINDS = ("text", "functionCall", "functionResponse", "inlineData", "fileData", "thoughtSignature")
contents = st.lists(
    st.fixed_dictionaries(
        {"parts": st.lists(st.dictionaries(st.sampled_from(KINDS), json_values), max_size=3)},
        optional={"role": st.sampled_from(["user", "model"]) | json_values},
    ),
    max_size=3,
)
FIELDS = ("tools", "toolConfig", "generationConfig", "systemInstruction", "serviceTier", "x")


@given(
    contents=contents | json_values, others=st.dictionaries(st.sampled_from(FIELDS), json_values)
)
def test_no_type_is_trusted(contents, others):
    body = json.dumps({"contents": contents, **others}).encode()
    FORMAT.reply(body, LINE)
    with contextlib.suppress(ClientRequestError):
        FORMAT.parse_request(body, LINE)


def test_the_chunks_of_one_answer_are_one_message():
    """Google's client returns every chunk that it was streamed as a content of its own."""
    contents = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [{"text": "Hm.", "thought": True}]},
        {"role": "model", "parts": [{"text": "I look."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "g", "args": {}}}]},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"result": 1}}},
                {"functionResponse": {"name": "g", "response": {"result": 2}}},
            ],
        },
    ]
    request = FORMAT.parse_request(json.dumps({"contents": contents}).encode(), RequestLine())
    assert [message.role for message in request.messages] == ["user", "assistant", "tool"]
    answer, results = request.messages[1:]
    assert [type(part).__name__ for part in answer.parts] == [
        "ReasoningPart", "TextPart", "ToolCallPart", "ToolCallPart"
    ]  # fmt: skip
    assert [result.call_id for result in results.parts] == [
        call.call_id for call in answer.parts[2:]
    ]


def test_what_the_model_said_in_chunks_is_one_turn_in_one_piece():
    found = conversation(
        HELLO,
        model({"text": "Loo"}),
        model({"text": "king."}, call("a", id="1")),
        model(call("b", id="2")),
        user(result("b", {"output": "2"}, id="2"), result("a", {"output": "1"}, id="1")),
    )
    assert found[1].parts == (
        TextPart("Looking."),
        ToolCallPart("1", "a", "{}"),
        ToolCallPart("2", "b", "{}"),
    )
    assert [part.call_id for part in found[2].parts] == ["2", "1"]


THOUGHT = ReasoningPart("", OpaqueState("anthropic", "signed here"))
SHOWN_THOUGHT = ReasoningPart("hm", OpaqueState("anthropic", "signed there"))
CALL = ToolCallPart("call_1", "ls", "{}")


@pytest.mark.parametrize(
    "answer",
    [
        (THOUGHT, TextPart("Looking."), CALL),
        (SHOWN_THOUGHT, TextPart("Looking."), CALL),
        (TextPart("Looking."), SHOWN_THOUGHT, CALL),
        (THOUGHT, TextPart("Looking."), SHOWN_THOUGHT, CALL, ToolCallPart("call_2", "ls", "{}")),
        (THOUGHT, CALL, SHOWN_THOUGHT, ToolCallPart("call_2", "ls", "{}")),
        (THOUGHT, TextPart("Over.")),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("shows_thoughts", [False, True])
def test_what_another_provider_signed_comes_home_in_its_place(answer, streamed, shows_thoughts):
    response = Response(id="r", model="claude-opus-5-5", parts=answer)
    if streamed:
        encoder = FORMAT.encoder(Reply(stream_type="application/json"))
        stream = b"".join(encoder.encode(event) for event in unfold(response))
        chunks = json.loads(stream)
    else:
        chunks = [json.loads(FORMAT.render_response(response, Reply())[0])]
    contents = [chunk["candidates"][0]["content"] for chunk in chunks]
    if not shows_thoughts:
        for content in contents:
            content["parts"] = [part for part in content["parts"] if not part.get("thought")]
    parts = conversation(HELLO, *contents, HELLO)[1].parts
    assert tuple(part for part in parts if part != TextPart("")) == answer
