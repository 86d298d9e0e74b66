"""Pitfalls T10 to T17: streams that end badly, errors, and agents that leave."""

import asyncio
import itertools
import json

import pytest
from mitmproxy.test import tflow

from addon.engine.streamed import StreamedAnswer
from addon.formats import FORMATS
from addon.interceptor.adapter import Delivery
from addon.interceptor.recorder import Recorder
from addon.neutral import StreamError
from addon.translation import StreamTranslator
from tests.support.calls import request_body
from tests.support.living import living
from tests.support.one_call import CHAT, ERROR, KEY, LIMITED, WHOLE, ask
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import data_of, error_frame, text_frames, text_of


async def test_t10_the_stream_callable_keeps_mitmproxys_contract():
    """Its callables must give back bytes, take a last empty call, and may not wait."""
    flow = tflow.tflow(resp=True)
    recorder = Recorder(flow, limit=5, refresh=lambda _: None)
    for piece in (b"abc", b"defg", b""):
        assert recorder(piece) == piece
    recorder.end()
    assert flow.response.raw_content == b"abcdefg"


async def test_t11_nothing_is_kept_of_calls_that_are_over():
    """Buffers of finished streams add up over a working day."""

    async def serve(exchange):
        await exchange.answer(WHOLE, content_type="text/event-stream")

    of_others = living(Delivery, StreamedAnswer)

    def kept():
        return len(living(Delivery, StreamedAnswer, since=of_others))

    async with (
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url), detour_flow_limit="10") as proxy,
        proxy.client() as client,
    ):
        for _ in range(40):
            await client.post(CHAT, content=request_body(), headers=KEY)
        proxy.flows.clear()
        for _ in range(20):  # records gather for a moment before they are written
            await asyncio.sleep(0.1)
            if kept() <= 12:
                break
        assert kept() <= 12


