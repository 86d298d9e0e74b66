"""Requests that the Gemini API takes, and what it says to those that it does not."""

import base64
import json
from typing import Any

import pytest

from addon.embedded.gemini.signatures import sign_call, sign_text
from addon.embedded.gemini.validation import check_generate_request
from addon.embedded.refusal import Refusal
from tests.support.recordings import needs_recordings, recordings

SECRET = b"secret"
PRO_3 = "gemini-3.1-pro-preview"
FLASH_2 = "gemini-2.5-flash"
LS = {"name": "ls", "parametersJsonSchema": {"type": "object", "properties": {}}}
TOOLS = {"tools": [{"functionDeclarations": [LS, {**LS, "name": "read"}]}]}
PIXEL = {"mimeType": "image/png", "data": base64.b64encode(b"png").decode()}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}


def model(*parts: Any) -> dict[str, Any]:
    return {**user(*parts), "role": "model"}


def call(name: str = "ls", signed: str | bool | None = True, **more: Any) -> dict[str, Any]:
    wire = {"name": name, "args": {}, **more}
    if signed is True:
        signed = sign_call(SECRET, PRO_3, wire)
    return {"functionCall": wire, **({"thoughtSignature": signed} if signed else {})}


def result(name: str = "ls", **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": {"output": "a"}, **more}}


def check(*contents: Any, name: str = PRO_3, **more: Any) -> dict[str, Any]:
    return check_generate_request({"contents": list(contents), **more}, name, SECRET)[0]


def refused(*contents: Any, name: str = PRO_3, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as raised:
        check(*contents, name=name, **more)
    return raised.value


def generation(**fields: Any) -> dict[str, Any]:
    return {"generationConfig": fields}


def thinking(**fields: Any) -> dict[str, Any]:
    return generation(thinkingConfig=fields)


def declaring(**schema: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]}


@pytest.mark.parametrize(
    "more",
    [
        {"systemInstruction": {"parts": [{"text": "Be terse."}]}},
        {"system_instruction": {"parts": {"text": "Be terse."}}},
        {"safetySettings": [{"category": 7, "threshold": "BLOCK_NONE"}]},
        {**TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        {**TOOLS, "toolConfig": {"functionCallingConfig": {"mode": 2}}},
        {"tools": {"googleSearch": {}}},
        generation(max_output_tokens=100, stopSequences=["a"], temperature=2, topK=40, seed=1),
        generation(responseMimeType="application/json", responseSchema={"type": "string"}),
        thinking(thinkingLevel="low", includeThoughts=True),
        thinking(thinkingBudget=-1),
        declaring(type="OBJECT", properties={"a": {"type": "STRING", "enum": ["x"]}}),
    ],
)
def test_good_requests_are_taken(more: dict[str, Any]) -> None:
    assert check(user("hi"), **more)["contents"][0]["role"] == "user"


def test_all_spellings_become_one() -> None:
    checked = check(
        {"parts": {"inline_data": {"mime_type": "image/png", "data": "_-8"}}},
        tool_config={"function_calling_config": {"mode": 4}},
        tools=[{"function_declarations": {"name": "f", "parameters": None}}],
    )
    assert checked == {
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "/+8="}}]}
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stream": True}, 'Unknown name "stream": Cannot find field.'),
        (generation(top_a=1), "Unknown name \"top_a\" at 'generation_config': Cannot find field."),
        (
            generation(maxOutputTokens=1.5),
            "'generation_config.max_output_tokens' (TYPE_INT32), 1.5",
        ),
        ({"tools": [{"functionDeclarations": [1]}]}, "FunctionDeclaration), 1"),
        ({"systemInstruction": []}, "Proto field is not repeating, cannot start list."),
        (thinking(thinkingLevel="huge"), 'v1beta.ThinkingLevel), "huge"'),
        (generation(responseModalities=[9]), "v1beta.Modality), 9"),
        (generation(temperature=1000), "supported range is from 0 (inclusive) to 2.0001"),
        (generation(maxOutputTokens=70_000), "supported range is from 1 (inclusive) to 65537"),
        (generation(stopSequences=list("abcdef")), "more than 5 stopSequences"),
        (generation(candidateCount=2), "Multiple candidates is not enabled"),
        (generation(responseLogprobs=True), "Logprobs is not enabled"),
        (generation(presencePenalty=0.5), "Penalty is not enabled"),
        (generation(responseSchema={"type": "STRING"}), "only supported when response_mime_type"),
        (generation(responseMimeType="application/yes"), "allowed mimetypes are"),
        (thinking(thinkingBudget=1, thinkingLevel="LOW"), "only one of thinking budget and"),
        (thinking(thinkingBudget=0), "Budget 0 is invalid. This model only works in thinking"),
        (thinking(thinkingLevel="MINIMAL"), "Thinking level MINIMAL is not supported"),
        ({"toolConfig": {"functionCallingConfig": {}}}, "without function_declarations"),
        ({"cachedContent": "cachedContents/1"}, "CachedContent not found"),
        ({"tools": [{}]}, "required one_of 'tool_type'"),
        ({"tools": [{"functionDeclarations": [LS, LS]}]}, "Duplicate function declaration"),
        ({"tools": [{"functionDeclarations": [{"name": "1"}]}]}, "Invalid function name"),
        ({"tools": [*TOOLS["tools"], {"googleSearch": {}}]}, "include_server_side_tool"),
        (
            declaring(type="OBJECT", properties={"a": {"type": "OBJECT"}}),
            "should be non-empty for OBJECT type",
        ),
        (declaring(type="OBJECT", additionalProperties=False), 'Unknown name "additional'),
        (declaring(type="OBJECT", properties={"a": {"type": "ARRAY"}}), "items: missing field."),
        (
            declaring(type="OBJECT", properties={"a": {"type": "STRING", "format": "uri"}}),
            "only 'enum' and 'date-time' are supported",
        ),
        (
            declaring(type="OBJECT", properties={"a": {"type": "INTEGER", "enum": ["1"]}}),
            "only allowed for STRING type",
        ),
        (
            generation(responseMimeType="application/json", responseJsonSchema={"const": 1}),
            "keyword 'const' is not supported",
        ),
    ],
)
def test_what_a_request_must_not_hold(more: dict[str, Any], words: str) -> None:
    assert words in str(refused(user("hi"), **more))


