"""The API from before Chat."""

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules


@pytest.mark.parametrize("stream", [False, True])
async def test_by_any_provider(stream):
    async with EmbeddedProvider() as provider:
        async with running_proxy(write_rules(provider.base_url)) as proxy, proxy.openai() as client:
            answer = await client.completions.create(
                model="gpt-3.5-turbo-instruct", prompt="hello", max_tokens=50, stream=stream
            )
            if stream:
                chunks = [chunk async for chunk in answer]
                text = "".join(one.text for chunk in chunks for one in chunk.choices)
                ends = [one.finish_reason for chunk in chunks for one in chunk.choices]
                assert [end for end in ends if end] == ["stop"]
                assert {chunk.object for chunk in chunks} == {"text_completion"}
            else:
                text = answer.choices[0].text
                assert (answer.object, answer.choices[0].finish_reason) == (
                    "text_completion",
                    "stop",
                )
                assert answer.usage.completion_tokens
        assert text
        assert provider.requests[0].json()["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    "more",
    [{"suffix": "}"}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}, {"echo": True}, {"logprobs": 0}],
)
async def test_what_a_chat_cannot_do(more):
    async with running_proxy(write_rules()) as proxy, proxy.openai() as client:
        with pytest.raises(openai.BadRequestError):
            await client.completions.create(**{"model": "m", "prompt": "x", **more})


@pytest.mark.parametrize(("more", "lost"), [({"best_of": 3}, True), ({"best_of": 1}, False)])
async def test_what_is_left_out_is_told(more, lost):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        proxy.openai() as client,
    ):
        await client.completions.create(model="m", prompt="hello", **more)
        losses = proxy.flows[0].metadata["detour.summary"]["losses"]
    assert ("best_of" in [loss["field"] for loss in losses]) == lost


async def test_errors():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        proxy.openai() as client,
    ):
        for stream in (False, True):
            with pytest.raises(openai.RateLimitError):
                await client.completions.create(
                    model="m", prompt="[[error 429 rate_limit_error]]", stream=stream
                )


@pytest.mark.parametrize("when", [{"has": "stream"}, {"input_tokens": "> 100"}])
async def test_rules_may_look_at_what_a_chat_of_the_same_words_has(when):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, when=when, default="block")) as proxy,
        proxy.openai() as client,
    ):
        with pytest.raises(openai.PermissionDeniedError):
            await client.completions.create(model="m", prompt="hello")
        await client.completions.create(model="m", prompt="hello " * 200, stream=True)
        assert len(provider.requests) == 1
