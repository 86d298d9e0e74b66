"""The spans of calls through a whole proxy, as a collector gets them."""

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from addon.embedded import EmbeddedProvider
from addon.embedded.scenario import GREETING
from addon.ledger import Reader
from tests.support.collector import values
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules

CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
QUESTION = "what is the secret of the purple llama"


def question(text=QUESTION, **more):
    return {"model": "gpt-5.1", "messages": [{"role": "user", "content": text}], **more}


def port_of(provider):
    return int(provider.base_url.rpartition(":")[2])


async def ask(rules, collector, *bodies, url=CHAT, headers=KEY, **keywords):
    """Send bodies one after another and end the proxy, which sends what it has."""
    keywords.setdefault("detour_telemetry", collector.url)
    async with running_proxy(rules, **keywords) as proxy, proxy.client(headers=headers) as client:
        return [await client.post(url, json=body) for body in bodies]


async def test_an_exchange_and_its_call_to_a_provider(provider, collector):
    body = question(stream=True, temperature=0.5, max_completion_tokens=99, logit_bias={"1": 1})
    await ask(
        write_rules(provider.base_url), collector, body, headers={**KEY, "user-agent": "coder/1"}
    )
    exchange, call = collector.spans
    assert (exchange.name, exchange.kind) == ("chat gpt-5.1", Span.SPAN_KIND_SERVER)
    assert (call.name, call.kind) == ("chat claude-sonnet-5-5", Span.SPAN_KIND_CLIENT)
    assert call.parent_span_id == exchange.span_id
    assert call.trace_id == exchange.trace_id
    assert exchange.parent_span_id == b""
    assert exchange.start_time_unix_nano <= call.start_time_unix_nano
    assert call.end_time_unix_nano <= exchange.end_time_unix_nano
    of_exchange = values(exchange)
    assert of_exchange.pop("detour.cost_usd") > 0
    assert of_exchange.pop("detour.exchange.id")
    assert of_exchange == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.1",
        "gen_ai.response.model": "claude-sonnet-5-5",
        "gen_ai.request.stream": True,
        "http.response.status_code": 200,
        "detour.agent": "coder",
        "detour.rule": "all to Claude",
        "detour.requested.provider": "openai",
        "detour.requested.model": "gpt-5.1",
        "detour.actual.provider": "anthropic",
        "detour.actual.model": "claude-sonnet-5-5",
        "detour.losses": ["logit_bias dropped", "temperature dropped"],
    }
    of_call = values(call)
    assert of_call.pop("gen_ai.usage.input_tokens") > 0
    assert of_call.pop("gen_ai.usage.output_tokens") > 0
    assert of_call.pop("gen_ai.response.id").startswith("msg_")
    assert 0 < of_call.pop("gen_ai.response.time_to_first_chunk") < 10
    assert of_call.pop("server.port") == port_of(provider)
    assert of_call.pop("gen_ai.usage.reasoning.output_tokens") > 0
    assert {name: of_call[name] for name in of_call if ".usage.cache_" not in name} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-5-5",
        "gen_ai.response.model": "claude-sonnet-5-5",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.response.finish_reasons": ["stop"],
        "server.address": "127.0.0.1",
        "detour.agent": "coder",
        "detour.rule": "all to Claude",
        "detour.requested.provider": "openai",
        "detour.requested.model": "gpt-5.1",
    }
    assert collector.resource["service.name"] == "detour"


async def test_nothing_that_was_said_is_told_unless_asked_for(provider, collector):
    function = {"name": "llama_tool", "parameters": {"type": "object"}}
    bodies = (
        question(f"{QUESTION} [[say It is a zebra.]]", stream=True, user="somebody"),
        question(tools=[{"type": "function", "function": function}]),
        question("[[error 400 invalid_request_error the purple llama is refused]]"),
    )
    answers = await ask(write_rules(provider.base_url), collector, *bodies)
    assert "zebra" in answers[0].text
    assert "llama_tool" in answers[1].text
    assert "llama" in answers[2].text
    assert len(collector.spans) == 6
    for word in ("llama", "zebra", "somebody", AGENT_KEY, PROVIDER_KEY):
        assert not [body for body in collector.bodies if word.encode() in body]


@pytest.mark.parametrize("stream", [True, False])
async def test_what_was_said_is_told_where_that_is_asked_for(provider, collector, stream):
    said = [
        {"role": "system", "content": f"My key is {AGENT_KEY}."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look."},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ],
        },
    ]
    rules = write_rules(provider.base_url)
    body = question(messages=said, stream=stream)
    await ask(rules, collector, body, detour_telemetry_with_prompts_and_answers="true")
    _, call = map(values, collector.spans)
    assert json.loads(call["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "My key is (key)."}
    ]
    (message,) = json.loads(call["gen_ai.input.messages"])
    assert message["role"] == "user"
    assert message["parts"] == [{"type": "text", "content": "Look."}, {"type": "image"}]
    (answer,) = json.loads(call["gen_ai.output.messages"])
    assert answer["finish_reason"] == "stop"
    assert GREETING in "".join(part["content"] for part in answer["parts"])
    for sent in collector.bodies:
        assert AGENT_KEY.encode() not in sent
        assert PROVIDER_KEY.encode() not in sent


async def test_calls_of_tools_and_their_results_are_told_where_that_is_asked_for(
    provider, collector
):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"at": 1}'},
    }
    said = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "a llama"},
    ]
    function = {"name": "look", "parameters": {"type": "object"}}
    body = question(messages=said, tools=[{"type": "function", "function": function}])
    rules = write_rules(provider.base_url)
    await ask(rules, collector, body, detour_telemetry_with_prompts_and_answers="true")
    _, told = map(values, collector.spans)
    _, asked, result = json.loads(told["gen_ai.input.messages"])
    assert asked == {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "call_1", "name": "look", "arguments": {"at": 1}}],
    }
    assert result == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call_1", "response": "a llama"}],
    }


