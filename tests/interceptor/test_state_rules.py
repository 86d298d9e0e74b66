"""Who answers calls about state: Detour, the provider that keeps it, or whom the rules let."""

import asyncio
import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.interceptor.test_stateful_responses import MODEL
from tests.support.proxy import (
    AGENT_KEY,
    PROVIDER_KEY,
    agent_context,
    running_proxy,
    server_context,
)
from tests.support.servers import ScriptedServer

ADD = {"type": "function", "name": "add", "parameters": {"type": "object"}}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def write(provider, *rules, default="block", **more):
    return json.dumps({
        "version": 1,
        "providers": {
            "anthropic": {"base_url": provider.base_url},
            "plain": {"base_url": provider.base_url + "/v1", "formats": ["openai-chat"],
                      "api_key": "key"},
            **more,
        },
        "rules": rules,
        "default": default,
    })  # fmt: skip


@pytest.mark.parametrize("use", ["anthropic:claude-sonnet-5-5", "anthropic:claude-sonnet-4-5",
                                 "plain:deepseek-reasoner"])  # fmt: skip
@pytest.mark.parametrize("streamed", [False, True])
async def test_five_turns_with_tools_and_thoughts(provider, tmp_path, use, streamed):
    """The strict provider refuses thoughts that are missing or altered; Detour is restarted."""
    rules = write(provider, {"name": "all", "use": use})
    previous = None
    asked = ["[[think first]] [[tool add {\"a\": 1}]] [[tool add {\"a\": 2}]]", None,
             "[[think again]] [[tool add {\"a\": 3}]]", None, "[[say done]]"]  # fmt: skip
    calls = []
    for question in asked:
        async with (
            running_proxy(rules, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            given = question or [
                {"type": "function_call_output", "call_id": call.call_id, "output": "3"}
                for call in calls
            ]
            fields = {"model": MODEL, "input": given, "tools": [ADD], "instructions": "Add.",
                      "reasoning": {"effort": "medium"}}  # fmt: skip
            if previous:
                fields["previous_response_id"] = previous
            if streamed:
                async with client.responses.stream(**fields) as stream:
                    answer = await stream.get_final_response()
            else:
                answer = await client.responses.create(**fields)
            previous = answer.id
            calls = [item for item in answer.output if item.type == "function_call"]
    assert answer.output_text == "done"
    sent = provider.requests[-1].json()["messages"]
    if use.startswith("anthropic"):
        kinds = [block["type"] for message in sent if message["role"] == "assistant"
                 for block in message["content"]]  # fmt: skip
        assert kinds.count("thinking") >= 2
        assert kinds.count("tool_use") == 3


async def test_the_synchronous_client(provider, tmp_path):
    """The same by the client that most scripts use."""

    def talk(proxy_url):
        http = openai.DefaultHttpx2Client(proxy=proxy_url, verify=agent_context())
        with openai.OpenAI(api_key=AGENT_KEY, http_client=http, max_retries=0) as client:
            made = client.responses.create(model=MODEL, input="[[think hm]] [[say one]]")
            second = client.responses.create(
                model=MODEL, input="[[say two]]", previous_response_id=made.id
            )
            assert len(list(client.responses.input_items.list(second.id, limit=1))) == 4
            conversation = client.conversations.create()
            client.responses.create(model=MODEL, input="hi", conversation=conversation.id)
            assert len(list(client.conversations.items.list(conversation.id))) >= 2
            client.responses.delete(made.id)
            return client.responses.retrieve(second.id).output_text

    rules = write(provider, {"name": "all", "use": "anthropic:claude-sonnet-5-5"})
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy:
        assert await asyncio.to_thread(talk, proxy.url()) == "two"


def response(name, words="native"):
    content = [{"type": "output_text", "text": words, "annotations": []}]
    message = {"type": "message", "id": f"msg_{name}", "role": "assistant", "content": content}
    return {"id": name, "object": "response", "created_at": 1, "model": MODEL,
            "status": "completed", "output": [message], "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": []}  # fmt: skip


class Keeper:
    """OpenAI itself: a server that keeps what it is told, and says who asked."""

    def __init__(self, tls=None):
        self.server = ScriptedServer(self.serve, tls)
        self.asked = []

    async def serve(self, exchange):
        self.asked.append((exchange.method, exchange.path))
        if exchange.path.endswith("/conversations"):
            body = {"id": "conv_native", "object": "conversation", "created_at": 1, "metadata": {}}
        else:
            body = response(f"resp_native{len(self.asked)}")
        await exchange.answer(json.dumps(body).encode())


def to_openai(server):
    return {"openai": {"base_url": server.url + "/v1", "api_key": PROVIDER_KEY}}


async def test_what_a_provider_keeps_is_left_to_it(provider, tmp_path):
    keeper = Keeper()
    async with keeper.server as server:
        rules = write(provider, {"name": "all", "use": "openai:*"}, **to_openai(server))
        async with (
            running_proxy(rules, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            made = await client.responses.create(model=MODEL, input="hi")
            await client.responses.create(model=MODEL, input="ho", previous_response_id=made.id)
            await client.responses.create(model=MODEL, input="x", previous_response_id="resp_old")
            await client.responses.retrieve(made.id)
            await client.responses.retrieve("resp_old")
            await client.responses.delete(made.id)
            made = await client.conversations.create()
            assert made.id == "conv_native"
    sent = [json.loads(exchange.body or b"null") for exchange in server.exchanges]
    assert sent[1] == {"model": MODEL, "input": "ho", "previous_response_id": "resp_native1"}
    assert sent[2]["previous_response_id"] == "resp_old"
    assert keeper.asked[3:] == [
        ("GET", "/v1/responses/resp_native1"),
        ("GET", "/v1/responses/resp_old"),
        ("DELETE", "/v1/responses/resp_native1"),
        ("POST", "/v1/conversations"),
    ]
    keys = {exchange.headers["authorization"] for exchange in server.exchanges}
    assert keys == {f"Bearer {PROVIDER_KEY}"}


async def test_another_provider_goes_on_from_what_one_keeps(provider, tmp_path):
    keeper = Keeper()
    async with keeper.server as server:
        rules = write(
            provider,
            {"name": "first", "when": {"model": "gpt-6-sol"}, "use": "openai:*"},
            {"name": "then", "use": "anthropic:claude-sonnet-5-5"},
            **to_openai(server),
        )
        async with (
            running_proxy(rules, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            made = await client.responses.create(model=MODEL, input="hi")
            second = await client.responses.create(
                model="gpt-6-luna", input="[[say two]]", previous_response_id=made.id
            )
            assert second.output_text == "two"
            third = await client.responses.create(
                model=MODEL, input="and back", previous_response_id=second.id
            )
            assert third.output_text == "native"
    back = json.loads(server.exchanges[-1].body)
    assert "previous_response_id" not in back  # of which that provider knows nothing
    assert "encrypted_content" not in json.dumps(back)
    assert len([item for item in back["input"] if item.get("type") != "reasoning"]) == 5


async def test_the_unknown_goes_where_the_rules_let_it(provider, tmp_path):
    keeper = Keeper(server_context("api.openai.com"))
    rule = {"name": "all", "use": "anthropic:claude-sonnet-5-5"}
    async with (
        keeper.server as server,
        running_proxy(
            write(provider, rule, default="pass"),
            hosts={"api.openai.com": server.address},
            detour_home=str(tmp_path),
        ) as proxy,
        proxy.openai() as client,
    ):
        assert (await client.responses.retrieve("resp_elsewhere")).output_text == "native"
        made = await client.responses.create(model=MODEL, input="[[say hi]]")
        await client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError):  # it was of here: nobody else is asked
            await client.responses.retrieve(made.id)
    assert keeper.asked == [("GET", "/v1/responses/resp_elsewhere")]


async def test_without_leave_the_unknown_goes_nowhere(provider, tmp_path):
    rule = {"name": "all", "use": "anthropic:claude-sonnet-5-5"}
    async with (
        running_proxy(write(provider, rule), detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        with pytest.raises(openai.NotFoundError, match="Response with id 'resp_x' not found"):
            await client.responses.retrieve("resp_x")
        with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_x' not found"):
            await client.conversations.items.list("conv_x")
    other = {**rule, "when": {"agent": "somebody-else"}}
    async with (
        running_proxy(write(provider, other), detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        with pytest.raises(openai.PermissionDeniedError):
            await client.conversations.create()


async def test_what_a_fallback_answers_is_not_looked_for_at_the_first_target(provider, tmp_path):
    targets = ["openai:*", "anthropic:claude-sonnet-5-5"]
    dead = {"openai": {"base_url": "http://127.0.0.1:9/v1", "api_key": PROVIDER_KEY}}
    rules = write(provider, {"name": "all", "use": targets}, **dead)
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        made = await client.responses.create(model=MODEL, input="[[say hello]]")
        found = await client.responses.retrieve(made.id)
    assert found.output_text == made.output_text == "hello"
