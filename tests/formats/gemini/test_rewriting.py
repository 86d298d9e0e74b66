import json
from itertools import product

import pytest

from addon.embedded.gemini.models import GEMINI_MODELS
from addon.embedded.gemini.validation import check_generate_request
from addon.embedded.refusal import Refusal
from addon.formats.base import RequestLine
from addon.formats.gemini import FORMAT
from addon.formats.gemini.turns import SENTINEL

SECRET = b"secret"
HELLO = {"role": "user", "parts": [{"text": "hi"}]}
CALL = {"functionCall": {"name": "f", "args": {}}}
RESULT = {"name": "f", "response": {"output": "1"}}
PIXEL = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
FUNCTIONS = {"functionDeclarations": [{"name": "f", "description": "F."}]}


def rewrite(asked, given, **fields):
    """Rewrite a request; return it, decoded, with the losses."""
    line = RequestLine(f"/v1beta/models/{asked}:generateContent", "")
    body = json.dumps({"contents": [HELLO], **fields}).encode()
    rendered = FORMAT.rewrite_request(body, line, given, "google")
    return json.loads(rendered.body), [loss.field for loss in rendered.losses]


def takes(model, body):
    try:
        check_generate_request(body, model, SECRET)
    except Refusal:
        return False
    return True


def generation(**fields):
    return {"generationConfig": fields}


def after_a_call(call=CALL, **response):
    return {
        "tools": [FUNCTIONS],
        "contents": [
            HELLO,
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [{"functionResponse": {**RESULT, **response}}]},
        ],
    }


SETTINGS = {
    "nothing": {},
    "a level": generation(thinkingConfig={"thinkingLevel": "MINIMAL", "includeThoughts": True}),
    "a high level": generation(thinking_config={"thinking_level": "xhigh"}),
    "a budget": generation(thinkingConfig={"thinkingBudget": 100}),
    "no thinking": generation(thinkingConfig={"thinkingBudget": 0}),
    "sampling": generation(temperature=0.5, topP=0.9, topK=3),
    "penalties": generation(presencePenalty=0.5, frequency_penalty=0.5),
    "a long answer": generation(maxOutputTokens=1_000_000),
    "functions and JSON": {
        "tools": [FUNCTIONS],
        "generationConfig": {"responseMimeType": "application/json"},
    },
    "functions and a search": {
        "tools": [FUNCTIONS, {"googleSearch": {}}],
        "toolConfig": {"includeServerSideToolInvocations": True},
    },
    "instructions": {"systemInstruction": {"parts": [{"text": "Be kind."}]}},
    "a call": after_a_call(),
    "a picture as a result": after_a_call({**CALL, "thoughtSignature": SENTINEL}, parts=[PIXEL]),
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_what_one_gemini_takes_is_made_such_that_any_other_does(settings):
    fitting = 0
    for asked, given in product(GEMINI_MODELS, repeat=2):
        if takes(asked, {"contents": [HELLO], **settings}):
            fitting += 1
            check_generate_request(rewrite(asked, given, **settings)[0], given, SECRET)
    assert fitting


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_for_a_model_of_the_same_abilities_no_byte_changes(settings):
    body, losses = rewrite("gemini-3.8-flash", "gemini-3.7-flash", **settings)
    assert (body, losses) == ({"contents": [HELLO], **settings}, [])


def test_other_fields_stay():
    kept = {"safetySettings": [], "generationConfig": {"seed": 1, "temperature": 0.5}}
    body, losses = rewrite("gemini-2.5-flash", "gemini-3.8-flash", **kept)
    assert body == {"contents": [HELLO], "safetySettings": [], "generationConfig": {"seed": 1}}
    assert losses == ["temperature"]


def test_thoughts_are_not_shown_to_those_who_did_not_ask():
    body, _ = rewrite("gemini-2.5-pro", "gemini-3.8-flash", **generation(thinkingConfig={
        "thinkingBudget": 0}))  # fmt: skip
    assert body["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "low"}


def test_calls_of_an_older_generation_get_the_word_for_a_lost_signature():
    body, losses = rewrite("gemini-2.5-pro", "gemini-3.8-flash", **after_a_call())
    assert body["contents"][1]["parts"][0].keys() == {"functionCall", "thoughtSignature"}
    assert losses == ["contents.parts.thoughtSignature"]
