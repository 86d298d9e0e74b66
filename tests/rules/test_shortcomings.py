"""What is said of a model before anything is sent."""

from datetime import date

import msgspec
import pytest

from addon.neutral import (
    FilePart,
    ImagePart,
    InlineMedia,
    Loss,
    Message,
    Request,
    ResponseFormat,
    TextPart,
    Tool,
    WebSearchTool,
)
from addon.providers import BUILT_IN, Destination, ModelFacts
from addon.rules import CallFacts
from addon.rules.shortcomings import Shortcoming, check_model, check_request

TODAY = date(2026, 11, 21)
PICTURE = ImagePart(InlineMedia("image/png", "aGk="))


def at(provider, model, **own):
    known = BUILT_IN[provider]
    if own:
        known = msgspec.structs.replace(known, own_facts={model: ModelFacts(**own)})
    return Destination(known, "openai-chat", "https://provider.example", model)


def facts(*parts, **fields):
    request = Request(
        model="m",
        source_format="openai-chat",
        messages=(Message("user", parts or (TextPart("hi"),)),),
        **fields,
    )
    return CallFacts(model="m", endpoint="chat", request=lambda: request)


def test_a_model_that_was_taken_away():
    with pytest.raises(Shortcoming, match=r"away on 2026-11-30.*nearest is claud"):
        check_model(at("anthropic", "claude-sonnet-4-5"), date(2026, 11, 30))
    check_model(at("anthropic", "claude-sonnet-4-5"), TODAY)
    check_model(at("anthropic", "claude-sonnet-4-5", context=5), date(2027, 1, 1))


def test_a_model_of_somebody_else():
    with pytest.raises(Shortcoming, match="anthropic has no model gpt-5") as caught:
        check_model(at("anthropic", "gpt-5"), TODAY)
    error = caught.value.to_error_info()
    assert (error.kind, error.code, error.param) == ("not_found", "model_not_found", "model")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-unheard-of"),
        ("anthropic", "my-fine-tune"),
        ("openrouter", "gpt-5"),
        ("groq", "qwen-9"),
        ("local", "gpt-5"),
        ("azure", "claude-opus-5-5"),
    ],
)
def test_nothing_is_said_of_what_may_well_be(provider, model):
    check_model(at(provider, model), TODAY)


def test_a_gateway_at_another_address_may_have_all():
    own = msgspec.structs.replace(
        BUILT_IN["anthropic"], base_urls={"anthropic": "https://gateway.example"}
    )
    check_model(Destination(own, "anthropic", "https://gateway.example", "gpt-5"), TODAY)


@pytest.mark.parametrize(
    ("body", "call", "feature"),
    [
        (b'{"tools": [1]}', facts(tools=(Tool("f"),)), "tools"),
        (b'{"image_url": 1}', facts(PICTURE), "images"),
        (b'{"file": 1}', facts(FilePart(InlineMedia("application/pdf", "aGk="))), "files"),
        (
            b'{"json_schema": 1}',
            facts(response_format=ResponseFormat("json_schema", schema={})),
            "json_schema",
        ),
    ],
)
def test_a_feature_that_the_model_lacks(body, call, feature):
    place = at("local", "small", features=frozenset({"reasoning"}))
    with pytest.raises(Shortcoming, match=f"local:small has no {feature}") as caught:
        check_request(place, body, call)
    error = caught.value.to_error_info()
    assert (error.kind, error.param) == ("unsupported", feature)
    assert "rules.yaml" in error.message
    check_request(at("local", "small", features=frozenset({feature})), body, call)
    check_request(at("local", "unknown"), body, call)


def test_the_table_knows_too():
    with pytest.raises(Shortcoming, match="deepseek:deepseek-v4-pro has no images"):
        check_request(at("deepseek", "deepseek-v4-pro"), b'{"image_url": 1}', facts(PICTURE))


def test_what_rules_yaml_says_goes_before_the_table():
    place = at("deepseek", "deepseek-v4-pro", features=frozenset({"images"}))
    check_request(place, b'{"image_url": 1}', facts(PICTURE))


def test_what_is_asked_for_in_words_is_not_missing():
    place = at("local", "small", features=frozenset({"tools"}))
    call = facts(response_format=ResponseFormat("json_schema", schema={}))
    told = (Loss("response_format", "in words", "emulated"),)
    check_request(place, b'{"json_schema": 1}', call, told)
    less = (Loss("response_format.strict", "not one that is enforced", "dropped"),)
    with pytest.raises(Shortcoming, match="json_schema"):
        check_request(place, b'{"json_schema": 1}', call, less)


def test_tools_of_the_provider_are_not_functions():
    place = at("local", "small", features=frozenset({"images"}))
    check_request(place, b'{"tools": 1}', facts(tools=(WebSearchTool(),)))


def test_a_request_beyond_the_models_context():
    place = at("local", "small", context=1000)
    long = "word " * 2000
    with pytest.raises(Shortcoming, match=r"about 2857 tokens.*takes 1000") as caught:
        check_request(place, long.encode(), facts(TextPart(long)))
    assert caught.value.to_error_info().kind == "context_length"
    short = "word " * 900  # more than 1000 by the estimate, but not surely
    check_request(place, short.encode(), facts(TextPart(short)))


def test_a_picture_is_no_text():
    place = at("local", "small", context=2000)
    check_request(place, b"x" * 100_000, facts(PICTURE))


def test_nothing_is_parsed_without_a_suspicion():
    def parse():
        raise AssertionError

    call = CallFacts(model="m", endpoint="chat", request=parse)
    place = at("local", "small", features=frozenset({"tools"}), context=1000)
    check_request(place, b'{"messages": []}', call)
