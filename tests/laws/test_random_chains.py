"""Random chains of targets: whom the engine tries follows from the policy alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple
from unittest import mock

import openai
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from addon.providers.fallback_policy import PASSING
from tests.support.proxy import Proxy, running_proxy
from tests.support.servers import Exchange, ScriptedServer

DEAD = "http://127.0.0.1:9"
WORDS = ("one ", "two ", "three ", "four ")
STATUSES = {
    "400": "invalid_request",
    "401": "authentication",
    "403": "permission",
    "404": "not_found",
    "408": "timeout",
    "409": "conflict",
    "429": "rate_limit",
    "500": "server_error",
    "529": "overloaded",
}
FAILURES = {
    **STATUSES,
    "refuses the connection": "connect",
    "is silent": "timeout",
    "is full": "context_length",
    "has an error as its first event": "overloaded",
    "breaks off at once": "cut",
}
"""How a target may fail before the agent has got anything, and what rules call that."""
ENDS = ("answers", "declines")
"""What else it may do: then nobody else is tried."""
LATER = "breaks off later"
"""Of a stream the agent has got something by then, and nobody else is tried; of a plain answer not.
"""

chains = st.lists(st.sampled_from((*FAILURES, *ENDS, LATER)), min_size=1, max_size=4)
failures = st.sets(st.sampled_from(sorted(set(FAILURES.values()))), max_size=4)


type Tried = list[tuple[int, str | None]]
"""Who is tried, by place in the chain, and how each fails."""


class Law(NamedTuple):
    """A chain and its policy."""

    chain: list[str]
    on: frozenset[str]
    retries: int
    stream: bool

    def expected(self, resting: set[int]) -> Tried:
        """State who is tried in one call, by the policy alone.

        Args:
            resting: Who has failed in an earlier call: they come last, and then know it too.
        """
        tried: Tried = []
        order = sorted(range(len(self.chain)), key=lambda index: index in resting)
        for index in order:
            behaviour = self.chain[index]
            if behaviour in ENDS:
                return [*tried, (index, None)]
            failure = FAILURES.get(behaviour, "cut")
            if failure not in self.on or (behaviour == LATER and self.stream):
                return [*tried, (index, failure)]
            tried += [(index, failure)] * (1 + self.retries)
            if index != order[-1]:
                resting.add(index)
        return tried

    def words(self, index: int) -> str:
        """Return what the agent reads of one target's answer."""
        count = {"answers": 4, "declines": 4, LATER: 2 * self.stream}.get(self.chain[index], 0)
        return "".join(f"t{index}:{word}" for word in WORDS[:count])


OVERLOADED = {"error": {"message": "later", "type": "overloaded_error", "code": 529}}


def chunk(**choice: object) -> bytes:
    choices = [{"index": 0, "delta": {}, "finish_reason": None, **choice}]
    document = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**document, "choices": choices}).encode() + b"\n\n"


def completion(name: str, behaviour: str) -> bytes:
    """Write a plain answer."""
    ends = "content_filter" if behaviour == "declines" else "stop"
    content = "".join(f"{name}:{word}" for word in WORDS)
    message = {"role": "assistant", "content": content}
    choices = [{"index": 0, "message": message, "finish_reason": ends}]
    document = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**document, "choices": choices}).encode()


