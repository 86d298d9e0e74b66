"""Random chains of targets: whom the engine tries follows from the policy alone."""

from __future__ import annotations

import asyncio
import json
from unittest import mock

import openai
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from addon.providers.fallback_policy import PASSING
from tests.support.proxy import running_proxy
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
ENDS = ("answers", "declines", "breaks off later")
"""What else it may do; then the agent has got something, and nobody else is tried."""

chains = st.lists(st.sampled_from((*FAILURES, *ENDS)), min_size=1, max_size=4)
failures = st.sets(st.sampled_from(sorted(set(FAILURES.values()))), max_size=4)


def expected(chain: list[str], on: frozenset[str], retries: int) -> list[tuple[str, str | None]]:
    """State who is tried and how each fails, by the policy alone."""
    tried: list[tuple[str, str | None]] = []
    for index, behaviour in enumerate(chain):
        name = f"t{index}"
        if behaviour in ENDS:
            return [*tried, (name, "cut" if behaviour == "breaks off later" else None)]
        failure = FAILURES[behaviour]
        if failure not in on:
            return [*tried, (name, failure)]
        tried += [(name, failure)] * (1 + retries)
    return tried


def chunk(**choice: object) -> bytes:
    choices = [{"index": 0, "delta": {}, "finish_reason": None, **choice}]
    document = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**document, "choices": choices}).encode() + b"\n\n"


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
        await exchange.begin()
        if behaviour == "breaks off at once":
            exchange.abort()
            return
        if behaviour == "has an error as its first event":
            error = {"message": "later", "type": "overloaded_error", "code": 529}
            await exchange.chunk(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")
            await exchange.end()
            return
        await exchange.chunk(chunk(delta={"role": "assistant", "content": ""}))
        for number, word in enumerate(WORDS):
            if behaviour == "breaks off later" and number == 2:
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
            "timeouts": {"first_byte": 0.15},
        }
        for index, one in enumerate(chain)
    }
    use = [f"t{index}:m" for index in range(len(chain))]
    rules = [{"name": "chain", "use": use, "fallback": policy}]
    return json.dumps({"version": 1, "providers": providers, "rules": rules})


async def play(chain: list[str], policy: dict[str, object], tried: list[tuple[str, str | None]]):
    text, failed = "", False
    async with (
        Targets(chain) as server,
        running_proxy(write(server.url, chain, policy)) as proxy,
    ):
        async with proxy.openai() as client:
            try:
                stream = await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "hi"}], stream=True
                )
                async for part in stream:
                    text += "".join(choice.delta.content or "" for choice in part.choices)
            except openai.APIError:
                failed = True
        await proxy.quiet()
        summary = proxy.flows[-1].metadata["detour.summary"]
        asked = [exchange.path.split("/")[1] for exchange in server.exchanges]
    name, failure = tried[-1]
    behaviour = chain[int(name[1:])]
    words = {"answers": 4, "declines": 4, "breaks off later": 2}.get(behaviour, 0)
    assert text == "".join(f"{name}:{word}" for word in WORDS[:words])
    assert failed == (failure is not None)
    assert asked == [name for name, _ in tried if chain[int(name[1:])] != "refuses the connection"]
    if len(chain) > 1 or policy.get("retries"):
        kinds = {"connect": "unreachable", "context_length": "context_length"}
        assert [
            (one["provider"], one.get("error", "").partition(":")[0] or None)
            for one in summary["attempts"]
        ] == [(name, failure and kinds.get(failure, failure)) for name, failure in tried]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chains, failures, failures, st.sampled_from((0, 0, 1)))
def test_the_order_of_attempts_follows_from_the_policy(
    chain: list[str], more: set[str], less: set[str], retries: int
) -> None:
    less = less - more
    policy: dict[str, object] = {"retries": retries}
    if more:
        policy["on"] = sorted(more)
    if less:
        policy["not_on"] = sorted(less)
    tried = expected(chain, (PASSING | more) - less, retries)
    event(f"{len(tried)} attempts")
    with mock.patch("addon.engine.chain.FIRST_WAIT", 0.001):
        asyncio.run(play(chain, policy, tried))
