import base64

import pytest

from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import plain_answer

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


async def serve(exchange):
    await exchange.answer(plain_answer())


@pytest.mark.parametrize("credential", [None, "user:password"])
async def test_behind_a_proxy_the_engine_goes_through_it_too(credential):
    async with (
        ScriptedServer(serve) as corporate,
        running_proxy(
            write_rules("http://provider.example"),
            mode=[f"upstream:{corporate.url}"],
            upstream_auth=credential,
        ) as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(URL, content=request_body(stream=False), headers=KEY)
    assert answer.status_code == 200
    (sent,) = corporate.exchanges
    assert sent.path == "http://provider.example/v1/messages"
    assert sent.headers["x-api-key"] == PROVIDER_KEY
    expected = credential and f"Basic {base64.b64encode(credential.encode()).decode()}"
    assert sent.headers.get("proxy-authorization") == expected


async def test_but_not_to_this_machine():
    async with (
        ScriptedServer(serve) as corporate,
        ScriptedServer(serve) as local,
        running_proxy(write_rules(local.url), mode=[f"upstream:{corporate.url}"]) as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(URL, content=request_body(stream=False), headers=KEY)
    assert answer.status_code == 200
    assert corporate.exchanges == []
    assert len(local.exchanges) == 1
