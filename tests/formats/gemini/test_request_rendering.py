import base64
import json

import msgspec
import pytest

from addon.formats.base import RequestLine
from addon.formats.gemini import FORMAT
from addon.neutral import (
    AudioPart,
    ClientRequestError,
    FilePart,
    ImagePart,
    InlineMedia,
    LogprobsConfig,
    Message,
    NativeTool,
    OpaqueState,
    PlainText,
    ReasoningConfig,
    ReasoningPart,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    UnsupportedFeature,
    UrlMedia,
    WebSearchTool,
)

NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"
SENTINEL = base64.b64encode(b"skip_thought_signature_validator").decode()
PICTURE = ImagePart(InlineMedia("image/png", "AAAA"))
LS = Tool("ls", input_schema={"type": "object", "properties": {}})


def user(*parts):
    return Message("user", tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


def assistant(*parts):
    return Message("assistant", tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


def tool(*parts):
    return Message("tool", parts)


def result(call_id, *content, is_error=False):
    return ToolResultPart(call_id, tuple(map(TextPart, content)), is_error)


def render(*messages, model=NEW, **fields):
    request = Request(model="m", source_format="x", messages=messages or (user("hi"),), **fields)
    return FORMAT.render_request(request, model, "google")


def body(*messages, **fields):
    return json.loads(render(*messages, **fields).body)


def contents(*messages, **fields):
    return body(*messages, **fields)["contents"]


def settings(**fields):
    return body(**fields).get("generationConfig", {})


def losses(*messages, **fields):
    return {loss.field for loss in render(*messages, **fields).losses}


def test_a_tool_conversation():
    wire = body(
        user("list and read a"),
        assistant(
            ToolCallPart("c1", "ls", "", state=OpaqueState("gemini", "Uw==")),
            ToolCallPart("c2", "read", '{"p":"a"}'),
        ),
        tool(result("c2", "AAA"), result("c1", "a b", is_error=True)),
        user("go on"),
        system=(SystemMessage((TextPart("Be terse."),)),),
    )
    assert wire["systemInstruction"] == {"parts": [{"text": "Be terse."}]}
    assert wire["contents"] == [
        {"role": "user", "parts": [{"text": "list and read a"}]},
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "c1", "name": "ls", "args": {}},
                    "thoughtSignature": "Uw==",
                },
                {"functionCall": {"id": "c2", "name": "read", "args": {"p": "a"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "ls", "response": {"error": "a b"}}},
                {"functionResponse": {"id": "c2", "name": "read", "response": {"output": "AAA"}}},
                {"text": "go on"},
            ],
        },
    ]


def test_ids_and_sentinels_are_for_gemini_3_alone():
    messages = (
        user("x"),
        assistant(ToolCallPart("c1", "ls", "{}"), ToolCallPart("c2", "ls", "{}")),
        tool(result("c1", "1"), result("c2", "2")),
        assistant(ToolCallPart("c3", "ls", "{}")),
        tool(result("c3", "3")),
    )
    new = [part for content in contents(*messages) for part in content["parts"]]
    signed = [part.get("thoughtSignature") for part in new if "functionCall" in part]
    assert signed == [SENTINEL, None, SENTINEL]
    old = json.dumps(contents(*messages, model=OLD))
    assert '"id"' not in old
    assert "thoughtSignature" not in old


def test_foreign_state_and_unsigned_thoughts_stay_at_home():
    foreign = OpaqueState("anthropic", "S")
    messages = (
        user("x"),
        assistant(ReasoningPart("hm", foreign), ReasoningPart("so"), TextPart("a", state=foreign)),
    )
    assert contents(*messages)[1]["parts"] == [{"text": "a"}]
    assert "reasoning" in losses(*messages)


def test_own_thoughts_and_signed_texts_return_as_they_were():
    own = OpaqueState("gemini", "Uw==")
    messages = (
        user("x"),
        assistant(ReasoningPart("hm", own), TextPart("a", state=own), "b", TextPart("", state=own)),
    )
    assert contents(*messages)[1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "Uw=="},
        {"text": "a", "thoughtSignature": "Uw=="},
        {"text": "b"},
        {"text": "", "thoughtSignature": "Uw=="},
    ]