class Targets(ScriptedServer):
    """All targets of a chain, by the beginning of the path."""

    def __init__(self, chain: list[str]) -> None:
        super().__init__(self.serve)
        self.chain = chain

    async def serve(self, exchange: Exchange) -> None:
        name = exchange.path.split("/")[1]
        behaviour = self.chain[int(name[1:])]
        if behaviour in STATUSES or behaviour == "is full":
            code = "context_length_exceeded" if behaviour == "is full" else None
            error = {"message": "no", "type": "error", "code": code}
            status = 400 if behaviour == "is full" else int(behaviour)
            await exchange.answer(json.dumps({"error": error}).encode(), status)
            return
        if behaviour == "is silent":
            await exchange.left.wait()
            return
        if json.loads(exchange.body).get("stream"):
            await self.stream(exchange, name, behaviour)
        elif behaviour == "has an error as its first event":
            await exchange.answer(json.dumps(OVERLOADED).encode())
        elif behaviour in ENDS:
            await exchange.answer(completion(name, behaviour))
        else:
            whole = completion(name, behaviour)
            part = whole[: len(whole) // 2] if behaviour == LATER else b""
            await exchange.answer(part, content_length=str(len(whole)))
            exchange.abort()

    async def stream(self, exchange: Exchange, name: str, behaviour: str) -> None:
        """Give a stream."""
        await exchange.begin()
        if behaviour == "breaks off at once":
            exchange.abort()
            return
        if behaviour == "has an error as its first event":
            await exchange.chunk(b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n")
            await exchange.end()
            return
        await exchange.chunk(chunk(delta={"role": "assistant", "content": ""}))
        for number, word in enumerate(WORDS):
            if behaviour == LATER and number == 2:
                await asyncio.sleep(0.02)
                exchange.abort()
                return
            await exchange.chunk(chunk(delta={"content": f"{name}:{word}"}))
        ends = "content_filter" if behaviour == "declines" else "stop"
        await exchange.chunk(chunk(finish_reason=ends) + b"data: [DONE]\n\n")
        await exchange.end()


def write(url: str, chain: list[str], policy: dict[str, object]) -> str:
    providers = {
        f"t{index}": {
            "base_url": f"{DEAD if one == 'refuses the connection' else url}/t{index}/v1",
            "api_key": "none",
            "formats": ["openai-chat"],
            "timeouts": {"first_byte": 0.1},
        }
        for index, one in enumerate(chain)
    }
    use = [f"t{index}:m" for index in range(len(chain))]
    rules = [{"name": "chain", "use": use, "fallback": policy}]
    return json.dumps({"version": 1, "providers": providers, "rules": rules})


async def ask(proxy: Proxy, stream: bool) -> tuple[str, bool]:
    """Make a call, and return what was said and whether it failed."""
    text = ""
    question: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    async with proxy.openai() as client:
        try:
            if not stream:
                answer = await client.chat.completions.create(**question)
                return answer.choices[0].message.content or "", False
            async for part in await client.chat.completions.create(**question, stream=True):
                text += "".join(choice.delta.content or "" for choice in part.choices)
        except openai.APIError:
            return text, True
    return text, False


async def play(law: Law, policy: dict[str, object]) -> None:
    """Make two calls, the second of which knows who has failed in the first."""
    chain, resting = law.chain, set[int]()
    async with (
        Targets(chain) as server,
        running_proxy(write(server.url, chain, policy)) as proxy,
    ):
        for _ in range(2):
            tried = law.expected(resting)
            begun = len(server.exchanges)
            text, failed = await ask(proxy, law.stream)
            await proxy.quiet()
            index, failure = tried[-1]
            assert text == law.words(index)
            assert failed == (failure is not None)
            asked = [exchange.path.split("/")[1] for exchange in server.exchanges[begun:]]
            assert asked == [
                f"t{index}" for index, _ in tried if chain[index] != "refuses the connection"
            ]
            if len(chain) > 1 or law.retries:
                check_attempts(proxy.flows[-1].metadata["detour.summary"]["attempts"], tried)


def check_attempts(attempts: list[dict[str, Any]], tried: Tried) -> None:
    """Compare what is shown of the attempts."""
    kinds = {"connect": "unreachable"}
    assert [
        (one["provider"], one.get("error", "").partition(":")[0] or None) for one in attempts
    ] == [(f"t{index}", failure and kinds.get(failure, failure)) for index, failure in tried]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chains, failures, failures, st.sampled_from((0, 0, 1)), st.booleans())
def test_the_order_of_attempts_follows_from_the_policy(
    chain: list[str], more: set[str], less: set[str], retries: int, stream: bool
) -> None:
    less = less - more
    policy: dict[str, object] = {"retries": retries}
    if more:
        policy["on"] = sorted(more)
    if less:
        policy["not_on"] = sorted(less)
    law = Law(chain, (PASSING | more) - less, retries, stream)
    event(f"{len(law.expected(set()))} attempts")
    with mock.patch("addon.engine.chain.FIRST_WAIT", 0.001):
        asyncio.run(play(law, policy))
