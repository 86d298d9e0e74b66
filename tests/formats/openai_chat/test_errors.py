import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.openai_chat import FORMAT
from addon.neutral import ErrorInfo


def parse(body, status=400, headers=()):
    wire = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FORMAT.parse_error(status, headers, wire)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Bad thing", "type": "invalid_request_error", "code": None}},
        {"error": "Bad thing"},
        {"error": ["Bad thing"]},
        {"error": {"message": {"message": "Bad thing"}}},
        {"object": "error", "message": "Bad thing", "type": "invalid_request_error"},
        {"detail": "Bad thing"},
        {"errors": [{"message": "Bad thing"}]},
        {"code": 400, "message": "Bad thing", "type": "Bad Request"},
        [{"error": {"code": 400, "message": "Bad thing", "status": "INVALID_ARGUMENT"}}],
        "Bad thing",
        b"Bad thing",
        b"<html><style>x{}</style><h1>Bad</h1> thing</html>",
        b'\xef\xbb\xbf{"error":{"message":"Bad thing"}}',
    ],
)
def test_errors_come_in_many_shapes(body):
    info = parse(body)
    assert info.message == "Bad thing"
    assert info.kind == "invalid_request"
    assert info.status == 400


def test_fastapi_names_the_place():
    body = {"detail": [{"loc": ["body", "n"], "msg": "too high", "type": "value_error"}]}
    assert parse(body, 422).message == "body.n: too high"


def test_the_upstream_s_own_words_are_told():
    error = {"message": "Provider returned error", "code": 429, "metadata": {"raw": "slow down"}}
    info = parse({"error": error, "user_id": "u"}, 429)
    assert info.message == "Provider returned error: slow down"
    assert info.kind == "rate_limit"


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b'{"error":null}', b"\xff"])
def test_an_empty_error_is_still_one(body):
    info = parse(body, 503)
    assert info.kind == "overloaded"
    assert info.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request"),
        (401, "authentication"),
        (402, "billing"),
        (403, "permission"),
        (404, "not_found"),
        (408, "timeout"),
        (409, "conflict"),
        (413, "too_large"),
        (422, "invalid_request"),
        (429, "rate_limit"),
        (500, "server_error"),
        (503, "overloaded"),
        (504, "timeout"),
        (529, "overloaded"),
    ],
)
def test_the_status_gives_the_kind(status, kind):
    assert parse({"error": {"message": "x"}}, status).kind == kind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "context_length_exceeded"}, "context_length"),
        (400, {"message": "This model's maximum context length is 9 tokens."}, "context_length"),
        (400, {"type": "exceed_context_size_error"}, "context_length"),
        (400, {"message": "exceeds the available context size"}, "context_length"),
        (400, {"message": "Range of input length should be [1, 9]"}, "context_length"),
        (400, {"message": "Your request exceeded model token limit: 9"}, "context_length"),
        (400, {"message": "maximum prompt length is 9 but has 10"}, "context_length"),
        (400, {"message": "Prompt too large for model with 9 maximum"}, "context_length"),
        (400, {"code": "1261", "message": "Prompt"}, "context_length"),
        (400, {"type": "too_many_prompt_tokens"}, "context_length"),
        (429, {"code": "insufficient_quota"}, "billing"),
        (429, {"code": 1113, "message": "no money"}, "billing"),
        (429, {"message": "You exceeded your current quota"}, "billing"),
        (429, {"code": "1305"}, "overloaded"),
        (413, {"code": "rate_limit_exceeded", "message": "TPM"}, "rate_limit"),
        (400, {"message": "API key not valid."}, "authentication"),
        (400, {"code": "content_filter"}, "content_policy"),
        (400, {"type": "invalid_model"}, "not_found"),
        (400, {"code": "1301"}, "content_policy"),
    ],
)
def test_codes_and_words_make_the_kind_more_precise(status, error, kind):
    assert parse({"error": {"message": "x"} | error}, status).kind == kind


