import json
from typing import get_args

import pytest

from addon.formats.anthropic import FORMAT
from addon.formats.anthropic.errors import STATUS_AND_TYPE_FROM_KIND
from addon.neutral import ErrorInfo, ErrorKind


def body(kind, message="m", **fields):
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, **fields})


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (400, body("invalid_request_error"), "invalid_request"),
        (400, body("invalid_request_error", "prompt is too long: 9 tokens"), "context_length"),
        (400, body("invalid_request_error", "Your credit balance is too low"), "billing"),
        (401, body("authentication_error"), "authentication"),
        (402, body("billing_error"), "billing"),
        (403, body("permission_error"), "permission"),
        (404, body("not_found_error"), "not_found"),
        (413, body("request_too_large"), "too_large"),
        (429, body("rate_limit_error"), "rate_limit"),
        (500, body("api_error"), "server_error"),
        (504, body("timeout_error"), "timeout"),
        (529, body("overloaded_error"), "overloaded"),
        (503, "<html>Bad gateway</html>", "overloaded"),
        (500, "", "server_error"),
        (400, '{"error":"just words"}', "invalid_request"),
        (418, '{"message":"teapot"}', "invalid_request"),
    ],
)
def test_the_meaning_of_an_error(status, text, kind):
    error = FORMAT.parse_error(status, (), text.encode())
    assert (error.kind, error.status) == (kind, status)
    assert error.message


def test_a_gateways_page_is_read_without_its_markup():
    page = b"<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>"
    error = FORMAT.parse_error(502, (), page)
    assert (error.message, error.code) == ("502 Bad Gateway nginx", None)
    assert FORMAT.parse_error(502, (), b"<html></html>").message == "the provider answered 502"


def test_keys_that_a_provider_quotes_are_not_passed_on():
    quoting = body("authentication_error", "no key sk-ant-12345")
    error = FORMAT.parse_error(401, (), quoting.encode())
    assert error.message == "no key [key]"


def test_the_words_and_the_headers_are_kept():
    headers = (("Request-Id", "req_9"), ("Retry-After", "17"))
    error = FORMAT.parse_error(529, headers, body("overloaded_error", "Overloaded").encode())
    assert (error.message, error.request_id, error.retry_after) == ("Overloaded", "req_9", 17.0)
    assert error.code == "overloaded_error"


@pytest.mark.parametrize("kind", get_args(ErrorKind.__value__))
def test_every_kind_has_a_status_and_survives_the_way(kind):
    rendered = FORMAT.render_error(ErrorInfo(kind, "words", retry_after=2.5, request_id="r"))
    assert rendered.status == STATUS_AND_TYPE_FROM_KIND[kind][0]
    wire = json.loads(rendered.body)
    assert wire["type"] == "error"
    assert "words" in wire["error"]["message"]
    assert dict(rendered.headers)["retry-after"] == "2.5"
    assert FORMAT.parse_error(rendered.status, rendered.headers, rendered.body).message


def test_a_context_that_is_too_long_says_so_in_the_words_agents_know():
    rendered = FORMAT.render_error(ErrorInfo("context_length", "200001 tokens"))
    assert json.loads(rendered.body)["error"]["message"] == "prompt is too long: 200001 tokens"


def test_an_error_inside_a_success_is_found():
    assert FORMAT.find_error(body("overloaded_error").encode()).kind == "overloaded"
    assert FORMAT.find_error(b'{"type":"message","content":[]}') is None
    assert FORMAT.find_error(b"not json") is None
