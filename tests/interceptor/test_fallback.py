"""A list under `use`: who answers when the first does not, and what the agent sees of it."""

import asyncio
import json

import openai
import pytest
from mitmproxy import ctx

from tests.support import official
from tests.support.chains import MODELS, QUESTION, SENTENCE, UNREACHABLE, chain_of
from tests.support.proxy import AGENT_KEY
from tests.support.servers import ScriptedServer

WORKS = ""
LONG = " ".join(f"w{number}" for number in range(40))
OVERLOADED = "[[error 529 overloaded_error]]"
OVERLOADED_IN_STREAM = "[[error-in-stream overloaded_error 0]]"
CHAT = "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize("failing", MODELS)
@pytest.mark.parametrize("answering", ["anthropic", "openai-chat"])
async def test_the_third_answers_when_two_have_failed(failing, answering):
    """The first refuses the connection, the second fails within a stream of status 200."""
    conducts = (UNREACHABLE, OVERLOADED_IN_STREAM, WORKS)
    async with chain_of(*conducts, formats=("openai-chat", failing, answering)) as targets:
        said = await targets.words()
        assert targets.asked == [0, 1, 1]
    assert "".join(said) == SENTENCE
    assert len(said) > 1
    assert targets.tried == [("t0", "unreachable"), ("t1", "overloaded"), ("t2", "")]
    assert targets.providers[1].requests[0].status == 200
    told = (
        f"gpt-5.1 -> t0:glm-5.3 (unreachable) -> t1:{MODELS[failing]} (overloaded)"
        f" -> t2:{MODELS[answering]} (chain)"
    )
    assert targets.proxy.flows[-1].comment == told
    assert f"{told}: 200" in targets.proxy.logs.lines
    assert "t0:glm-5.3 has failed (unreachable); next is t1:" in str(targets.proxy.logs.lines)


@pytest.mark.parametrize(
    ("format", "events"), [("openai-chat", 1), ("openai-responses", 2), ("anthropic", 1)]
)
async def test_an_error_before_any_words_is_still_held_back(format, events):
    """What begins an answer says nothing yet, so the agent has not got it."""
    late = f"[[error-in-stream overloaded_error {events}]]"
    async with chain_of(late, WORKS, formats=(format,)) as targets:
        assert await targets.text() == SENTENCE
    assert targets.tried == [("t0", "overloaded"), ("t1", "")]


async def stream_by_chat(client):
    body = {"model": "gpt-5.1", "messages": QUESTION, "stream": True}
    answer = await client.post(CHAT, json=body)
    return official.chat_facts(official.read_chat_stream(answer.content))["text"]


async def stream_by_responses(client):
    body = {"model": "gpt-5.1", "input": QUESTION, "stream": True, "store": False}
    answer = await client.post("https://api.openai.com/v1/responses", json=body)
    return official.read_responses_stream(answer.content).output_text


async def stream_by_messages(client):
    body = {"model": "claude-x", "messages": QUESTION, "stream": True, "max_tokens": 99}
    headers = {"anthropic-version": "2023-06-01"}
    answer = await client.post("https://api.anthropic.com/v1/messages", json=body, headers=headers)
    return official.anthropic_facts(official.read_anthropic_stream(answer.content))["text"]


async def stream_by_gemini(client):
    host = "https://generativelanguage.googleapis.com"
    url = f"{host}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    body = {"contents": [{"role": "user", "parts": [{"text": QUESTION[0]["content"]}]}]}
    answer = await client.post(url, json=body)
    return official.gemini_facts(official.read_gemini_stream(answer.content))["text"]


@pytest.mark.parametrize(
    "stream", [stream_by_chat, stream_by_responses, stream_by_messages, stream_by_gemini]
)
async def test_agents_of_every_format_get_one_whole_stream(stream):
    async with chain_of(UNREACHABLE, OVERLOADED_IN_STREAM, WORKS) as targets:
        headers = {"authorization": f"Bearer {AGENT_KEY}"}
        async with targets.proxy.client(headers=headers) as client:
            assert await stream(client) == SENTENCE
        assert targets.asked == [0, 1, 1]


async def test_a_whole_answer_falls_back_too():
    async with chain_of(UNREACHABLE, OVERLOADED, WORKS) as targets:
        async with targets.proxy.openai() as client:
            answer = await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
        assert answer.choices[0].message.content == SENTENCE
        assert targets.tried == [("t0", "unreachable"), ("t1", "overloaded"), ("t2", "")]


async def read(proxy, text, got):
    """Stream an answer and remember the words of it that came."""
    async with proxy.openai() as client:
        answer = await client.chat.completions.create(
            model="gpt-5.1", messages=[{"role": "user", "content": text}], stream=True
        )
        async for chunk in answer:
            got += [choice.delta.content or "" for choice in chunk.choices]