def test_hints_for_another_try_are_read():
    assert parse({"error": "x"}, 429, (("Retry-After", "17"),)).retry_after == 17
    assert parse({"error": "x"}, 429, (("retry-after-ms", "1500"),)).retry_after == 1.5
    details = [{"@type": "RetryInfo", "retryDelay": "17s"}]
    assert parse({"error": {"message": "x", "details": details}}, 429).retry_after == 17


def test_the_request_id_is_read():
    assert parse({"error": "x"}, 500, (("X-Request-Id", "r1"),)).request_id == "r1"
    assert parse({"error": {"message": "x"}, "request_id": "r2"}, 500).request_id == "r2"


def test_keys_are_not_told():
    key = "sk-proj-abcdefghijklmnop"
    info = parse({"error": {"message": f"Incorrect API key provided: {key}. Find it"}}, 401)
    assert info.message == "Incorrect API key provided: [key]. Find it"
    assert "fake-key" not in parse({"error": "Incorrect API key provided: fake-key."}, 401).message


@given(st.binary(max_size=200), st.integers(400, 599))
def test_no_error_makes_it_raise(body, status):
    assert parse(body, status).message
    FORMAT.find_error(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "message", "code", "detail", "type", "choices", "status"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_nor_does_any_json(value):
    assert parse(value, 400).message
    FORMAT.find_error(json.dumps(value).encode())


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "x", "code": "content_filter"}},
        {"code": 1234, "message": "x", "success": False},
        {"object": "error", "message": "x"},
        {"detail": "x"},
        {"base_resp": {"status_code": 1008, "status_msg": "x"}, "choices": None},
        {"choices": [{"finish_reason": "error", "message": {}}]},
    ],
)
def test_errors_hide_in_successes(body):
    assert isinstance(FORMAT.find_error(json.dumps(body).encode()), ErrorInfo)


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"finish_reason": "stop", "message": {"content": "x"}}]},
        {"choices": [{"finish_reason": "stop", "message": {}}], "error": None},
        {"choices": [{"message": {}}], "base_resp": {"status_code": 0}},
    ],
)
def test_successes_are_no_errors(body):
    assert FORMAT.find_error(json.dumps(body).encode()) is None


@pytest.mark.parametrize(
    ("kind", "status", "error_type", "code"),
    [
        ("invalid_request", 400, "invalid_request_error", None),
        ("unsupported", 400, "invalid_request_error", "unsupported_parameter"),
        ("authentication", 401, "invalid_request_error", "invalid_api_key"),
        ("permission", 403, "permission_error", None),
        ("billing", 429, "insufficient_quota", "insufficient_quota"),
        ("not_found", 404, "invalid_request_error", "model_not_found"),
        ("conflict", 409, "invalid_request_error", None),
        ("too_large", 400, "invalid_request_error", "request_too_large"),
        ("context_length", 400, "invalid_request_error", "context_length_exceeded"),
        ("content_policy", 400, "invalid_request_error", "content_policy_violation"),
        ("rate_limit", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("overloaded", 503, "server_error", "server_is_overloaded"),
        ("timeout", 504, "server_error", "timeout"),
        ("unreachable", 502, "server_error", "upstream_unreachable"),
        ("cut", 502, "server_error", "upstream_cut"),
        ("server_error", 500, "server_error", None),
    ],
)
def test_errors_are_written_as_openai_would(kind, status, error_type, code):
    rendered = FORMAT.render_error(ErrorInfo(kind, "words", param="p"))
    assert rendered.status == status
    assert json.loads(rendered.body) == {
        "error": {"message": "words", "type": error_type, "param": "p", "code": code}
    }
    assert ("x-should-retry", "false") in rendered.headers or kind != "billing"


def test_hints_are_passed_on():
    rendered = FORMAT.render_error(
        ErrorInfo("rate_limit", "x", retry_after=16.2, request_id="req_9", code="own")
    )
    assert ("retry-after", "17") in rendered.headers
    assert ("x-request-id", "req_9") in rendered.headers


def test_the_provider_s_own_5xx_stays():
    assert FORMAT.render_error(ErrorInfo("server_error", "x", status=502)).status == 502
    assert FORMAT.render_error(ErrorInfo("server_error", "x", status=418)).status == 500
