"""Whatever fails, the agent gets an error that its own SDK understands, and in time."""

import asyncio
import socket

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.embedded import EmbeddedProvider
from addon.formats.base import FormatName
from tests.support.calls import PATHS, request_body
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import data_of, text_frames

HOSTS: dict[FormatName, str] = {
    "openai-chat": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
}
KEY = {"authorization": f"Bearer {AGENT_KEY}", "anthropic-version": "2023-06-01"}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


async def ask(proxy, text="hello", *, stream=False, agent_format="openai-chat", **keywords):
    """Make one call; return status and message of the error."""
    async with asyncio.timeout(5), proxy.client() as client:
        answer = await client.post(
            HOSTS[agent_format] + PATHS[agent_format],
            content=request_body(text, stream=stream),
            headers=KEY,
            **keywords,
        )
    document = answer.json()
    assert answer.headers["content-type"] == "application/json"
    if agent_format == "openai-chat":
        assert set(document["error"]) == {"message", "type", "param", "code"}
    else:
        assert document["type"] == "error"
    return answer, document["error"]


@pytest.mark.parametrize("agent_format", HOSTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_bad_rules(agent_format, stream):
    rules = "version: 1\nrules:\n  - name: x\n    usee: anthropic:x\n"
    async with running_proxy(rules, expected_errors=True) as proxy:
        answer, error = await ask(proxy, agent_format=agent_format, stream=stream)
    assert answer.status_code == 400
    assert "rules.yaml:4:5" in error["message"]
    assert "usee" in error["message"]


async def test_no_rules_file(tmp_path):
    async with running_proxy(tmp_path / "missing.yaml", expected_errors=True) as proxy:
        answer, error = await ask(proxy)
    assert answer.status_code == 400
    assert "missing.yaml" in error["message"]


async def test_a_missing_key(provider):
    async with running_proxy(write_rules(provider.base_url), environment={}) as proxy:
        answer, error = await ask(proxy)
    assert answer.status_code == 401
    assert "ANTHROPIC_API_KEY" in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert provider.requests == []


async def test_an_unknown_model(provider):
    rules = write_rules(provider.base_url, use="anthropic:no-such-model")
    async with running_proxy(rules) as proxy:
        answer, error = await ask(proxy)
    assert answer.status_code == 404
    assert error["code"] == "model_not_found"


async def test_a_request_that_cannot_be_read(provider):
    async with running_proxy(write_rules(provider.base_url)) as proxy, proxy.client() as client:
        answer = await client.post(HOSTS["openai-chat"] + PATHS["openai-chat"], content=b"{")
    assert answer.status_code == 400
    assert provider.requests == []


async def test_a_packed_request_that_is_too_large(provider):
    from tests.engine.test_encodings import ENCODERS

    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_body_limit="1m") as proxy, proxy.client() as client:
        answer = await client.post(
            HOSTS["openai-chat"] + PATHS["openai-chat"],
            content=ENCODERS["zstd"](bytes(2_000_000)),
            headers={"content-encoding": "zstd"},
        )
    assert answer.status_code in (400, 413)
    assert "detour_body_limit" in answer.json()["error"]["message"]
    assert provider.requests == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request_error", 400),
        (401, "authentication_error", 401),
        (403, "permission_error", 403),
        (404, "not_found_error", 404),
        (413, "request_too_large", 400),
        (429, "rate_limit_error", 429),
        (500, "api_error", 500),
        (529, "overloaded_error", 503),
    ],
)
async def test_an_error_of_the_provider(provider, stream, status, kind, expected):
    async with running_proxy(write_rules(provider.base_url)) as proxy:
        text = f"[[error {status} {kind}]] [[retry-after 2]]"
        answer, error = await ask(proxy, text, stream=stream)
        native, _ = await ask(proxy, text, stream=stream, agent_format="anthropic")
    assert answer.status_code == expected
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["x-request-id"].startswith("req_")
    assert error["message"]
    assert native.status_code == status


