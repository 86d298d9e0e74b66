import pytest
from mitmproxy.test import tutils

from addon.interceptor.endpoints import endpoint_of, is_upgrade
from addon.providers import provider_for_host


def endpoint(path, host="api.openai.com", method="POST", **headers):
    request = tutils.treq(
        host=host, path=path.encode(), method=method.encode(), headers=tuple(headers.items())
    )
    return endpoint_of(request, provider_for_host)


def test_a_call_for_an_answer():
    found = endpoint("/v1/chat/completions?x=1")
    assert (found.format, found.name, found.provider) == ("openai-chat", "chat", "openai")
    assert (found.line.path, found.line.query) == ("/v1/chat/completions", "x=1")
    assert found.error_format == "openai-chat"
    assert found.place == "POST /v1/chat/completions"


def test_the_agents_of_another_provider():
    found = endpoint("/v1/messages?beta=true", "api.anthropic.com")
    assert (found.format, found.name, found.provider) == ("anthropic", "messages", "anthropic")
    assert found.error_format == "anthropic"


@pytest.mark.parametrize(
    ("path", "method", "name"),
    [
        ("/v1/embeddings", "POST", "embeddings"),
        ("/v1/audio/speech", "POST", "audio"),
        ("/v1/files/file-1/content", "GET", "files"),
        ("/v1/models", "GET", "models"),
        ("/v1/chat/completions", "GET", "other"),
        ("/v1/fine_tuning/jobs", "POST", "other"),
        ("/dashboard", "GET", ""),
    ],
)
def test_what_cannot_be_translated(path, method, name):
    found = endpoint(path, method=method)
    assert (found.format, found.name) == (None, name)
    assert found.error_format in ("openai-responses", "openai-chat")  # errors look alike in both


def test_errors_are_in_the_hosts_own_format():
    assert endpoint("/v1/models", "api.anthropic.com", "GET").error_format == "anthropic"
    assert endpoint("/v1/whatever", "gateway.example").error_format in ("openai-chat", "anthropic")


def test_the_same_path_means_something_else_elsewhere():
    assert endpoint("/v1/files", "api.anthropic.com").name == ""


def test_a_host_may_be_written_in_many_ways():
    assert endpoint("/v1/chat/completions", "API.OpenAI.com.").host == "api.openai.com"


def test_upgrades():
    request = tutils.treq(headers=((b"upgrade", b"WebSocket"),))
    assert is_upgrade(request)
    assert not is_upgrade(tutils.treq())