def test_broken_histories_are_repaired():
    found = contents(
        assistant("hello"),
        user("", "  "),
        Message("system", (TextPart("late"),)),
        assistant(ToolCallPart("c1", "ls", "{"), ToolCallPart("c1", "ls", "{}")),
        tool(result("c9", "orphan"), result("c1", "old"), result("c1", "new")),
        assistant(ToolCallPart("c2", "ls", "{}")),
    )
    assert [content["role"] for content in found] == ["user", "model"] * 3 + ["user"]
    assert found[0]["parts"] == [{"text": "."}]
    assert found[2]["parts"] == [{"text": "<system>\nlate\n</system>"}]
    assert found[3]["parts"][0]["functionCall"]["args"] == {"_raw": "{"}
    assert len(found[3]["parts"]) == 1
    assert found[4]["parts"][0]["functionResponse"]["response"] == {"output": "new"}
    assert found[4]["parts"][2] == {"text": "orphan"}
    assert found[6]["parts"][0]["functionResponse"]["response"].keys() == {"error"}


@pytest.mark.parametrize("messages", [(), (assistant(""),), (user("x"), assistant("prefill"))])
def test_the_user_has_the_last_word(messages):
    request = Request(model="m", source_format="x", messages=messages)
    found = json.loads(FORMAT.render_request(request, NEW, "google").body)["contents"]
    assert found[-1]["role"] == "user"
    assert found[-1]["parts"]


def test_a_tools_text_is_never_an_object():
    messages = (
        user("x"), assistant(ToolCallPart("c", "f", "{}")), tool(result("c", '{"$ref":"a"}')),
    )  # fmt: skip
    response = contents(*messages)[2]["parts"][0]["functionResponse"]["response"]
    assert response == {"output": '{"$ref":"a"}'}


def test_pictures_in_results():
    messages = (
        user("x"),
        assistant(ToolCallPart("c", "see", "{}")),
        tool(ToolResultPart("c", (TextPart("one"), PICTURE))),
    )
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    (new,) = contents(*messages)[2]["parts"]
    assert new["functionResponse"]["parts"] == [picture]
    old = contents(*messages, model=OLD)[2]["parts"]
    assert "parts" not in old[0]["functionResponse"]
    assert old[-1] == picture


def test_media():
    found = contents(
        user(
            PICTURE,
            ImagePart(InlineMedia("", "/9j/AAAA")),
            AudioPart(InlineMedia("", "AAAA"), "mp3"),
            FilePart(PlainText("words"), filename="a.txt"),
            FilePart(InlineMedia("application/pdf", "AAAA")),
            ImagePart(UrlMedia("https://x.org/a.png?b")),
        )
    )[0]["parts"]
    types = [part["inlineData"]["mimeType"] for part in found if "inlineData" in part]
    assert types == ["image/png", "image/jpeg", "audio/mp3", "application/pdf"]
    assert {"text": "a.txt\nwords"} in found
    assert found[-1] == {"fileData": {"mimeType": "image/png", "fileUri": "https://x.org/a.png?b"}}


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        ({"messages": (user(ImagePart(UrlMedia("https://x.org/a.png"))),)}, "image_url"),
        ({"messages": (user(ImagePart(InlineMedia("", "????"))),)}, "image_url"),
        ({"messages": (user(FilePart(UrlMedia("file:///etc/passwd"))),)}, "file"),
        ({"tools": (Tool("9 lives"),)}, "tools.name"),
        ({"count": 2}, "n"),
        ({"logprobs": LogprobsConfig()}, "logprobs"),
    ],
)
def test_what_cannot_be_said_is_refused(fields, feature):
    request = msgspec.structs.replace(
        Request(model="m", source_format="x", messages=(user("x"),)), **fields
    )
    with pytest.raises(UnsupportedFeature) as caught:
        FORMAT.render_request(request, OLD, "google")
    assert caught.value.feature == feature


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "ls"), {"mode": "ANY", "allowedFunctionNames": ["ls"]}),
        (ToolChoice("tool", "gone"), None),
        (
            ToolChoice("auto", allowed=("ls", "gone")),
            {"mode": "VALIDATED", "allowedFunctionNames": ["ls"]},
        ),
        (
            ToolChoice("required", allowed=("ls",)),
            {"mode": "ANY", "allowedFunctionNames": ["ls"]},
        ),
    ],
)
def test_tool_choice(choice, expected):
    wire = body(tools=(LS,), tool_choice=choice)
    assert wire.get("toolConfig", {}).get("functionCallingConfig") == expected
    assert "toolConfig" not in body(tool_choice=choice)