def test_json_schemas_may_have_their_types_in_capitals() -> None:
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
    check(user("hi"), **generation(responseMimeType="application/json", responseJsonSchema=schema))
    words = str(
        refused(
            user("hi"),
            **generation(responseMimeType="application/json", responseJsonSchema={"type": "THING"}),
        )
    )
    assert "'thing' is not a type" in words


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ([], "contents is not specified"),
        ([user()], "contents.parts must not be empty"),
        ([user("")], "required oneof field 'data'"),
        ([user({"thought": True})], "required oneof field 'data'"),
        ([user({"text": "a", "inlineData": PIXEL})], "oneof field 'data' is already set"),
        ([user("a"), {"role": "assistant", "parts": [{"text": "b"}]}, user("c")], "a valid role"),
        ([model("a"), user("b")], "begin with a user role"),
        ([user("a"), model("b")], "end with a user role"),
        ([user(result())], "response turn comes immediately after a function call"),
        ([user("a"), model(call()), user("b")], "number of function response parts"),
        ([user("a"), model(call())], "number of function response parts"),
        ([user("a"), model(call()), user(result(), result())], "number of function response"),
        ([user("a"), model(call()), user(result("read"))], "do not answer"),
        ([user("a"), model(call(id="1")), user(result(id="2"))], "do not answer"),
        ([user("a", call())], "function call turns have the model role"),
        ([user("a"), model(result()), user("b")], "response turns have the user role"),
        ([user({"inlineData": {**PIXEL, "data": "a b"}})], "Base64 decoding failed for"),
        ([user({"inlineData": {**PIXEL, "mimeType": "image/gif"}})], "Unsupported MIME type"),
        ([user({"inlineData": {"data": "aaaa"}})], "mime_type: must not be empty"),
        ([user({"fileData": {"fileUri": "http://a"}})], "unsupported file uri"),
        (
            [user("a"), model(call()), user(result(response={"output": {"$ref": "x"}}))],
            "Invalid reference",
        ),
    ],
)
def test_what_a_conversation_must_not_be(contents: list[Any], words: str) -> None:
    assert words in str(refused(*contents, **TOOLS))


