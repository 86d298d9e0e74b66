"""A list under `use`: who answers when the first does not."""

import asyncio
import json

import openai
import pytest
from mitmproxy import ctx

from addon.embedded import EmbeddedProvider
from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.servers import ScriptedServer

RULES = """
version: 1
providers:
  first: {{base_url: '{first}/v1', api_key: one, formats: [openai-chat]}}
  second: {{base_url: '{second}', api_key: two, formats: [anthropic]}}
  third: {{base_url: '{third}', api_key: {key}, formats: [anthropic]}}
rules:
  - name: chain
    use: ['first:m-1', 'second:m-2', 'third:claude-sonnet-5-5']
    {more}
"""
QUESTION = [{"role": "user", "content": "[[say one two three four five]]"}]
DEAD = "http://127.0.0.1:9"
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"m-2","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}'
    b"\n\n"
)
OVERLOADED = (
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
    b'"message":"Overloaded"}}\n\n'
)


def stream(*events, cut=False):
    async def handler(exchange):
        await exchange.begin()
        for event in events:
            await exchange.chunk(event)
            await asyncio.sleep(0)
        if cut:
            exchange.abort()
        else:
            await exchange.end()

    return handler


def failing(status, message="no", headers=None, kind="error"):
    async def handler(exchange):
        body = {"error": {"message": message, "type": kind, "code": None}}
        await exchange.answer(json.dumps(body).encode(), status, **(headers or {}))

    return handler


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, first=DEAD, second=DEAD, more=""):
    return RULES.format(
        first=first, second=second, third=provider.base_url, key=PROVIDER_KEY, more=more
    )


def summary(proxy):
    return proxy.flows[-1].metadata["detour.summary"]


def tried(proxy):
    attempts = summary(proxy)["attempts"]
    return [(a["provider"], a.get("error", "").partition(":")[0]) for a in attempts]


async def words(proxy, **more):
    async with proxy.openai() as client:
        answer = await client.chat.completions.create(
            model="gpt-5.1", messages=QUESTION, stream=True, **more
        )
        return [
            chunk.choices[0].delta.content
            async for chunk in answer
            if chunk.choices and chunk.choices[0].delta.content
        ]


@pytest.mark.parametrize("events", [(OVERLOADED,), (START, OVERLOADED), (START + OVERLOADED,)])
async def test_the_third_answers_when_two_have_failed(provider, events):
    async with (
        ScriptedServer(stream(*events)) as second,
        running_proxy(rules(provider, second=second.url)) as proxy,
    ):
        said = await words(proxy)
        await proxy.quiet()
    assert "".join(said) == "one two three four five"
    assert len(said) > 1
    assert tried(proxy) == [("first", "unreachable"), ("second", "overloaded"), ("third", "")]
    assert proxy.flows[-1].comment == (
        "gpt-5.1 -> first:m-1 (unreachable) -> second:m-2 (overloaded)"
        " -> third:claude-sonnet-5-5 (chain)"
    )
    assert len(provider.requests) == len(second.exchanges) == 1


async def test_a_whole_answer_falls_back_too(provider):
    async with (
        ScriptedServer(failing(503)) as second,
        running_proxy(rules(provider, second=second.url)) as proxy,
        proxy.openai() as client,
    ):
        answer = await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
    assert answer.choices[0].message.content == "one two three four five"
    assert tried(proxy) == [("first", "unreachable"), ("second", "overloaded"), ("third", "")]


@pytest.mark.parametrize(
    ("status", "kind", "moves"),
    [
        (408, "timeout_error", True),
        (409, "conflict", True),
        (429, "rate_limit_error", True),
        (500, "api_error", True),
        (502, "bad_gateway", True),
        (529, "overloaded_error", True),
        (402, "billing_error", True),
        (400, "invalid_request_error", False),
        (401, "authentication_error", False),
        (403, "permission_error", False),
        (404, "not_found_error", False),
    ],
)
async def test_which_failures_move_on(provider, status, kind, moves):
    async with ScriptedServer(failing(status, kind=kind)) as second:
        text = rules(provider, second=second.url).replace("'first:m-1', ", "")
        async with running_proxy(text) as proxy:
            if moves:
                assert "".join(await words(proxy)).startswith("one")
            else:
                with pytest.raises(openai.APIStatusError) as caught:
                    await words(proxy)
                assert caught.value.status_code in (status, 400)
    assert len(provider.requests) == moves


