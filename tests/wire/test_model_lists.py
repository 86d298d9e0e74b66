import json

import anthropic
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.model_lists import ListedModel, read_models, write_model, write_models

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "models", "name", "meta"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
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
    ],
)
def test_every_kind_of_list_is_read(document, expected):
    assert read_models(json.dumps(document).encode()) == (expected,)


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
