import json
from pathlib import Path

import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import (
    FilePart,
    ImagePart,
    InlineMedia,
    Message,
    PlainText,
    ReasoningConfig,
    Request,
    ResponseFormat,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)
from addon.rules import CallFacts, estimate_tokens

IMAGE = ImagePart(UrlMedia("https://h/a.png"))
PDF = FilePart(InlineMedia("application/pdf", "AAAA"))


def request(*parts, **fields):
    messages = (Message("user", parts),) if parts else ()
    return Request(model="m", source_format="openai-chat", messages=messages, **fields)


def facts(found):
    return CallFacts(model="m", endpoint="chat", request=lambda: found)


@pytest.mark.parametrize(
    ("found", "features"),
    [
        (request(TextPart("a")), set()),
        (request(tools=(Tool("t"),)), {"tools"}),
        (request(stream=True), {"stream"}),
        (request(IMAGE), {"images"}),
        (request(PDF), {"files"}),
        (request(ToolResultPart("c", (IMAGE, PDF))), {"images", "files"}),
        (request(response_format=ResponseFormat("json_schema")), {"json_schema"}),
        (request(response_format=ResponseFormat("json_object")), set()),
        (request(reasoning=ReasoningConfig(effort="high")), {"reasoning"}),
        (request(reasoning=ReasoningConfig(budget_tokens=2048)), {"reasoning"}),
        (request(reasoning=ReasoningConfig(effort="none")), set()),
        (request(reasoning=ReasoningConfig(enabled=False)), set()),
        (None, set()),
    ],
)
def test_features(found, features):
    assert facts(found).features == features


def test_the_request_is_parsed_once_and_only_on_demand():
    parsed = []

    def parse():
        parsed.append(1)
        return request(TextPart("a" * 35))

    call = CallFacts(model="m", endpoint="chat", request=parse)
    assert parsed == []
    assert call.features == set()
    assert call.input_tokens == 10
    assert call.input_tokens == 10
    assert parsed == [1]


def test_an_unreadable_request_has_no_length():
    assert facts(None).input_tokens is None


def test_everything_that_a_model_reads_counts():
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    found = request(
        TextPart("a" * 350),
        ToolCallPart("c", "name", "b" * 346),
        ToolResultPart("c", (TextPart("c" * 350),)),
        FilePart(PlainText("d" * 350)),
        system=(SystemMessage((TextPart("e" * 350),)),),
        tools=(Tool("tool", "f" * 346, schema),),
    )
    schema_size = len(json.dumps(schema, separators=(",", ":")))
    assert estimate_tokens(found) == round((350 * 6 + schema_size) / 3.5)
    assert estimate_tokens(request(IMAGE, PDF)) == 2000


def test_other_scripts_take_more_tokens_a_character():
    assert estimate_tokens(request(TextPart("a" * 70))) == 20
    assert estimate_tokens(request(TextPart("字" * 70))) == 60


def test_headers_are_found_in_any_case():
    call = CallFacts(model="m", endpoint="chat", headers=(("X-A", "1"), ("x-a", "2"), ("b", "3")))
    assert call.header_values == {"x-a": ["1", "2"], "b": ["3"]}


def test_the_estimate_is_near_for_a_real_request():
    text = Path(__file__).read_text(encoding="utf-8")
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    parsed = FORMATS["openai-chat"].parse_request(body, RequestLine("/v1/chat/completions"))
    assert estimate_tokens(parsed) == pytest.approx(len(text) / 3.5, rel=0.05)