async def test_a_rule_says_otherwise(provider):
    more = "fallback: {on: [authentication], not_on: [rate_limit]}"
    text = rules(provider, second="SECOND", more=more).replace("'first:m-1', ", "")
    async with (
        ScriptedServer(failing(401, kind="authentication_error")) as second,
        running_proxy(text.replace("SECOND", second.url)) as proxy,
    ):
        assert "".join(await words(proxy)).startswith("one")
    async with (
        ScriptedServer(failing(429, kind="rate_limit_error")) as second,
        running_proxy(text.replace("SECOND", second.url)) as proxy,
    ):
        with pytest.raises(openai.RateLimitError):
            await words(proxy)


async def test_an_overflow_moves_to_a_bigger_model_where_the_rule_wants_it(provider):
    told = "prompt is too long: 210000 tokens > 200000 maximum"
    overflow = failing(400, told, kind="invalid_request_error")
    for more, moves in (("", False), ("fallback: {on: context_length}", True)):
        async with ScriptedServer(overflow) as second:
            text = rules(provider, second=second.url, more=more).replace("'first:m-1', ", "")
            async with running_proxy(text) as proxy:
                if moves:
                    assert "".join(await words(proxy)).startswith("one")
                else:
                    with pytest.raises(openai.BadRequestError) as caught:
                        await words(proxy)
                    assert caught.value.code == "context_length_exceeded"


async def test_nothing_moves_on_once_the_agent_has_words(provider):
    block = (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"text","text":""}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"half"}}\n\n'
    )
    for ending in ((OVERLOADED,), ()):
        handler = stream(START, block, *ending, cut=not ending)
        async with ScriptedServer(handler) as second:
            text = rules(provider, second=second.url).replace("'first:m-1', ", "")
            async with running_proxy(text) as proxy:
                with pytest.raises(openai.APIError):
                    await words(proxy)
    assert not provider.requests


async def test_the_last_failure_is_told_when_nobody_answers():
    slow = failing(429, "slow down", {"retry_after": "7"}, "rate_limit_error")
    async with ScriptedServer(slow) as third, EmbeddedProvider() as provider:
        text = rules(provider).replace(provider.base_url, third.url)
        async with running_proxy(text) as proxy:
            with pytest.raises(openai.RateLimitError) as caught:
                await words(proxy)
            await proxy.quiet()
    assert "slow down" in str(caught.value)
    assert caught.value.response.headers["retry-after"] == "7"
    assert [name for name, _ in tried(proxy)] == ["first", "second", "third"]


async def test_a_target_is_tried_again_after_what_it_asks_for(provider):
    tries = []

    async def once_busy(exchange):
        tries.append(asyncio.get_running_loop().time())
        if len(tries) == 1:
            await failing(429, "slow", {"retry_after": "0.2"}, "rate_limit_error")(exchange)
        else:
            await stream(START, OVERLOADED)(exchange)

    async with ScriptedServer(once_busy) as second:
        text = rules(provider, second=second.url, more="fallback: {retries: 1}")
        async with running_proxy(text.replace("'first:m-1', ", "")) as proxy:
            assert "".join(await words(proxy)).startswith("one")
            await proxy.quiet()
    assert 0.19 < tries[1] - tries[0] < 2
    assert [name for name, _ in tried(proxy)] == ["second", "second", "third"]


async def test_a_single_target_can_be_tried_again():
    async def twice_down(exchange):
        if len(server.exchanges) < 3:
            await failing(503, headers={"retry_after": "0"})(exchange)
        else:
            await exchange.answer(json.dumps(ANSWER).encode())

    async with ScriptedServer(twice_down) as server:
        text = (
            f"version: 1\nproviders: {{one: {{base_url: '{server.url}/v1', api_key: none}}}}\n"
            "rules: [{use: 'one:m', fallback: {retries: 2}}]\n"
        )
        async with running_proxy(text) as proxy, proxy.openai() as client:
            answer = await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
    assert answer.choices[0].message.content == "Here I am."
    assert len(server.exchanges) == 3


ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Here I am."},
            "finish_reason": "stop",
        }
    ],
}


async def test_a_target_that_has_failed_is_passed_over_for_a_while(provider):
    async with ScriptedServer(failing(529, kind="overloaded_error")) as second:
        text = rules(provider, second=second.url, more="fallback: {cooldown: 0.4}")
        async with running_proxy(text.replace("'first:m-1', ", "")) as proxy:
            await words(proxy)
            await words(proxy)
            assert len(second.exchanges) == 1
            await asyncio.sleep(0.45)
            await words(proxy)
            assert len(second.exchanges) == 2


