import pytest

from addon.formats import format_for_path
from addon.formats.base import RequestLine
from addon.formats.gemini.models import gemini_model
from addon.formats.gemini.names import camel_case, field, read_target, snake_case


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/gemini-3.8-flash:generateContent",
        "/v1beta/models/gemini-3.8-flash:streamGenerateContent",
        "/v1beta/tunedModels/mine:generateContent",
        "/v1beta/models/zai:glm-5.3:generateContent",
        "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent",
    ],
)
def test_paths_of_the_format(path):
    assert format_for_path(path) == ("gemini", "generate")


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models",
        "/v1beta/models/gemini-3.8-flash",
        "/v1beta/models/gemini-3.8-flash:embedContent",
        "/v1beta/models/a/b:generateContent",
        "/v1/chat/completions/models/:generateContent",
    ],
)
def test_other_paths(path):
    assert format_for_path(path) is None


def test_a_path_that_asks_for_a_count():
    path = "/v1beta/models/gemini-3.8-flash:countTokens"
    assert format_for_path(path) == ("gemini", "count")
    assert read_target(RequestLine(path)).model == "gemini-3.8-flash"


def test_a_request_line():
    line = RequestLine("/v1beta/models/a%20b:streamGenerateContent", "key=x&alt=sse")
    target = read_target(line)
    assert (target.model, target.stream, target.server_sent_events) == ("a b", True, True)
    assert (
        read_target(RequestLine("/v1beta/models/zai:glm-5.3:generateContent")).model
        == "zai:glm-5.3"
    )
    assert read_target(RequestLine("/x")).model == ""


def test_both_spellings():
    assert snake_case("parametersJsonSchema") == "parameters_json_schema"
    assert camel_case("parameters_json_schema") == "parametersJsonSchema"
    assert field({"file_uri": "a"}, "fileUri") == "a"
    assert field({"fileUri": "b", "file_uri": "a"}, "fileUri") == "b"


@pytest.mark.parametrize(
    ("name", "thinking", "ids"),
    [
        ("gemini-2.0-flash-001", "none", False),
        ("gemini-2.5-flash-preview-05-20", "budget", False),
        ("models/gemini-2.5-pro", "budget", False),
        ("gemini-2.5-flash-image", "none", False),
        ("gemini-3-pro-preview", "level", True),
        ("publishers/google/models/gemini-3.8-flash", "level", True),
        ("gemini-9-krypton", "level", True),
        ("gemini-flash-latest", "level", True),
        ("gemma-3-27b-it", "none", False),
        ("something-else", "level", True),
    ],
)
def test_generations(name, thinking, ids):
    model = gemini_model(name)
    assert (model.thinking, model.call_ids, model.signed_calls) == (thinking, ids, ids)


def test_sampling_ends_with_the_generation():
    assert gemini_model("gemini-3.5-flash").sampling
    assert not gemini_model("gemini-3.5-flash-lite").sampling
    assert not gemini_model("gemini-3.6-flash").sampling