async def test_an_error_page(provider):
    async with running_proxy(write_rules(provider.base_url)) as proxy:
        answer, error = await ask(proxy, "[[html 502]]")
    assert answer.status_code >= 500
    assert error["message"]


async def test_an_error_as_the_first_event(provider):
    async with running_proxy(write_rules(provider.base_url)) as proxy:
        text = "[[error-in-stream overloaded_error 0]]"
        answer, error = await ask(proxy, text, stream=True)
    assert answer.status_code == 503
    assert "Overloaded" in error["message"]


class TestUnreachable:
    async def test_nobody_listens(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with running_proxy(write_rules(url)) as proxy:
            answer, error = await ask(proxy)
        assert answer.status_code == 502
        assert error["code"] == "upstream_unreachable"
        assert "refused the connection" in error["message"]

    async def test_the_name_does_not_exist(self):
        async with running_proxy(write_rules("https://nowhere.example")) as proxy:
            answer, error = await ask(proxy, stream=True)
        assert answer.status_code == 502
        assert "cannot be resolved" in error["message"]

    async def test_the_certificate_is_for_another_name(self):
        async with (
            ScriptedServer(lambda _: asyncio.sleep(0), server_context("other.example")) as server,
            running_proxy(write_rules(server.url)) as proxy,
        ):
            answer, error = await ask(proxy)
        assert answer.status_code == 502
        assert "certificate" in error["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_silent_provider(provider, stream):
    rules = write_rules(provider.base_url, timeouts={"first_byte": 0.1})
    async with running_proxy(rules) as proxy:
        answer, error = await ask(proxy, "[[silent 30]]", stream=stream)
    assert answer.status_code == 504
    assert error["code"] == "timeout"
    await asyncio.wait_for(provider.requests[0].disconnected.wait(), 1)


async def events(proxy, text, **keywords):
    """Stream one answer; return the head and the data of its events."""
    async with asyncio.timeout(5), proxy.client() as client:
        answer = await client.post(
            HOSTS["openai-chat"] + PATHS["openai-chat"],
            content=request_body(text),
            headers=KEY,
            **keywords,
        )
    assert answer.status_code == 200
    return data_of(answer.content)


async def test_a_provider_that_falls_silent(provider):
    rules = write_rules(provider.base_url, timeouts={"idle": 0.1})
    async with running_proxy(rules) as proxy:
        data = await events(proxy, "[[gate]] [[say one two three]]")
    assert "sent nothing for 0.1 s" in data[-1]["error"]["message"]
    assert "[DONE]" not in data


async def read_to_the_end(stream):
    async for chunk in stream:
        assert not (chunk.choices and chunk.choices[0].finish_reason)


@pytest.mark.parametrize("ending", ["cut", "reset", "end", "error-in-stream api_error"])
@settings(max_examples=8)
@given(st.integers(4, 9))
def test_an_answer_that_breaks_off_never_looks_complete(ending, count):
    async def run():
        async with (
            EmbeddedProvider() as provider,
            running_proxy(write_rules(provider.base_url)) as proxy,
            proxy.openai() as client,
        ):
            text = f"[[{ending} {count}]] [[events 9]] [[say a b c d e f g h i]]"
            stream = await client.chat.completions.create(
                model="gpt-5.1", messages=[{"role": "user", "content": text}], stream=True
            )
            with pytest.raises(openai.APIError):
                await read_to_the_end(stream)

    asyncio.run(run())


@pytest.mark.parametrize("count", range(len(text_frames()) - 1))
@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_cut_at_every_event(count, how):
    async def serve(exchange):
        await exchange.begin()
        for frame in text_frames()[:count]:
            await exchange.chunk(frame)
        if how == "abort":
            await asyncio.sleep(0.01)  # what is on its way would be lost as well
            exchange.abort()
        else:
            await exchange.end()

    async with ScriptedServer(serve) as server, running_proxy(write_rules(server.url)) as proxy:
        if count == 0:
            answer, _ = await ask(proxy, stream=True)
            assert answer.status_code == 502
            return
        data = await events(proxy, "hello")
    assert "[DONE]" not in data
    assert "error" in data[-1]
    assert sum("error" in event for event in data) == 1


class TestAgentLeaves:
    """Who nobody waits for any more is not paid for."""

    @staticmethod
    async def leave_after(provider, text, ready, **settings):
        async with running_proxy(write_rules(provider.base_url), **settings) as proxy:
            async with proxy.client() as client:
                request = client.build_request(
                    "POST",
                    HOSTS["openai-chat"] + PATHS["openai-chat"],
                    content=request_body(text),
                    headers=KEY,
                )
                task = asyncio.create_task(client.send(request, stream=True))
                await ready(task)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await asyncio.wait_for(provider.requests[0].disconnected.wait(), 1)
            await proxy.quiet()
            assert proxy.connections == 0
            (flow,) = proxy.flows
            assert "disconnected" in flow.error.msg.lower()
            return flow

    async def test_before_the_first_byte(self, provider):
        async def ready(_):
            async with asyncio.timeout(10):
                while not provider.requests:  # noqa: ASYNC110 - it says nothing by itself
                    await asyncio.sleep(0.01)

        await self.leave_after(provider, "[[silent 30]]", ready)

    async def test_in_the_middle(self, provider):
        async def ready(task):
            answer = await task
            async for _ in answer.aiter_bytes():
                break

        flow = await self.leave_after(provider, "[[gate]] [[say one two]]", ready)
        assert b"chat.completion.chunk" in flow.response.content

    async def test_in_the_middle_of_silence(self, provider):
        async def ready(task):
            answer = await task
            async for _ in answer.aiter_bytes():
                break

        await self.leave_after(provider, "[[silent 30]]", ready, detour_keep_alive="0.05")


async def test_an_agent_that_waits_is_kept_awake(provider):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_keep_alive="0.05") as proxy, proxy.client() as client:
        answer = await client.post(
            HOSTS["openai-chat"] + PATHS["openai-chat"],
            content=request_body("[[silent 0.3]] [[say Hi.]]"),
            headers=KEY,
        )
    assert answer.content.count(b": keep-alive\n\n") >= 3
    assert answer.content.endswith(b"data: [DONE]\n\n")


async def gather_pieces(pieces):
    return b"".join([piece async for piece in pieces])


async def test_a_call_that_is_killed_in_mitmweb_stops(provider):
    async with running_proxy(write_rules(provider.base_url)) as proxy, proxy.client() as client:
        request = client.build_request(
            "POST",
            HOSTS["openai-chat"] + PATHS["openai-chat"],
            content=request_body("[[events 500]] [[slow 0.01]] [[say " + "word " * 500 + "]]"),
            headers=KEY,
        )
        answer = await client.send(request, stream=True)
        pieces = answer.aiter_bytes()
        await anext(pieces)
        proxy.flows[0].kill()
        with pytest.raises(httpx2.RemoteProtocolError):
            await gather_pieces(pieces)
        await asyncio.wait_for(provider.requests[0].disconnected.wait(), 1)


async def test_blocked():
    async with running_proxy(write_default("block")) as proxy:
        answer, error = await ask(proxy)
    assert answer.status_code == 403
    assert "rules.yaml" in error["message"]
    assert proxy.flows[0].comment.startswith("blocked (default)")


@pytest.mark.parametrize(
    ("default", "status"), [("anthropic:claude-sonnet-5-5", 404), ("block", 403)]
)
async def test_what_cannot_be_translated_is_not_sent_elsewhere(default, status):
    async with running_proxy(write_default(default)) as proxy, proxy.client() as client:
        answer = await client.post(
            "https://api.openai.com/v1/embeddings", json={"input": "secret"}, headers=KEY
        )
    assert answer.status_code == status
    assert "/v1/embeddings" in answer.json()["error"]["message"]