async def test_a_target_without_a_key_is_passed_over_and_told(provider):
    text = rules(provider).replace("api_key: two", "api_key: '${SECOND_KEY}'")
    async with running_proxy(text) as proxy:
        assert "".join(await words(proxy)).startswith("one")
        await proxy.quiet()
    assert tried(proxy) == [("first", "unreachable"), ("second", "authentication"), ("third", "")]


async def test_an_agent_that_is_kept_awake_still_gets_one_stream(provider):
    async def late(exchange):
        await asyncio.sleep(0.15)
        await stream(OVERLOADED)(exchange)

    async with ScriptedServer(late) as second:
        text = rules(provider, second=second.url).replace("'first:m-1', ", "")
        async with running_proxy(text, detour_keep_alive="0.05") as proxy, proxy.client() as client:
            answer = await client.post(
                "https://api.openai.com/v1/chat/completions",
                json={"model": "gpt-5.1", "messages": QUESTION, "stream": True},
            )
    assert answer.text.startswith(":")
    assert answer.text.count("data: [DONE]") == 1
    assert answer.text.count('"role":"assistant"') == 1
    assert "error" not in answer.text


async def test_an_agent_that_leaves_ends_the_chain(provider):
    async def hang(exchange):
        await exchange.left.wait()

    async with ScriptedServer(hang) as second:
        text = rules(provider, second=second.url).replace("'first:m-1', ", "")
        async with running_proxy(text) as proxy, proxy.client() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.post(
                        "https://api.openai.com/v1/chat/completions",
                        json={"model": "gpt-5.1", "messages": QUESTION},
                    )
            async with asyncio.timeout(2):
                await second.exchanges[0].left.wait()
    assert not provider.requests


async def redirecting(exchange):
    await exchange.answer(b"", 302, location="https://elsewhere.example/v1")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_redirect_after_which_nothing_can_be_tried_is_told(provider, streamed):
    async with ScriptedServer(redirecting) as second:
        text = rules(provider, second=second.url).replace(PROVIDER_KEY, "'${NO_SUCH_KEY}'")
        async with running_proxy(text, environment={}) as proxy, proxy.openai() as client:
            with pytest.raises(openai.InternalServerError, match="redirects to https://elsewhere"):
                await client.chat.completions.create(
                    model="gpt-5.1", messages=QUESTION, stream=streamed
                )


async def test_a_filter_is_asked_about_what_the_agent_sent(provider):
    text = rules(provider).replace("use: [", "when: {filter: '~d api.openai.com'}\n    use: [")
    async with running_proxy(text) as proxy:
        assert "".join(await words(proxy)) == "one two three four five"
        await proxy.quiet()
    assert [name for name, _ in tried(proxy)] == ["first", "second", "third"]


class Editor:
    """Somebody who edits what is about to be sent."""

    def request(self, flow):
        flow.request.content = flow.request.content.replace(b"secret", b"nothing")


async def test_what_was_edited_by_hand_goes_to_no_other_target(provider):
    async with running_proxy(rules(provider)) as proxy, proxy.openai() as client:
        ctx.master.addons.add(Editor())
        with pytest.raises(openai.APIError):
            await client.chat.completions.create(
                model="gpt-5.1", messages=[{"role": "user", "content": "secret"}]
            )
    assert provider.requests == []


async def test_a_count_is_not_lost_with_the_first_target():
    async with ScriptedServer(failing(529)) as first:
        text = json.dumps(
            {
                "version": 1,
                "providers": {
                    "first": {"base_url": first.url, "api_key": "k", "formats": ["anthropic"]},
                    "second": {"base_url": DEAD, "api_key": "k", "formats": ["openai-chat"]},
                },
                "rules": [{"name": "count", "use": ["first:m-1", "second:m-2"]}],
            }
        )
        async with running_proxy(text) as proxy, proxy.client() as client:
            answer = await client.post(
                "https://api.anthropic.com/v1/messages/count_tokens",
                headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
                json={"model": "claude-x", "messages": [{"role": "user", "content": "Hi"}]},
            )
    assert answer.status_code == 529
    assert answer.json()["error"]["type"] == "overloaded_error"


async def test_an_error_that_quotes_our_key_is_told_without_it(provider):
    own = "our+very/own+key"
    quoting = failing(401, message=f"Bad key {own}!", kind="authentication_error")
    async with ScriptedServer(quoting) as second:
        text = rules(provider, second=second.url).replace("'first:m-1', ", "")
        text = text.replace("api_key: two", f"api_key: {own}")
        async with running_proxy(text) as proxy, proxy.openai() as client:
            with pytest.raises(openai.AuthenticationError, match=r"Bad key \[key\]!"):
                await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
            await proxy.quiet()
    assert own not in json.dumps(summary(proxy))