def test_strict_tools_are_validated():
    strict = msgspec.structs.replace(LS, strict=True)
    assert body(tools=(strict,))["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert "toolConfig" not in body(tools=(strict,), model="gemini-2.0-flash")


def test_search_beside_functions():
    tools = (LS, WebSearchTool(), NativeTool("anthropic", "memory", {}))
    wire = body(tools=tools)
    assert wire["tools"][1] == {"googleSearch": {}}
    assert wire["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert len(body(tools=tools, model=OLD)["tools"]) == 1
    assert body(tools=tools[1:], model=OLD)["tools"] == [{"googleSearch": {}}]
    assert losses(tools=tools) == {"tools.memory"}


def test_custom_tools_become_functions():
    (tools,) = body(tools=(Tool("patch", "Edit.", kind="custom"),))["tools"]
    (declaration,) = tools["functionDeclarations"]
    assert declaration["parametersJsonSchema"]["required"] == ["input"]
    call = ToolCallPart("c", "patch", "a\nb", kind="custom")
    assert contents(user("x"), assistant(call))[1]["parts"][0]["functionCall"]["args"] == {
        "input": "a\nb"
    }


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [
        (NEW, None, {"includeThoughts": True}),
        (NEW, ReasoningConfig(visible=False), None),
        (NEW, ReasoningConfig("none"), {"thinkingLevel": "low", "includeThoughts": True}),
        (NEW, ReasoningConfig("max"), {"thinkingLevel": "high", "includeThoughts": True}),
        (
            NEW,
            ReasoningConfig(budget_tokens=4000),
            {"thinkingLevel": "medium", "includeThoughts": True},
        ),
        (
            "gemini-3.5-flash",
            ReasoningConfig("none"),
            {"thinkingLevel": "minimal", "includeThoughts": True},
        ),
        (
            "gemini-4-hydrogen",
            ReasoningConfig("xhigh"),
            {"thinkingLevel": "xhigh", "includeThoughts": True},
        ),
        (
            "gemini-3-pro-preview",
            ReasoningConfig("medium"),
            {"thinkingLevel": "high", "includeThoughts": True},
        ),
        (OLD, ReasoningConfig("none"), {"thinkingBudget": 0}),
        (OLD, ReasoningConfig("max"), {"thinkingBudget": 24576, "includeThoughts": True}),
        (
            "gemini-2.5-pro",
            ReasoningConfig(enabled=False),
            {"thinkingBudget": 128, "includeThoughts": True},
        ),
        (
            "gemini-2.5-pro",
            ReasoningConfig(budget_tokens=99_999),
            {"thinkingBudget": 32768, "includeThoughts": True},
        ),
        ("gemini-2.0-flash", ReasoningConfig("high"), None),
        ("gemini-flash-latest", ReasoningConfig("low"),
         {"thinkingLevel": "low", "includeThoughts": True}),
    ],
)  # fmt: skip
def test_thinking(model, reasoning, expected):
    assert settings(model=model, reasoning=reasoning).get("thinkingConfig") == expected


def test_sampling_follows_the_generation():
    sampling = Sampling(0.5, 0.9, 40, 7, 0.1, 0.2)
    old = {"temperature": 0.5, "topP": 0.9, "topK": 40, "seed": 7}
    found = settings(model=OLD, sampling=sampling)
    assert {key: found[key] for key in old} == old
    assert "presencePenalty" not in found
    assert settings(model="gemini-2.0-flash", sampling=sampling)["frequencyPenalty"] == 0.2
    assert "temperature" not in settings(sampling=sampling)
    assert losses(sampling=sampling) >= {"temperature", "top_p", "top_k"}
    assert settings(model=OLD, sampling=Sampling(temperature=9))["temperature"] == 2


def test_limits():
    found = settings(max_output_tokens=9_999_999, stop=("a", "", *"bcdef"))
    assert found["maxOutputTokens"] == 65_536
    assert found["stopSequences"] == list("abcde")
    assert settings(max_output_tokens=9_999_999, model="gemini-4-argon")["maxOutputTokens"] == 2**20


def test_response_formats():
    schema = {"type": "object", "properties": {"a": {"const": "x"}}}
    wish = ResponseFormat("json_schema", "answer", schema, True)
    found = settings(response_format=wish)
    assert found["responseMimeType"] == "application/json"
    assert found["responseJsonSchema"]["properties"]["a"] == {"enum": ["x"]}
    assert settings(response_format=ResponseFormat("json_object"))["responseMimeType"]
    with_tools = body(response_format=wish, tools=(LS,), model=OLD)
    assert "responseMimeType" not in with_tools.get("generationConfig", {})
    assert "JSON Schema" in with_tools["systemInstruction"]["parts"][0]["text"]
    assert "responseMimeType" in body(response_format=wish, tools=(LS,))["generationConfig"]


def test_a_model_without_instructions_reads_them_as_text():
    system = (SystemMessage((TextPart("Be terse."),)),)
    wire = body(user("hi"), system=system, model="gemma-3-27b-it")
    assert "systemInstruction" not in wire
    assert wire["contents"][0]["parts"] == [{"text": "Be terse."}, {"text": "hi"}]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("flex", "flex"), ("default", "standard"), ("auto", None), ("scale", None)],
)
def test_service_tiers(tier, expected):
    assert body(service_tier=tier).get("serviceTier") == expected


