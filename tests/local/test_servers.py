"""All four servers of local models through the proxy, as they are recorded or documented."""

import asyncio
import contextlib
import json

import openai
import pytest
from click.testing import CliRunner
from msgspec import Struct

from addon.commands.explain import explain as explain_command
from addon.commands.models import models as models_command
from addon.commands.verify import verify as verify_command
from addon.engine import local_servers
from addon.inspection import port_holders
from addon.inspection.port_holders import Holder
from tests.support.llama_recording import TOOL
from tests.support.local_replay import ReplayedServer
from tests.support.proxy import running_proxy
from tests.support.tiny_model import ANSWER, ARGUMENTS, CALLED, THOUGHT

RULES = "version: 1\ndefault: local:auto\n"
"""The one line that sends what nothing else matches to whatever runs here."""


class Server(Struct, frozen=True):
    name: str
    title: str
    models: dict[str, int]
    """With their contexts, in the order in which they are preferred."""

    @property
    def model(self) -> str:
        return next(iter(self.models))


SERVERS = (
    Server("llama_cpp", "llama.cpp", {"tiny": 16384}),
    Server(
        "ollama",
        "Ollama",
        {"qwen3:8b": 8192, "llama3.2:latest": 4096, "nomic-embed-text:latest": 8192},
    ),
    Server(
        "lm_studio",
        "LM Studio",
        {
            "qwen2.5-coder-7b-instruct": 16384,
            "qwen2-vl-7b-instruct": 32768,
            "text-embedding-nomic-embed-text-v1.5": 2048,
        },
    ),
    Server("vllm", "vLLM", {"Qwen/Qwen3-8B": 40960, "sql-lora": 40960}),
)


@contextlib.asynccontextmanager
async def running(monkeypatch, *servers):
    """Run servers at the ports at which Detour looks for them."""
    async with contextlib.AsyncExitStack() as stack:
        replayed = [await stack.enter_async_context(ReplayedServer(one.name)) for one in servers]
        ports = {each.address[1]: one.title for one, each in zip(servers, replayed, strict=True)}
        monkeypatch.setattr(local_servers, "PORTS", ports)
        yield replayed


@pytest.fixture(params=SERVERS, ids=lambda server: server.name)
def server(request):
    return request.param


@pytest.fixture
async def replayed(server, monkeypatch):
    async with running(monkeypatch, server) as [replayed]:
        yield replayed


@pytest.fixture
async def client(replayed):
    async with running_proxy(RULES, environment={}) as proxy, proxy.openai() as client:
        yield client


def chat(client, text, **fields):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-5.1", messages=messages, **fields)


def test_they_are_looked_for_where_they_usually_listen():
    assert local_servers.PORTS == {
        8080: "llama.cpp",
        11434: "Ollama",
        1234: "LM Studio",
        8000: "vLLM",
    }


async def test_its_models_are_in_the_list(client, server):
    listed = [model.id async for model in await client.models.list()]
    assert listed[-len(server.models) :] == [f"local:{name}" for name in server.models]


async def list_models(path, *arguments):
    rules = path / "rules.yaml"
    rules.write_text(RULES)
    command = ["--provider", "local", "--rules", str(rules), "--home", str(path), *arguments]
    return await asyncio.to_thread(CliRunner().invoke, models_command, command)


async def test_its_models_are_shown_with_their_contexts(replayed, server, tmp_path):
    said = await list_models(tmp_path, "--json")
    rows = json.loads(said.stdout)["local"]
    assert {row["id"]: row["context"] for row in rows} == server.models
    assert {row["server"] for row in rows} == {server.title}
    assert {row["base_url"] for row in rows} == {f"{replayed.url}/v1"}
    said = await list_models(tmp_path)
    assert f"{server.title}, {replayed.url}/v1" in said.stdout


async def test_where_nothing_runs_people_are_told_where_it_was_looked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(local_servers, "PORTS", {9: "nobody"})
    said = await list_models(tmp_path)
    assert "No model server answers here." in said.stderr
    assert "11434" in said.stderr


async def test_a_detour_that_listens_there_is_not_asked(replayed, monkeypatch, tmp_path):
    monkeypatch.setattr(port_holders, "find_holder", lambda port: Holder(1, "detour serve"))
    said = await list_models(tmp_path)
    assert "No model server answers here." in said.stderr
    command = ["local", "--rules", str(tmp_path / "rules.yaml"), "--home", str(tmp_path)]
    said = await asyncio.to_thread(CliRunner().invoke, verify_command, command)
    assert said.exit_code == 1
    command = ["--model", "tiny", *command[1:]]
    said = await asyncio.to_thread(CliRunner().invoke, explain_command, command)
    assert said.exit_code == 0
    assert not replayed.exchanges


