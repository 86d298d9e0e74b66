"""Pitfalls T1 to T9: what happens to bytes, connections and certificates on the way."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time

import pytest

from addon.authority import write_bundle
from addon.authority.advice import advice
from addon.authority.bundle import VARIABLES, system_roots
from addon.commands.node import node_variables
from addon.commands.variables import agent_variables
from addon.formats import FORMATS
from addon.neutral import fold
from addon.translation import StreamTranslator
from tests.engine.test_encodings import ENCODERS
from tests.support.calls import request_body
from tests.support.one_call import CHAT, ERROR, KEY, RESPONSES, SMALL, WHOLE, ask
from tests.support.program import ROOT
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import plain_answer, text_frames, text_of


async def test_t01_streams_are_not_held_back_until_their_end():
    """A proxy that gathers a whole answer shows the agent nothing for minutes."""
    received = asyncio.Event()

    async def serve(exchange):
        first, *rest = text_frames()
        await exchange.begin(content_type="application/octet-stream")  # nor is it told by its type
        await exchange.chunk(first + rest.pop(0) + rest.pop(0))
        await received.wait()
        await exchange.chunk(b"".join(rest))
        await exchange.end()

    async with (
        asyncio.timeout(5),
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url)) as proxy,
        proxy.client() as client,
        client.stream("POST", CHAT, content=request_body(), headers=KEY) as answer,
    ):
        output = b""
        async for piece in answer.aiter_raw():
            output += piece
            if b"Hello" in output:
                received.set()  # only now does the provider go on
    assert text_of(output) == "Hello there!"


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("kind", ["stream", "plain", "error"])
async def test_t02_the_encoding_named_is_the_encoding_sent(coding, kind):
    """A body and its `content-encoding` that disagree are garbage to the agent."""

    async def serve(exchange):
        body = {"stream": WHOLE, "plain": plain_answer(), "error": ERROR}[kind]
        status = 529 if kind == "error" else 200
        label = "text/event-stream" if kind == "stream" else "application/json"
        packed = ENCODERS[coding](body)
        await exchange.answer(packed, status, content_encoding=coding, content_type=label)

    answer, (sent,) = await ask(serve, body=request_body(stream=kind == "stream"))
    assert sent.headers["accept-encoding"] == "identity"
    assert "content-encoding" not in answer.headers
    if kind == "stream":
        assert text_of(answer.content) == "Hello there!"
    elif kind == "plain":
        assert answer.json()["choices"][0]["message"]["content"] == "Hello there!"
    else:
        assert answer.json()["error"]["message"].startswith("Overloaded")


async def plain(exchange):
    await exchange.answer(plain_answer())


@pytest.mark.parametrize("coding", ["identity", *ENCODERS, "gzip, br"])
async def test_t03_packed_requests_are_read(coding):
    """Codex packs its requests with zstd; a proxy that cannot read them does nothing at all."""
    body = SMALL
    for name in coding.split(", ") if coding != "identity" else ():
        body = ENCODERS[name](body)
    answer, (sent,) = await ask(plain, body=body, headers={**KEY, "content-encoding": coding})
    assert answer.status_code == 200
    assert "Hé 🙂" in sent.body.decode()
    assert "content-encoding" not in sent.headers


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (ENCODERS["zstd"](SMALL)[:-7], "zstd", 400),
        (ENCODERS["zstd"](SMALL) + b"\x28\xb5\x2f", "zstd", 400),
        (b"\xff\xfe", "gzip", 400),
        (ENCODERS["zstd"](bytes(30 << 20)), "zstd", 413),
        (gzip.compress(ENCODERS["zstd"](bytes(30 << 20)), mtime=0), "zstd, gzip", 413),
    ],
)
async def test_t03_packed_rubbish_is_the_agents_mistake(body, coding, status):
    """Truncated or endless bodies are refused with a client's status, never a gateway's."""
    async with (
        asyncio.timeout(20),
        ScriptedServer(plain) as server,
        running_proxy(write_rules(server.url), detour_body_limit="1m") as proxy,
        proxy.client() as client,
    ):
        packed = {**KEY, "content-encoding": coding}
        answer = await client.post(CHAT, content=body, headers=packed)
    assert answer.status_code == status
    assert "error" in answer.json()
    assert server.exchanges == []


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_t04_a_websocket_is_answered_at_once_and_http_goes_on():
    """Codex opens a WebSocket first, and waits minutes where nobody says yes or 426."""
    async with (
        asyncio.timeout(5),
        ScriptedServer(plain) as server,
        running_proxy(write_rules(server.url)) as proxy,
        proxy.client() as client,
    ):
        began = time.monotonic()
        async with client.stream("GET", RESPONSES, headers={**KEY, **UPGRADE}) as answer:
            assert answer.status_code in (101, 426)
        assert time.monotonic() - began < 1
        body = json.dumps({"model": "gpt-5.1", "input": "Hi"}).encode()
        over_http = await client.post(RESPONSES, content=body, headers=KEY)
        assert over_http.json()["status"] == "completed"


async def test_t04_an_unknown_earlier_response_never_reaches_a_provider():
    """Half a conversation, sent on, is answered as if it were a whole one."""
    body = json.dumps({"model": "m", "input": "go on", "previous_response_id": "resp_of_others"})
    answer, exchanges = await ask(plain, url=RESPONSES, body=body.encode())
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "previous_response_not_found"
    assert exchanges == []


def test_t05_codex_is_told_its_own_variable():
    """Codex reads another variable than its runtime, and so do its WebSockets."""
    assert VARIABLES["CODEX_CA_CERTIFICATE"] == "Codex"
    assert "CODEX_CA_CERTIFICATE" in advice("codex")


def test_t06_every_runtime_trusts_the_proxy_and_the_world(tmp_path):
    """Runtimes read different variables, and some take the bundle for all that there is."""
    own = b"-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----\n"
    bundle = write_bundle(tmp_path, own, {})
    roots = system_roots().count(b"BEGIN CERTIFICATE")
    assert roots > 20
    assert bundle.read_bytes().count(b"BEGIN CERTIFICATE") >= roots
    assert own.strip() in bundle.read_bytes()
    variables = agent_variables("127.0.0.1:8080", None, bundle, {})
    for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE", "CURL_CA_BUNDLE"):
        assert variables[name] == str(bundle)
    with_variables = subprocess.run(
        [sys.executable, "-c", "import ssl; print(ssl.get_default_verify_paths().cafile)"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert with_variables.stdout.strip() == str(bundle)


def test_t07_no_exemption_leads_around_the_proxy(tmp_path):
    """Programs read either spelling of a variable, and NO_PROXY each in its own way."""
    given = {"no_proxy": "intern.example,.openai.com,*.anthropic.com:443,API.OPENAI.COM"}
    variables = agent_variables("127.0.0.1:8080", "coder", tmp_path, given)
    assert variables["HTTPS_PROXY"] == variables["https_proxy"]
    assert variables["NO_PROXY"] == variables["no_proxy"]
    exempt = variables["NO_PROXY"].split(",")
    assert "intern.example" in exempt
    assert not any("openai" in host.lower() or "anthropic" in host for host in exempt)
    assert node_variables({})["NODE_USE_ENV_PROXY"] == "1"


WIDE = "Grüße, 世界 🙂 👩‍👩‍👧 \u2028 ́"


def wide_stream(format_name):
    """A stream of one format that says `WIDE`, written by the format's own encoder."""
    translator = StreamTranslator("anthropic", format_name, b'{"model":"m"}')
    return translator.feed(b"".join(text_frames([WIDE, WIDE]))) + translator.close()


