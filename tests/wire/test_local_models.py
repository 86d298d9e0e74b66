import json

import pytest
from hypothesis import given

from addon.wire.local_models import read_digests, read_running, with_details, with_properties
from addon.wire.model_lists import ListedModel
from tests.support.strategies import JSON

MODEL = ListedModel(id="a", owner="library")


def details(**said):
    return with_details(MODEL, json.dumps(said).encode())


def llama(length):
    return {"general.architecture": "llama", "llama.context_length": length}


@pytest.mark.parametrize(
    ("said", "context"),
    [
        ({"model_info": llama(8192)}, 8192),
        ({"model_info": llama(8192), "parameters": 'stop  "x"\nnum_ctx      4096'}, 4096),
        ({"parameters": "num_ctx 2048\ntemperature 1"}, 2048),
        ({"parameters": 'stop "num_ctx 7"'}, None),
        ({"model_info": {"llama.context_length": 8192}}, None),
        ({}, None),
    ],
)
def test_the_context_is_what_is_set_else_what_the_model_can_take(said, context):
    assert details(**said).context == context


@pytest.mark.parametrize(
    ("capabilities", "kind", "features"),
    [
        (["completion", "tools"], "chat", {"tools", "json_schema"}),
        (["completion", "vision", "thinking"], "chat", {"images", "reasoning", "json_schema"}),
        (["embedding"], "embedding", {"json_schema"}),
        (None, "chat", None),
    ],
)
def test_what_a_model_is_for_and_can_do(capabilities, kind, features):
    model = details(capabilities=capabilities)
    assert model.kind == kind
    assert model.features == features


def test_which_file_is_behind_a_name_and_which_models_are_in_memory():
    listed = [{"name": "a", "digest": "1", "context_length": 7}, {"name": "b"}, 3]
    body = json.dumps({"models": listed}).encode()
    assert read_digests(body) == {"a": "1", "b": "", "": ""}
    assert read_running(body) == {"a": 7, "b": None, "": None}


def test_what_llama_cpp_says_of_itself():
    settings = {"default_generation_settings": {"n_ctx": 7}}
    seeing = {**settings, "modalities": {"vision": True, "audio": False}}
    model = with_properties(MODEL, json.dumps(seeing).encode())
    assert (model.context, model.features) == (7, {"tools", "json_schema", "images"})
    blind = {**settings, "modalities": {"vision": False}}
    model = with_properties(MODEL, json.dumps(blind).encode())
    assert model.features == {"tools", "json_schema"}
    model = with_properties(ListedModel(id="a", context=9), b"{}")  # an older one
    assert (model.context, model.features) == (9, None)


@given(JSON)
def test_whatever_a_server_says_raises_nothing(document):
    body = json.dumps(document).encode()
    assert with_details(MODEL, body).id == with_properties(MODEL, body).id == "a"
    read_digests(body)
    read_running(body)