@pytest.mark.parametrize("format", MODELS)
@pytest.mark.parametrize("ending", ["error-in-stream overloaded_error 18", "cut 18", "end 18"])
async def test_nothing_moves_on_once_the_agent_has_words(format, ending):
    async with chain_of(f"[[{ending}]]", WORKS, formats=(format,)) as targets:
        got: list[str] = []
        with pytest.raises(openai.APIError):
            await read(targets.proxy, f"[[say {LONG}]]", got)
        assert "".join(got).startswith("w0 w1 ")
        assert targets.asked == [1, 0]


async def test_the_last_failure_is_told_when_nobody_answers():
    slow = "[[error 429 rate_limit_error slow down]] [[retry-after 7]]"
    async with chain_of(UNREACHABLE, UNREACHABLE, slow) as targets:
        with pytest.raises(openai.RateLimitError) as caught:
            await targets.words()
        await targets.proxy.quiet()
        assert [name for name, _ in targets.tried] == ["t0", "t1", "t2"]
    assert "slow down" in str(caught.value)
    assert caught.value.response.headers["retry-after"] == "7"


async def test_a_target_without_a_key_is_passed_over_and_told():
    keyless = {"api_key": "${SECOND_KEY}"}
    async with chain_of(UNREACHABLE, WORKS, WORKS, others={"t1": keyless}) as targets:
        assert await targets.text() == SENTENCE
        assert targets.asked == [0, 0, 1]
    assert targets.tried == [("t0", "unreachable"), ("t1", "authentication"), ("t2", "")]


async def test_an_agent_that_is_kept_awake_still_gets_one_stream():
    late = "[[silent 0.15]] [[error-in-stream overloaded_error 0]]"
    async with chain_of(late, WORKS, detour_keep_alive="0.05") as targets:
        async with targets.proxy.client() as client:
            body = {"model": "gpt-5.1", "messages": QUESTION, "stream": True}
            answer = await client.post(CHAT, json=body)
        assert targets.asked == [1, 1]
    assert answer.text.startswith(":")
    assert answer.text.count("data: [DONE]") == 1
    assert answer.text.count('"role":"assistant"') == 1
    assert "error" not in answer.text


async def test_an_agent_that_leaves_ends_the_chain():
    async with chain_of("[[silent 30]]", WORKS) as targets:
        async with targets.proxy.client() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.post(CHAT, json={"model": "gpt-5.1", "messages": QUESTION})
        async with asyncio.timeout(2):
            await targets.providers[0].requests[0].disconnected.wait()
        assert targets.asked == [1, 0]


async def redirecting(exchange):
    await exchange.answer(b"", 302, location="https://elsewhere.example/v1")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_redirect_after_which_nothing_can_be_tried_is_told(streamed):
    async with ScriptedServer(redirecting) as server:
        others = {"t0": {"base_url": server.url}, "t1": {"api_key": "${NO_SUCH_KEY}"}}
        async with (
            chain_of(WORKS, WORKS, others=others) as targets,
            targets.proxy.openai() as client,
        ):
            with pytest.raises(openai.InternalServerError, match="redirects to https://elsew"):
                await client.chat.completions.create(
                    model="gpt-5.1", messages=QUESTION, stream=streamed
                )


async def test_a_filter_is_asked_about_what_the_agent_sent():
    async with chain_of(
        UNREACHABLE, UNREACHABLE, WORKS, when={"filter": "~d api.openai.com"}
    ) as targets:
        assert await targets.text() == SENTENCE
        assert [name for name, _ in targets.tried] == ["t0", "t1", "t2"]


class Editor:
    """Somebody who edits what is about to be sent."""

    def request(self, flow):
        flow.request.content = flow.request.content.replace(b"one", b"nothing")


async def test_what_was_edited_by_hand_goes_to_no_other_target():
    async with chain_of(UNREACHABLE, WORKS) as targets:
        ctx.master.addons.add(Editor())
        with pytest.raises(openai.APIError):
            await targets.words()
        assert targets.asked == [0, 0]


async def test_a_count_is_not_lost_with_the_first_target():
    async def overloaded(exchange):
        await exchange.answer(b'{"error": {"message": "no", "type": "overloaded"}}', 529)

    async with ScriptedServer(overloaded) as first:
        others = {"t0": {"base_url": first.url}}
        formats = ("anthropic", "openai-chat")
        async with (
            chain_of(WORKS, UNREACHABLE, formats=formats, others=others) as targets,
            targets.proxy.client() as client,
        ):
            answer = await client.post(
                "https://api.anthropic.com/v1/messages/count_tokens",
                headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
                json={"model": "claude-x", "messages": [{"role": "user", "content": "Hi"}]},
            )
    assert answer.status_code == 529
    assert answer.json()["error"]["type"] == "overloaded_error"


async def test_an_error_that_quotes_our_key_is_told_without_it():
    own = "our+very/own+key"
    quoting = f"[[error 401 authentication_error Bad key {own}!]]"
    async with chain_of(quoting, WORKS, settings={"api_key": own}) as targets:
        with pytest.raises(openai.AuthenticationError, match=r"Bad key \[key\]!"):
            await targets.words()
        await targets.proxy.quiet()
        assert own not in json.dumps(targets.summary)
