"""`detour usage` agrees with what the providers reported, whatever happens in between.

A real Detour carries a thousand exchanges in all four formats, streamed and plain, translated and
not: some fail, some are cut, some agents leave, and in the middle Detour is killed.
"""

import asyncio
import collections
import itertools
import json
import random
import re
import signal
import ssl
from dataclasses import dataclass

import httpx2

from addon.embedded import EmbeddedProvider
from addon.ledger import Reader
from tests.support.program import DETOUR, LISTENING
from tests.support.recordings import needs_recordings, recordings
from tests.support.reported import Reported, reported, reported_meanwhile
from tests.support.servers import ScriptedServer

FORMATS = ("openai-chat", "openai-responses", "anthropic", "gemini")
EXCHANGES = 1000
AT_ONCE = 12
KILLED_AT = (430, 700)
"""After how many exchanges Detour is killed."""
ENDS = (b"[DONE]", b"message_stop", b"response.completed", b'"finishReason"')
"""What an agent can see that its stream is whole by, before the connection says so."""


@dataclass(frozen=True)
class Answer:
    protocol: str
    streamed: bool
    body: bytes
    tokens: Reported


@dataclass
class Exchange:
    """One call: who asks how, and what the provider answers."""

    number: int
    agent: str
    answer: Answer
    fate: str
    """`whole`, `cut` by the provider, `left` by the agent, or an `error` status."""
    complete: bool = False
    """Whether the agent has got an answer to its end."""
    status: int | None = None
    served: int = 0

    @property
    def model(self) -> str:
        return f"model-{self.number}"