async def test_ollama_is_where_its_own_variable_says(monkeypatch, tmp_path):
    async with ReplayedServer("ollama") as ollama:
        host, port = ollama.address[:2]
        monkeypatch.setattr(local_servers, "PORTS", {9: "Ollama", 10: "vLLM"})
        for said in (f"{host}:{port}", f"0.0.0.0:{port}", f":{port}", f"http://{host}:{port}/"):
            monkeypatch.setenv("OLLAMA_HOST", said)
            listed = await list_models(tmp_path, "--json")
            rows = json.loads(listed.stdout)["local"]
            assert {row["base_url"] for row in rows} == {f"http://127.0.0.1:{port}/v1"}
        async with running_proxy(RULES, environment={}) as proxy, proxy.openai() as client:
            answer = await chat(client, "Hello")
            assert answer.choices[0].message.content == ANSWER


async def test_an_answer(client, replayed, server):
    answer = await chat(client, "Hello")
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens == 7
    assert [asked["model"] for asked in replayed.asked("/v1/chat/completions")] == [server.model]


@pytest.mark.parametrize("usage", [False, True])
async def test_a_streamed_answer(client, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = [chunk async for chunk in await chat(client, "Hello", stream=True, **options)]
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == ANSWER
    assert [c.finish_reason for c in choices if c.finish_reason] == ["stop"]
    told = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
    assert told == ([7] if usage else [])


@pytest.mark.parametrize("stream", [False, True])
async def test_thoughts_come_apart_from_words(client, stream):
    request = {"model": "gpt-5.1", "input": [{"role": "user", "content": "think"}]}
    answer = await client.responses.create(stream=stream, **request)
    if stream:
        answer = [event async for event in answer][-1].response
    thought, said = answer.output
    assert thought.type == "reasoning"
    assert THOUGHT in str(thought)
    assert said.content[0].text == ANSWER
    assert answer.usage.output_tokens == 12


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_call(client, stream):
    messages = [{"role": "user", "content": "weather"}]
    request = {"model": "gpt-5.1", "messages": messages, "tools": [TOOL]}
    if stream:
        request["stream_options"] = {"include_usage": True}
        async with client.chat.completions.stream(**request) as events:
            answer = await events.get_final_completion()
    else:
        answer = await client.chat.completions.create(**request)
    [choice] = answer.choices
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert call.id
    assert call.function.name == CALLED
    assert json.loads(call.function.arguments) == json.loads(ARGUMENTS)


@pytest.mark.parametrize("stream", [False, True])
async def test_too_long_a_request_is_named_so(client, server, stream):
    if server.name == "ollama":
        pytest.skip("Ollama cuts the request and says nothing")
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    with pytest.raises(openai.APIError) as caught:
        async for _ in await chat(client, "too long", **options):
            pass
    assert caught.value.code == "context_length_exceeded"


async def test_what_cannot_fit_is_not_even_sent(client, replayed, server):
    long = "word " * (2 * server.models[server.model])
    with pytest.raises(openai.BadRequestError) as caught:
        await chat(client, long)
    assert caught.value.code == "context_length_exceeded"
    assert not replayed.asked("/v1/chat/completions")


@pytest.mark.parametrize(
    ("server", "usage"), [(SERVERS[1], False), (SERVERS[1], True), (SERVERS[3], False)]
)
async def test_what_goes_wrong_amid_an_answer_is_an_error(client, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}
    words: list[str] = []

    async def listen():
        async for chunk in await chat(client, "breaks off", stream=True, **options):
            words.append(chunk.choices[0].delta.content or "")

    with pytest.raises(openai.APIError) as caught:
        await listen()
    assert "".join(words) == "Hel"
    if usage:  # Ollama's words, that it writes between events
        assert "CUDA error" in str(caught.value)


@pytest.mark.parametrize("server", [SERVERS[1], SERVERS[3]])
async def test_a_model_that_is_not_there(client):
    with pytest.raises(openai.NotFoundError, match="nobody"):
        await client.chat.completions.create(
            model="local:nobody", messages=[{"role": "user", "content": "Hello"}]
        )


@pytest.mark.parametrize("server", SERVERS[:3])
async def test_text_is_embedded_by_a_model_made_for_it(client, replayed, server):
    answer = await client.embeddings.create(model="text-embedding-3-small", input=["a"])
    assert answer.data[0].embedding
    [asked] = replayed.asked("/v1/embeddings")
    assert asked["model"] == list(server.models)[-1]


@pytest.mark.parametrize("server", SERVERS[:3])
async def test_what_a_model_cannot_do_is_said(client, replayed, server):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    with pytest.raises(openai.BadRequestError, match=f"local:{server.model} has no images"):
        await client.chat.completions.create(
            model="gpt-5.1", messages=[{"role": "user", "content": [picture]}]
        )
    assert not replayed.asked("/v1/chat/completions")


OWN_NAMES = [(SERVERS[0], "tiny"), (SERVERS[1], "llama3.2"), (SERVERS[3], "Qwen/Qwen3-8B")]


@pytest.mark.parametrize(("server", "name"), OWN_NAMES)
async def test_a_model_that_only_a_server_here_has_is_its_own(replayed, name):
    async with running_proxy("version: 1\n", environment={}) as proxy, proxy.openai() as client:
        messages = [{"role": "user", "content": "Hello"}]
        with contextlib.suppress(openai.APIError):
            await client.chat.completions.create(model=name, messages=messages)
    [asked] = replayed.asked("/v1/chat/completions")
    assert asked["model"] == name


@pytest.mark.parametrize(
    ("rules", "model"),
    [
        ("version: 1\n", "gpt-5.1"),
        ("version: 1\n", "ft:gpt-4.1:mine"),
        ("version: 1\nby_model_name: false\n", "tiny"),
        ("version: 1\nrules: [{use: pass}]\n", "tiny"),
        ("version: 1\nproviders: {local: {enabled: false}}\n", "tiny"),
    ],
)
@pytest.mark.parametrize("server", SERVERS[:1])
async def test_nothing_here_is_asked_where_it_is_not_meant(replayed, rules, model):
    async with running_proxy(rules, environment={}) as proxy, proxy.openai() as client:
        with pytest.raises(openai.APIError):
            await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Hello"}]
            )
    assert not replayed.exchanges