@pytest.mark.parametrize("beginning", [b"", text_frames()[0]])
async def test_t12_an_agent_that_leaves_stops_the_provider(beginning):
    """Otherwise the provider writes on, and bills, for nobody: also before the first word."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def serve(exchange):
        asked.set()
        if beginning:
            await exchange.begin()
            await exchange.chunk(beginning)
        try:
            await asyncio.sleep(60)
        finally:
            left.set()

    async with (
        asyncio.timeout(5),
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url)) as proxy,
        proxy.client() as client,
    ):
        task = asyncio.create_task(client.post(CHAT, content=request_body(), headers=KEY))
        await asked.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        await left.wait()


async def test_t13_a_silent_provider_does_not_make_a_dead_line():
    """Agents and what lies between hang up on silence; comments are legal, but between events."""

    async def serve(exchange):
        await exchange.begin()
        frames_ = text_frames()
        frames_.insert(3, b'event: ping\ndata: {"type": "ping"}\n\n')
        half = len(frames_[2]) // 2
        await exchange.chunk(b"".join(frames_[:2]) + frames_[2][:half])
        await asyncio.sleep(0.3)
        await exchange.chunk(frames_[2][half:] + b"".join(frames_[3:]))
        await exchange.end()

    async with (
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url), detour_keep_alive="0.05") as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(CHAT, content=request_body(), headers=KEY)
    blocks = answer.text.split("\n\n")
    assert [block for block in blocks if block.startswith(":")]
    assert all(block.startswith((": ", "data: ")) for block in blocks if block)
    assert "ping" not in answer.text
    assert text_of(answer.content) == "Hello there!"


ENDS = {
    "openai-chat": b"[DONE]",
    "openai-responses": b'"response.completed"',
    "anthropic": b'"message_stop"',
    "gemini": b'"finishReason"',
}


@pytest.mark.parametrize("target", [name for name in FORMATS if name != "anthropic"])
@pytest.mark.parametrize("inside", [False, True])
def test_t14_a_stream_that_breaks_off_never_looks_complete(target, inside):
    """An answer cut in half that ends like a whole one is taken for a whole one."""
    parts = text_frames()
    for count in range(len(parts) - 2):
        translator = StreamTranslator("anthropic", target, b'{"model":"m","stream":true}')
        output = translator.feed(b"".join(parts[:count]))
        if inside:
            output += translator.feed(parts[count][: len(parts[count]) // 2])
        output += translator.close()
        assert ENDS[target] not in output
        assert output.endswith((b"\n\n", b"\r\n\r\n")), "the end is glued to half an event"
        decoder = FORMATS[target].decoder()
        events = decoder.feed(output) + decoder.feed_eof()
        assert isinstance(events[-1], StreamError)


@pytest.mark.parametrize("stream", [False, True])
async def test_t15_an_error_with_status_200_is_an_error(stream):
    """Some providers and gateways say 200 first and the error afterwards."""

    async def serve(exchange):
        if stream:
            await exchange.answer(error_frame(), content_type="text/event-stream")
        else:
            await exchange.answer(ERROR)

    answer, _ = await ask(serve, body=request_body(stream=stream))
    assert answer.status_code >= 500
    assert answer.json()["error"]["message"].startswith("Overloaded")


async def test_t16_nothing_is_begun_anew_after_the_first_word():
    """A second try after half an answer makes the agent read its beginning twice."""

    async def serve(exchange):
        await exchange.begin()
        await exchange.chunk(b"".join(text_frames()[:3]))
        exchange.abort()

    async with (
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url)) as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(CHAT, content=request_body(), headers=KEY)
    assert len([sent for sent in server.exchanges if sent.path == "/v1/messages"]) == 1
    chunks = data_of(answer.content)
    assert (
        sum(
            "role" in choice["delta"]
            for choice in itertools.chain.from_iterable(
                chunk.get("choices", ()) for chunk in chunks
            )
        )
        == 1
    )
    assert "error" in chunks[-1]


@pytest.mark.parametrize("words_first", [False, True])
async def test_t16_the_next_target_is_asked_before_the_first_word_only(words_first):
    """A list of targets is for those that do not answer, not for those that broke off."""

    async def failing(exchange):
        if words_first:
            await exchange.begin()
            await exchange.chunk(b"".join(text_frames()[:3]))
            exchange.abort()
        else:
            await exchange.answer(ERROR, 529)

    async def well(exchange):
        await exchange.answer(WHOLE, content_type="text/event-stream")

    async with (
        asyncio.timeout(20),
        ScriptedServer(failing) as first,
        ScriptedServer(well) as second,
    ):
        other = {"base_url": second.url, "formats": ["anthropic"], "api_key": "none"}
        targets = ["anthropic:claude-sonnet-5-5", "other:claude-opus-5-5"]
        rules = write_rules(first.url, use=targets, providers={"other": other})
        async with running_proxy(rules) as proxy, proxy.client() as client:
            answer = await client.post(CHAT, content=request_body(), headers=KEY)
    assert len(second.exchanges) == (0 if words_first else 1)
    chunks = [chunk for chunk in data_of(answer.content) if chunk != "[DONE]"]
    choices = [choice for chunk in chunks for choice in chunk.get("choices", ())]
    assert sum("role" in choice["delta"] for choice in choices) == 1
    assert ("error" in chunks[-1]) is words_first
    if not words_first:
        assert text_of(answer.content) == "Hello there!"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            (529, {"retry_after": "7"}, ERROR),
            (503, "7", "server_is_overloaded"),
        ),
        (
            (429, {"retry_after": "20"}, LIMITED),
            (429, "20", "rate_limit_exceeded"),
        ),
    ],
)
async def test_t17_the_status_and_the_wait_cross_over(given, shown):
    """Agents act on the status and `retry-after`, and few know 529."""
    status, headers, body = given

    async def serve(exchange):
        await exchange.answer(body, status, **headers)

    answer, _ = await ask(serve, body=request_body(stream=False))
    found = (answer.status_code, answer.headers.get("retry-after"), answer.json()["error"]["code"])
    assert found == shown


def test_t17_a_wait_that_stands_in_the_body_crosses_over_too():
    """Google says in the body how long to wait."""
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
    slow = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow", "details": [detail]}
    error = FORMATS["gemini"].parse_error(429, (), json.dumps({"error": slow}).encode())
    rendered = FORMATS["openai-chat"].render_error(error)
    assert ("retry-after", "17") in rendered.headers