def test_the_path_carries_model_and_streaming():
    assert render().path == "/v1beta/models/gemini-3.8-flash:generateContent"
    stream = render(model="models/a b", stream=True)
    assert stream.path == "/v1beta/models/a%20b:streamGenerateContent?alt=sse"
    request = Request(model="m", source_format="x", messages=(user("x"),))
    vertex = FORMAT.render_request(request, NEW, "vertex")
    assert vertex.path == "/models/gemini-3.8-flash:generateContent"


def test_the_same_format_keeps_its_bytes():
    sent = b'{ "contents" : [ ] }'
    line = RequestLine("/v1/models/a:streamGenerateContent", "alt=sse&key=secret")
    rendered = FORMAT.rewrite_request(sent, line, "b", "google")
    assert rendered.body == sent
    assert rendered.path == "/v1beta/models/b:streamGenerateContent?alt=sse"
    named = FORMAT.rewrite_request(b'{"model": "models/a","x":1}', RequestLine(), "b", "google")
    assert named.body == b'{"model": "models/b","x":1}'
    encoded = RequestLine("/v1beta/models/a:generateContent", "%24alt=json%3Benum-encoding%3Dint")
    assert "alt=json;enum-encoding=int" in FORMAT.rewrite_request(sent, encoded, "b", "").path
    with pytest.raises(ClientRequestError):
        FORMAT.rewrite_request(b"[]", line, "b", "google")


GIF = ImagePart(InlineMedia("", "R0lGODlhAQABAAAAACw="))


def test_a_kind_of_picture_that_gemini_does_not_take_is_refused_by_name():
    for picture in (GIF, ImagePart(UrlMedia("https://e.org/a.gif"))):
        with pytest.raises(UnsupportedFeature) as caught:
            render(Message("user", (picture,)))
        assert caught.value.feature == "image_url"
        assert "image/gif" in str(caught.value)


def test_a_kind_of_picture_that_gemini_does_not_take_does_not_stop_a_tool():
    call = Message("assistant", (ToolCallPart("c1", "look", "{}"),))
    result = Message("tool", (ToolResultPart("c1", (TextPart("Here:"), GIF)),))
    for conversation in ((user("x"), call, result), (user("x"), result)):
        rendered = render(*conversation)
        assert b"R0lGOD" not in rendered.body
        assert b"a picture of the type image/gif" in rendered.body
        assert "Gemini takes no image/gif" in [loss.reason for loss in rendered.losses]