class Provider:
    """Serves the answers, by the number in the model's name."""

    def __init__(self, exchanges):
        self.exchanges = {exchange.model: exchange for exchange in exchanges}
        self.random = random.Random(7)

    async def serve(self, http):
        in_path = re.search(r"models/([\w-]+):", http.path)
        exchange = self.exchanges[in_path[1] if in_path else json.loads(http.body)["model"]]
        exchange.served += 1
        answer = exchange.answer
        if exchange.fate == "error":
            await http.answer(b'{"error": {"message": "no more", "type": "overloaded"}}', 529)
        elif answer.streamed:
            await self._stream(http, exchange)
        else:
            await http.answer(answer.body)

    async def _stream(self, http, exchange):
        body = exchange.answer.body
        await http.begin()
        if exchange.fate == "cut":
            await http.chunk(body[: len(body) // 2])
            http.abort()
            return
        places = sorted(self.random.randrange(1, len(body)) for _ in range(3))
        for start, end in itertools.pairwise([0, *places, len(body)]):
            if start < end:
                await http.chunk(body[start:end])
            await asyncio.sleep(0.1 if exchange.fate == "left" else 0)
        await http.end()


def request_of(agent, model, stream, text="Hi"):
    """Return URL and body of a request in the agent's format."""
    said = [{"role": "user", "content": text}]
    match agent:
        case "openai-chat":
            more = {"stream_options": {"include_usage": True}} if stream else {}
            body = {"model": model, "messages": said, "stream": stream, **more}
            return "https://api.openai.com/v1/chat/completions", body
        case "openai-responses":
            body = {"model": model, "input": text, "stream": stream, "store": False}
            return "https://api.openai.com/v1/responses", body
        case "anthropic":
            body = {"model": model, "messages": said, "stream": stream, "max_tokens": 100}
            return "https://api.anthropic.com/v1/messages", body
        case _:
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
            base = "https://generativelanguage.googleapis.com/v1beta/models"
            return f"{base}/{model}:{method}", body


def rules(address):
    """Send each call to the provider of the format that its header names."""
    providers = {
        f"at-{name}": {
            "base_url": address + ("/v1" if name.startswith("openai") else ""),
            "formats": [name],
            "api_key": "none",
        }
        for name in FORMATS
    }
    each = [
        {"name": name, "when": {"header": {"x-to": name}}, "use": f"at-{name}:*"}
        for name in FORMATS
    ]
    return json.dumps({"version": 1, "providers": providers, "rules": each})


async def ask(client, exchange):
    url, body = request_of(exchange.agent, exchange.model, exchange.answer.streamed)
    headers = {"x-to": exchange.answer.protocol}
    received = bytearray()
    try:
        async with client.stream("POST", url, json=body, headers=headers) as response:
            exchange.status = response.status_code
            async for data in response.aiter_raw():
                received += data
                if exchange.fate == "left":
                    return
            exchange.complete = True
    except httpx2.TransportError:
        whole = any(end in received for end in ENDS)
        exchange.complete = exchange.status == 200 and whole and exchange.fate != "cut"


class Detour:
    """A real process, which can be killed and begun anew."""

    def __init__(self, machine, home):
        self._machine = machine
        self._home = home
        self._authority = machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(
            *(*DETOUR, "serve", "--ui", "dump", "--listen", "127.0.0.1:0"),
            *("--home", str(self._home)),
            cwd=self._machine.folder,
            env=self._machine.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        line = (await self._process.stdout.readline()).decode()
        assert line.startswith(LISTENING), line
        self._drain = asyncio.create_task(self._process.stdout.read())
        context = ssl.create_default_context(cafile=str(self._authority))
        self.client = httpx2.AsyncClient(
            proxy=f"http://{line.removeprefix(LISTENING).strip()}",
            verify=context,
            trust_env=False,
            timeout=20,
            headers={"authorization": "Bearer any", "x-api-key": "any", "x-goog-api-key": "any"},
        )

    async def end(self, signal_number):
        self._process.send_signal(signal_number)
        await self._process.wait()
        await self._drain
        await self.client.aclose()


async def carry(detour, exchanges):
    """Carry all exchanges, some at a time, and kill Detour in the middle of it."""
    waiting = collections.deque(exchanges)

    async def work(until):
        while waiting and len(exchanges) - len(waiting) < until:
            await ask(detour.client, waiting.popleft())

    for until in (*KILLED_AT, EXCHANGES):
        await detour.start()
        workers = [asyncio.create_task(work(until)) for _ in range(AT_ONCE)]
        if until == EXCHANGES:
            await asyncio.gather(*workers)
            await detour.end(signal.SIGTERM)
        else:
            await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            await detour.end(signal.SIGKILL)
            await asyncio.gather(*workers)


def plan(answers):
    """Deal the answers out to agents of all formats, with mishaps in between."""
    chance = random.Random(11)
    exchanges = []
    for number in range(EXCHANGES):
        answer = answers[number % len(answers)]
        fates = ["whole"] * 20 + ["error", *(["cut", "left"] if answer.streamed else [])]
        agent = answer.protocol if chance.random() < 0.4 else chance.choice(FORMATS)
        exchanges.append(Exchange(number, agent, answer, chance.choice(fates)))
    return exchanges


async def agrees(answers, machine):
    exchanges = plan(answers)
    home = machine.folder / "detour-home"
    async with ScriptedServer(Provider(exchanges).serve) as server:
        (machine.folder / "rules.yaml").write_text(rules(server.url))
        await carry(Detour(machine, home), exchanges)
    used = machine.run("usage", "--home", str(home), "--since", "1d", "--json")
    check(exchanges, home, json.loads(used.stdout)["total"])


def check(exchanges, home, total):
    reader = Reader(home)
    records = reader.page(count=10 * EXCHANGES)
    assert reader.running() == []
    reader.close()
    entered = collections.Counter(record.requested_model for record in records)
    assert set(entered.values()) == {1}
    by_model = {record.requested_model: record for record in records}
    expected = Reported(0, 0, 0)
    for exchange in exchanges:
        record = by_model.get(exchange.model)
        if exchange.complete:
            assert record is not None, exchange
            assert record.status == exchange.status, (exchange, record)
        told = record and Reported(
            record.input_tokens or 0, record.cache_read_tokens or 0, record.output_tokens or 0
        )
        if exchange.complete and exchange.status == 200 and exchange.fate == "whole":
            assert told == exchange.answer.tokens, (exchange, record)
        elif exchange.fate == "error":
            assert told in (None, (0, 0, 0)), (exchange, record)
        elif told is not None:
            answer = exchange.answer
            meanwhile = reported_meanwhile(answer.protocol, answer.body)
            assert told in ((0, 0, 0), *meanwhile), (exchange, record)
        if told is not None:
            expected = Reported(*map(int.__add__, expected, told))
    assert expected == (
        total["input_tokens"],
        total["cache_read_tokens"],
        total["output_tokens"],
    )
    assert total["requests"] == len(records)
    fates = collections.Counter(exchange.fate for exchange in exchanges if exchange.complete)
    assert fates["whole"] > 0.8 * EXCHANGES
    assert fates["error"] > 10


@needs_recordings
async def test_a_thousand_recorded_answers(machine):
    answers = [
        Answer(protocol, recording.streamed, recording.answer, tokens)
        for protocol in FORMATS
        for recording in recordings(protocol)
        if recording.succeeded and (tokens := reported(protocol, recording.answer)) is not None
    ]
    random.Random(3).shuffle(answers)
    assert {(answer.protocol, answer.streamed) for answer in answers} == {
        (protocol, streamed) for protocol in FORMATS for streamed in (True, False)
    }
    await agrees(answers, machine)


async def test_a_thousand_answers_of_the_embedded_provider(machine):
    async with EmbeddedProvider() as provider:
        answers = [
            await embedded_answer(provider.base_url, protocol, streamed, number)
            for protocol in FORMATS
            for streamed in (True, False)
            for number in range(5)
        ]
    await agrees(answers, machine)


async def embedded_answer(address, protocol, streamed, number):
    """Have an answer made, to be served again."""
    model = {"anthropic": "claude-sonnet-5-5", "gemini": "gemini-3.8-flash"}.get(
        protocol, "gpt-5.5"
    )
    text = f"[[say {'word ' * (number * 7 + 1)}]]"
    url, body = request_of(protocol, model, streamed, text)
    url = address + url.partition(".com")[2]
    headers = {"authorization": "Bearer any", "anthropic-version": "2023-06-01", "x-api-key": "any"}
    headers["x-goog-api-key"] = "any"
    async with httpx2.AsyncClient(trust_env=False) as client:
        response = await client.post(url, json=body, headers=headers)
    assert response.status_code == 200, response.text
    tokens = reported(protocol, response.content)
    assert tokens is not None
    assert tokens.output > 0
    return Answer(protocol, streamed, response.content, tokens)