@pytest.mark.parametrize(
    ("contents", "more", "words"),
    [
        ([user("a"), model(call(signed=None, id="1")), user(result())], {}, 'Unknown name "id"'),
        ([user("a"), model(call(signed=None)), user(result(parts=[]))], {}, "Multimodal function"),
        ([user({"fileData": {"fileUri": "https://a"}})], {}, "unsupported file uri"),
        ([user("a")], thinking(thinkingLevel="LOW"), "Thinking level is not supported"),
        ([user("a")], thinking(thinkingBudget=30_000), "between 1 and 24576"),
        ([user("a")], {"tools": [*TOOLS["tools"], {"googleSearch": {}}]}, "is unsupported"),
        ([user("a")], {**TOOLS, **generation(responseMimeType="application/json")}, "mime type"),
    ],
)
def test_what_an_older_generation_does_not_know(
    contents: list[Any], more: dict[str, Any], words: str
) -> None:
    assert words in str(refused(*contents, name=FLASH_2, **more))


def test_an_unknown_model() -> None:
    refusal = refused(user("a"), name="gemini-9-unknown")
    assert (refusal.status, str(refusal)[:39]) == (404, "models/gemini-9-unknown is not found fo")


LOOP = (user("a"), model(call(), call("read", signed=None)), user(result(), result("read")))


def test_the_first_call_of_each_step_is_signed() -> None:
    check(*LOOP, model(call("read")), user(result("read")))
    refusal = refused(*LOOP, model(call("read", signed=None)), user(result("read")))
    assert str(refusal).startswith(
        "Function call is missing a thought_signature in functionCall parts."
    )
    assert "function call `default_api:read` , position 4." in str(refusal)


def test_earlier_turns_need_no_signature() -> None:
    check(user("a"), model(call(signed=None)), user(result()), model("b"), user("c"))
    check(user("a"), model(call(signed=None)), user(result(), "c"))


def test_an_older_generation_needs_no_signature() -> None:
    check(user("a"), model(call(signed=None)), user(result()), name=FLASH_2)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (call(signed="QUJD"), "Corrupted thought signature."),
        (call(signed=sign_call(b"other", PRO_3, {"name": "ls", "args": {}})), "Corrupted"),
        (call(signed=sign_call(SECRET, FLASH_2, {"name": "ls", "args": {}})), "is not valid"),
        (call(signed=sign_call(SECRET, PRO_3, {"name": "ls", "args": {"a": 1}})), "is not valid"),
        (call(signed=sign_text(SECRET, PRO_3, "ls")), "is not valid"),
    ],
)
def test_altered_and_foreign_signatures_are_refused(part: dict[str, Any], words: str) -> None:
    assert words in str(refused(user("a"), model(part), user(result())))
    earlier = (user("a"), model(part), user(result()), model("b"), user("c"))
    assert words in str(refused(*earlier))


def test_text_is_bound_to_its_signature_however_it_is_cut() -> None:
    signed = {"thoughtSignature": sign_text(SECRET, PRO_3, "one two")}
    check(user("a"), model({"text": "one two", **signed}), user("b"))
    check(user("a"), model("one ", "two", {"text": "", **signed}), user("b"))
    check(user("a"), model("one "), model("two"), model({"text": "", **signed}), user("b"))
    refusal = refused(user("a"), model({"text": "one three", **signed}), user("b"))
    assert str(refusal) == "Thought signature is not valid."


@pytest.mark.parametrize(
    "word",
    [
        "skip_thought_signature_validator",
        base64.b64encode(b"skip_thought_signature_validator").decode(),
    ],
)
def test_the_sentinel_is_taken_and_counted(word: str) -> None:
    body = {"contents": [user("a"), model(call(signed=word)), user(result())]}
    assert check_generate_request(body, PRO_3, SECRET)[2] == 1


@needs_recordings
def test_what_google_took_is_taken() -> None:
    """Every recorded request that the Gemini API answered, but for what is stricter on purpose."""
    stricter = (
        'Unknown name "id"',  # before Gemini 3
        "do not answer",  # responses that are named after the call's id
        "unsupported file uri",  # before Gemini 3
        "must have one initialized field",  # a blank text of the user
        "CachedContent",
        "is not found for API",
    )
    refusals = []
    for recording in recordings("gemini"):
        if recording.provider != "google" or not recording.succeeded or not recording.request:
            continue
        answer = recording.answer or b""
        name = answer.split(b'"modelVersion"')[-1].split(b'"')[1].decode()
        try:
            check_generate_request(json.loads(recording.request), name, None)
        except Refusal as refusal:
            if not any(words in str(refusal) for words in stricter):
                refusals.append((recording.name, name, str(refusal)))
    assert refusals == []