async def test_every_attempt_is_a_span(provider, collector):
    rules = write_rules(
        provider.base_url,
        use=["zai:glm-5.3", "anthropic:claude-sonnet-5-5"],
        providers={"zai": {"base_url": "http://127.0.0.1:1/v1", "api_key": PROVIDER_KEY}},
    )
    await ask(rules, collector, question())
    exchange, failed, answered = collector.spans
    assert failed.parent_span_id == answered.parent_span_id == exchange.span_id
    assert values(failed)["gen_ai.provider.name"] == "zai"
    assert (values(failed)["server.address"], values(failed)["server.port"]) == ("127.0.0.1", 1)
    assert values(failed)["error.type"] == "unreachable"
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert "gen_ai.usage.input_tokens" not in values(failed)
    assert values(answered)["gen_ai.provider.name"] == "anthropic"
    assert "error.type" not in values(answered)
    assert values(answered)["gen_ai.usage.input_tokens"] > 0
    assert failed.end_time_unix_nano <= answered.start_time_unix_nano
    assert values(exchange)["detour.actual.provider"] == "anthropic"


async def test_a_failure_and_a_refusal_say_what_kind_they_are(provider, collector):
    rules = write_rules(provider.base_url)
    await ask(rules, collector, question("[[error 429 rate_limit_error]]"), {"model": "gpt-5.1"})
    failed, call, refused = collector.spans
    assert values(failed)["error.type"] == values(call)["error.type"] == "rate_limit"
    assert values(failed)["http.response.status_code"] == 429
    assert failed.status.code == call.status.code == Status.STATUS_CODE_ERROR
    assert failed.status.message == ""  # providers quote what they were sent
    assert values(refused)["error.type"] == "invalid_request"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_call_that_passes_tells_of_the_provider_it_was_meant_for(collector, stream):
    said = question()["messages"]
    body = {"model": "claude-sonnet-5-5", "max_tokens": 50, "stream": stream, "messages": said}
    headers = {"x-api-key": PROVIDER_KEY, "anthropic-version": "2023-06-01"}
    certificate = server_context("api.anthropic.com")
    async with EmbeddedProvider(certificate=certificate) as anthropic_itself:
        hosts = {"api.anthropic.com": ("127.0.0.1", port_of(anthropic_itself))}
        keywords = {"url": MESSAGES, "headers": headers, "hosts": hosts}
        await ask(write_default("pass"), collector, body, **keywords)
    exchange, call = collector.spans
    told = values(call)
    assert told["gen_ai.provider.name"] == values(exchange)["gen_ai.provider.name"] == "anthropic"
    assert (told["server.address"], told["server.port"]) == ("api.anthropic.com", 443)
    assert told["gen_ai.response.id"].startswith("msg_")
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["gen_ai.request.max_tokens"] == 50
    assert told["gen_ai.usage.output_tokens"] > 0


async def test_the_agents_span_is_the_parent_and_ours_that_of_the_provider(provider, collector):
    headers = {**KEY, "traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}
    url = f"{provider.base_url}/v1"
    office = {"base_url": url, "formats": ["openai-chat"], "api_key": PROVIDER_KEY}
    same_format = write_rules(use="office:claude-sonnet-5-5", providers={"office": office})
    await ask(same_format, collector, question(), headers=headers)
    exchange, call = collector.spans
    assert exchange.trace_id.hex() == call.trace_id.hex() == TRACE
    assert exchange.parent_span_id.hex() == PARENT
    assert exchange.trace_state == "vendor=1"
    (request,) = provider.requests
    assert request.header("traceparent") == f"00-{TRACE}-{exchange.span_id.hex()}-01"
    assert request.header("tracestate") == "vendor=1"


async def test_a_provider_of_another_format_learns_of_no_trace(provider, collector):
    headers = {**KEY, "traceparent": f"00-{TRACE}-{PARENT}-01"}
    await ask(write_rules(provider.base_url), collector, question(), headers=headers)
    assert collector.spans[0].trace_id.hex() == TRACE
    assert provider.requests[0].header("traceparent") is None


async def test_an_agent_that_is_not_sampled_is_not_told_of(provider, collector):
    headers = {**KEY, "traceparent": f"00-{TRACE}-{PARENT}-00"}
    await ask(write_rules(provider.base_url), collector, question(), headers=headers)
    assert collector.spans == []
    assert "gen_ai.client.operation.duration" in collector.metrics


async def test_a_stored_exchange_is_found_by_the_id_of_its_span(provider, collector, tmp_path):
    await ask(write_rules(provider.base_url), collector, question(), detour_home=str(tmp_path))
    reader = Reader(tmp_path)
    ((_, record),) = reader.last(1)
    reader.close()
    assert values(collector.spans[0])["detour.exchange.id"] == record.id
