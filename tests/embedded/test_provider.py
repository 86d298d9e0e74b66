"""What goes over the wire, and when."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
import trustme

from addon.embedded import EmbeddedProvider
from tests.support.provider import messages_body, post, user

CHAT = "/v1/chat/completions"
SONNET_4_5 = "claude-sonnet-4-5"


@pytest.fixture
async def provider() -> AsyncIterator[EmbeddedProvider]:
    async with EmbeddedProvider() as provider:
        yield provider


def streaming(words: str) -> dict:
    return messages_body(user(words), stream=True)


async def read(provider: EmbeddedProvider, words: str) -> tuple[list[str], Exception | None]:
    """Return the lines of a streamed answer, and what broke it off."""
    lines: list[str] = []
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    async with httpx2.AsyncClient(base_url=provider.base_url, timeout=10) as client:
        try:
            async with client.stream(
                "POST", "/v1/messages", json=streaming(words), headers=headers
            ) as response:
                async for line in response.aiter_lines():
                    lines.append(line)
        except httpx2.TransportError as error:
            return lines, error
    return lines, None


def events(lines: list[str]) -> list[str]:
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


async def test_the_events_stand_in_the_order_of_the_real_api(provider: EmbeddedProvider) -> None:
    lines, broken = await read(provider, "[[say one two]]")
    assert broken is None
    assert events(lines) == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("POST", "/v1/messages", {"x-api-key": ""}, 401, "authentication_error"),
        ("POST", "/v1/messages", {"x-api-key": "bad-key"}, 401, "authentication_error"),
        ("POST", CHAT, {"authorization": ""}, 401, "invalid_request_error"),
        ("POST", CHAT, {"authorization": "Bearer bad-key"}, 401, "invalid_request_error"),
        ("GET", "/v1/messages", {}, 405, "invalid_request_error"),
        ("POST", "/v1/complete", {}, 404, "not_found_error"),
        ("POST", "/v1/messages", {"content-type": "text/plain"}, 415, "invalid_request_error"),
        ("POST", "/v1/messages", {"content-encoding": "gzip"}, 400, "invalid_request_error"),
        ("POST", "/v1/messages", {"anthropic-version": ""}, 400, "invalid_request_error"),
    ],
)
async def test_requests_that_no_provider_takes(
    provider: EmbeddedProvider,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    usual = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    keys = {"authorization": "Bearer key"} if path == CHAT else {"x-api-key": "key"}
    sent = {name: value for name, value in {**usual, **keys, **headers}.items() if value}
    async with httpx2.AsyncClient(base_url=provider.base_url) as client:
        response = await client.request(method, path, content=b"{}", headers=sent)
    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)
    assert provider.requests[0].status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"model": }',
        b'{"a": NaN}',
        b'{"a": "\\ud83d"}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_json(provider: EmbeddedProvider, body: bytes) -> None:
    response = await post(provider, body)
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]["message"]


async def test_a_body_that_is_too_large(provider: EmbeddedProvider) -> None:
    response = await post(provider, b" " * (32 * 1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")


async def test_a_mistake_in_a_directive_shows(provider: EmbeddedProvider) -> None:
    response = await post(provider, messages_body(user("[[dance]]")))
    assert response.status_code == 400
    assert "[[dance]] is not known" in response.json()["error"]["message"]


async def test_what_was_received_can_be_looked_at(provider: EmbeddedProvider) -> None:
    await post(provider, messages_body(user("hi")), "/v1/messages?beta=true", {"X-Extra": "1"})
    (request,) = provider.requests
    assert (request.method, request.path, request.query) == ("POST", "/v1/messages", "beta=true")
    assert request.header("x-extra") == "1"
    assert request.json()["messages"] == [user("hi")]
    assert request.status == 200
    assert not request.disconnected.is_set()


async def test_the_gate_holds_each_event_until_it_is_released(provider: EmbeddedProvider) -> None:
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    async with (
        httpx2.AsyncClient(base_url=provider.base_url) as client,
        client.stream(
            "POST", "/v1/messages", json=streaming("[[gate]] [[say a b c]]"), headers=headers
        ) as response,
    ):
        chunks = response.aiter_bytes()
        seen = b""
        while b'"a "' not in seen:
            seen += await anext(chunks)
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        provider.release()
        assert b'"b "' in await waiting
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        provider.open_gate()
        rest = await waiting
        async for chunk in chunks:
            rest += chunk
    assert b'"c"' in rest
    assert rest.endswith(b'data: {"type":"message_stop"}\n\n')


@pytest.mark.parametrize("directive", ["cut", "reset"])
@pytest.mark.parametrize("count", range(8))
async def test_a_cut_comes_after_so_many_events(
    provider: EmbeddedProvider, directive: str, count: int
) -> None:
    lines, broken = await read(provider, f"[[say one two]] [[{directive} {count}]]")
    assert isinstance(broken, httpx2.TransportError)
    if directive == "cut":
        assert len(events(lines)) == count


async def test_an_end_without_the_last_event_is_orderly_http(provider: EmbeddedProvider) -> None:
    lines, broken = await read(provider, "[[say one two]] [[end 7]]")
    assert broken is None
    assert events(lines)[-1] == "message_delta"


@pytest.mark.parametrize("tls", [False, True])
async def test_a_client_that_leaves_is_noticed_at_once(tls: bool) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    async with EmbeddedProvider(certificate=server if tls else None) as provider:
        assert provider.base_url.startswith("https" if tls else "http:")
        for words in ("[[silent 30]]", "[[gate]] [[say a b]]"):
            async with httpx2.AsyncClient(base_url=provider.base_url, verify=client) as http:
                asked = asyncio.ensure_future(
                    http.post("/v1/messages", json=streaming(words), headers=headers)
                )
                await asyncio.sleep(0.2)
                asked.cancel()
            await asyncio.wait_for(provider.requests[-1].disconnected.wait(), 2)


async def test_slow_and_silent_take_their_time(provider: EmbeddedProvider) -> None:
    started = time.monotonic()
    await read(provider, "[[say one]] [[slow 0.02]]")
    assert time.monotonic() - started > 5 * 0.02
    started = time.monotonic()
    await post(provider, messages_body(user("[[silent 0.1]]")))
    assert time.monotonic() - started > 0.1


async def test_plain_answers_json_to_a_stream(provider: EmbeddedProvider) -> None:
    response = await post(provider, streaming("[[plain]] [[say hi]]"))
    assert response.headers["content-type"] == "application/json"
    assert response.json()["content"] == [{"type": "text", "text": "hi"}]


@pytest.mark.parametrize("stream", [False, True])
async def test_gzip_packs_the_answer(provider: EmbeddedProvider, stream: bool) -> None:
    body = {**streaming("[[gzip]] [[say hi]]"), "stream": stream}
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    async with (
        httpx2.AsyncClient(base_url=provider.base_url) as client,
        client.stream("POST", "/v1/messages", json=body, headers=headers) as response,
    ):
        packed = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert b'"hi"' in gzip.decompress(packed)


async def test_one_connection_serves_many_requests(provider: EmbeddedProvider) -> None:
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    limits = httpx2.Limits(max_connections=1)
    async with httpx2.AsyncClient(base_url=provider.base_url, limits=limits) as client:
        for stream in (True, False, True):
            body = messages_body(user("hi"), stream=stream)
            response = await client.post("/v1/messages", json=body, headers=headers)
            assert response.status_code == 200
    assert len(provider.requests) == 3


async def test_another_provider_does_not_take_these_signatures() -> None:
    async with EmbeddedProvider(secret=b"one") as one, EmbeddedProvider(secret=b"two") as two:
        thinking = {"type": "enabled", "budget_tokens": 1024}
        first = messages_body(user("hi"), thinking=thinking, model=SONNET_4_5)
        content = (await post(one, first)).json()["content"]
        assert content[0]["type"] == "thinking"
        second = {**first, "messages": [user("hi"), {"role": "assistant", "content": content},
                                        user("bye")]}  # fmt: skip
        assert (await post(one, second)).status_code == 200
        assert (await post(two, second)).status_code == 400


async def test_a_provider_of_bad_conduct_fails_whatever_the_prompt_says() -> None:
    conduct = "[[error 529 overloaded_error]] [[retry-after 3]]"
    async with EmbeddedProvider(conduct=conduct) as provider:
        for path in ("/v1/messages", CHAT):
            answer = await post(provider, messages_body(user("[[say Hi.]]")), path)
            assert (answer.status_code, answer.headers["retry-after"]) == (529, "3")
        provider.conduct = ""
        assert (await post(provider, messages_body(user("[[say Hi.]]")))).status_code == 200
