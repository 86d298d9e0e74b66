import json

import anthropic
import openai
import pytest
from hypothesis import given

from addon.wire.model_lists import ListedModel, read_models, write_model, write_models
from tests.support.strategies import JSON

MODELS = (
    ListedModel(id="a", title="Model A", owner="office", context=1000, max_output=100, created=7),
    ListedModel(id="zai:glm-5.3"),
)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"data": [{"id": "gpt-6", "created": 5, "owned_by": "openai"}]},
            ListedModel(id="gpt-6", owner="openai", created=5),
        ),
        (
            {"data": [{"id": "c", "display_name": "C", "max_input_tokens": 9, "max_tokens": 2}]},
            ListedModel(id="c", title="C", context=9, max_output=2),
        ),
        (
            {"models": [{"name": "models/g", "displayName": "G", "inputTokenLimit": 3}]},
            ListedModel(id="g", title="G", context=3),
        ),
        ({"data": [{"id": "l", "meta": {"n_ctx_train": 4096}}]}, ListedModel(id="l", context=4096)),
        ({"data": [{"id": "v", "max_model_len": 8192}]}, ListedModel(id="v", context=8192)),
        ([{"id": "together"}], ListedModel(id="together")),
        (
            {"data": [{"id": "l", "meta": {"n_ctx": 512, "n_ctx_train": 4096}}]},
            ListedModel(id="l", context=512),
        ),
        (
            {
                "data": [
                    {
                        "id": "s",
                        "type": "vlm",
                        "state": "loaded",
                        "max_context_length": 9,
                        "loaded_context_length": 4,
                    }
                ]
            },
            ListedModel(
                id="s",
                context=4,
                kind="chat",
                features=frozenset(("tools", "json_schema", "images")),
                loaded=True,
            ),
        ),
        (
            {"data": [{"id": "e", "type": "embeddings", "state": "not-loaded"}]},
            ListedModel(id="e", kind="embedding", loaded=False),
        ),
        (
            {
                "data": [
                    {
                        "id": "r",
                        "owned_by": "llamacpp",
                        "status": {"value": "unloaded"},
                        "architecture": {"input_modalities": ["text", "image"]},
                    }
                ]
            },
            ListedModel(
                id="r",
                owner="llamacpp",
                features=frozenset(("tools", "json_schema", "images")),
                loaded=False,
            ),
        ),
    ],
)
def test_every_kind_of_list_is_read(document, expected):
    assert read_models(json.dumps(document).encode()) == (expected,)


def test_what_is_built_on_a_model_takes_as_much_as_it_does():
    lora = {"id": "lora", "parent": "base", "max_model_len": None}
    listed = {"data": [lora, {"id": "base", "max_model_len": 7}, {"id": "b", "parent": "gone"}]}
    contexts = {model.id: model.context for model in read_models(json.dumps(listed).encode())}
    assert contexts == {"lora": 7, "base": 7, "b": None}


@given(JSON)
def test_whatever_a_provider_sends_is_a_list_or_none(document):
    try:
        models = read_models(json.dumps(document).encode())
    except ValueError:
        return
    assert all(model.id for model in models)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": {}}', b"3"])
def test_what_is_no_list_is_told(body):
    with pytest.raises(ValueError):
        read_models(body)


def test_the_official_clients_read_what_is_written():
    listed = json.loads(write_models("openai", MODELS))
    assert [openai.types.Model.model_validate(m, strict=True).id for m in listed["data"]] == [
        "a",
        "zai:glm-5.3",
    ]
    listed = json.loads(write_models("anthropic", MODELS))
    assert [anthropic.types.ModelInfo.model_validate(m).display_name for m in listed["data"]] == [
        "Model A",
        "zai:glm-5.3",
    ]


@pytest.mark.parametrize("format", ["openai", "anthropic", "gemini"])
def test_what_is_written_can_be_read(format):
    names = [model.id for model in read_models(write_models(format, MODELS))]
    assert names == ["a", "zai:glm-5.3"]
    assert "Model A" in write_model(format, MODELS[0]).decode() or format == "openai"
    assert read_models(write_models(format, ())) == ()