@pytest.mark.parametrize("source", FORMATS)
def test_t08_utf8_split_across_chunks(source):
    """A character that arrives in two pieces must not become two replacement characters."""
    stream = b"".join(text_frames([WIDE])) if source == "anthropic" else wide_stream(source)
    stream = json_with_raw_characters(stream)
    assert "世界".encode() in stream
    decoder = FORMATS[source].decoder()
    expected = decoder.feed(stream) + decoder.feed_eof()
    for cut in range(len(stream)):
        decoder = FORMATS[source].decoder()
        events = decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) + decoder.feed_eof()
        assert events == expected, cut
    bytewise = FORMATS[source].decoder()
    events = [event for byte in stream for event in bytewise.feed(bytes([byte]))]
    assert words(events + bytewise.feed_eof()) == words(expected)
    assert WIDE in words(expected)


def json_with_raw_characters(stream):
    """The same events with their characters as UTF-8 rather than escaped."""
    lines = []
    for line in stream.split(b"\n"):
        head, colon, data = line.partition(b"data: ")
        if colon and data.startswith(b"{"):
            data = json.dumps(json.loads(data), ensure_ascii=False).encode()
            data = data.replace("\u2028".encode(), b"\\u2028")
        lines.append(head + colon + data)
    return b"\n".join(lines)


def words(events):
    return "".join(part.text for part in fold(events).parts)


FRAMINGS = {
    "CRLF": lambda stream: stream.replace(b"\n", b"\r\n"),
    "CR": lambda stream: stream.replace(b"\n", b"\r"),
    "no space": lambda stream: stream.replace(b"data: ", b"data:").replace(b"event: ", b"event:"),
    "comments": lambda stream: b": hello\n\n" + stream.replace(b"\n\n", b"\n: still here\n\n:\n\n"),
    "blank lines": lambda stream: b"\n\n" + stream.replace(b"\n\n", b"\n\n\n\n"),
    "no names": lambda stream: b"\n".join(
        line for line in stream.split(b"\n") if not line.startswith(b"event:")
    ),
    "two data lines": lambda stream: stream.replace(b'data: {"', b'data: {\ndata: "'),
    "no last blank line": lambda stream: stream.rstrip(b"\n"),
    "byte order mark": lambda stream: b"\xef\xbb\xbf" + stream,
    "ids and retries": lambda stream: stream.replace(b"data: ", b"id: 7\nretry: 9\ndata: "),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("source", FORMATS)
def test_t09_events_may_be_framed_in_many_ways(source, framing):
    """Line ends, comments, names and blanks differ between providers and mean nothing."""
    stream = WHOLE if source == "anthropic" else wide_stream(source)
    framed = FRAMINGS[framing](stream)
    decoder = FORMATS[source].decoder()
    expected = words(decoder.feed(stream) + decoder.feed_eof())
    for size in (len(framed), 7, 1):
        decoder = FORMATS[source].decoder()
        events = []
        for at in range(0, len(framed), size):
            events += decoder.feed(framed[at : at + size])
        assert words(events + decoder.feed_eof()) == expected