@pytest.mark.parametrize(("server", "name"), [*OWN_NAMES, (SERVERS[1], "local:llama3.2")])
@pytest.mark.parametrize("default", ["pass", "local:auto"])
async def test_explain_says_the_same(replayed, server, name, default, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"version: 1\ndefault: {default}\n")
    command = ["--rules", str(rules), "--home", str(tmp_path), "--model", name, "--json"]
    said = await asyncio.to_thread(CliRunner().invoke, explain_command, command)
    [place] = json.loads(said.stdout)["destinations"]
    assert (place["provider"], place["base_url"]) == ("local", f"{replayed.url}/v1")
    assert place["model"] == name.removeprefix("local:")


@pytest.mark.parametrize("server", SERVERS[1:2])
async def test_a_rule_on_lists_of_models_may_name_them(replayed, server):
    rules = "version: 1\nrules: [{when: {endpoint: models}, use: 'local:*'}]\n"
    async with running_proxy(rules, environment={}) as proxy, proxy.openai() as client:
        listed = [model.id async for model in await client.models.list()]
    assert listed == list(server.models)


@pytest.mark.parametrize("server", SERVERS[:1])
async def test_settings_of_local_leave_it_found_but_an_address_or_a_key_does_not(replayed):
    async def asked(settings):
        before = len(replayed.exchanges)
        rules = f"{RULES}providers: {{local: {settings}}}\n"
        async with running_proxy(rules, environment={}) as proxy, proxy.openai() as client:
            with contextlib.suppress(openai.APIError):
                await chat(client, "Hello")
        return len(replayed.exchanges) - before

    assert await asked("{concurrency: {running: 1}, timeouts: {connect: 2}}")
    assert await asked("{models: [{id: tiny, price: {input: 0, output: 0}}]}")
    assert not await asked("{base_url: 'http://127.0.0.1:9/v1'}")
    assert not await asked("{api_key: secret-of-mine}")


async def test_all_of_them_at_once(monkeypatch):
    async with (
        running(monkeypatch, *SERVERS) as replayed,
        running_proxy(RULES, environment={}) as proxy,
        proxy.openai() as client,
    ):
        listed = [model.id async for model in await client.models.list()]
        assert {f"local:{name}" for one in SERVERS for name in one.models} <= set(listed)
        for one, server in zip(SERVERS, replayed, strict=True):
            hello = [{"role": "user", "content": "Hello"}]
            answer = await client.chat.completions.create(
                model=f"local:{one.model}", messages=hello
            )
            assert answer.choices[0].message.content == ANSWER
            assert len(server.asked("/v1/chat/completions")) == 1
        await client.chat.completions.create(model="local:qwen3:8b", messages=hello)
        assert len(replayed[1].asked("/v1/chat/completions")) == 2


async def test_one_that_starts_later_is_found_and_one_that_ends_is_forgotten(monkeypatch):
    for name in ("PRESENT", "ABSENT", "OTHER"):
        monkeypatch.setattr(local_servers, name, 0)
    monkeypatch.setattr(local_servers, "PORTS", {9: "nobody"})
    async with running_proxy(RULES, environment={}) as proxy, proxy.openai() as client:
        with pytest.raises(openai.InternalServerError, match=r"Start llama\.cpp, Ollama"):
            await chat(client, "Hello")
        for server in SERVERS[:2]:
            async with running(monkeypatch, server):
                assert (await chat(client, "Hello")).choices[0].message.content == ANSWER
        with pytest.raises(openai.InternalServerError, match="nothing listens there"):
            await chat(client, "Hello")


async def test_the_proxy_never_asks_itself(monkeypatch):
    async with running_proxy(RULES, environment={}) as proxy, proxy.openai() as client:
        monkeypatch.setattr(local_servers, "PORTS", {proxy.port: "llama.cpp", 9: "nobody"})
        with pytest.raises(openai.InternalServerError, match=r"127\.0\.0\.1:9\) refused"):
            await chat(client, "Hello")
        await client.models.list()
    assert proxy.port not in {flow.request.port for flow in proxy.flows}
