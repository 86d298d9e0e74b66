"""What was said is kept where the rules ask for it, and no key with it."""

import json
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from addon.interceptor.kept_bodies import without_keys
from addon.ledger import Reader, read_bodies
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(url, *, everywhere=None, by_rule=None):
    rule = {"name": "all", "use": "anthropic:claude-sonnet-5-5"}
    rule |= {"record": by_rule} if by_rule else {}
    file = {"version": 1, "providers": {"anthropic": {"base_url": url}}, "rules": [rule]}
    return json.dumps(file | ({"record": everywhere} if everywhere else {}))


async def kept(rules, home, **body):
    said = [{"role": "user", "content": f"[[say Hello there!]] with {AGENT_KEY}"}]
    async with (
        running_proxy(rules, detour_home=str(home)) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        answer = await client.post(URL, json={"model": "gpt-5.1", "messages": said, **body})
    reader = Reader(home)
    (record,) = reader.page()
    reader.close()
    return answer.content, read_bodies(home, record)


@pytest.mark.parametrize("stream", [False, True])
async def test_both_requests_and_both_answers(provider, tmp_path, stream):
    answer, parts = await kept(rules(provider.base_url, by_rule="bodies"), tmp_path, stream=stream)
    assert list(parts) == ["request", "sent", "received", "answer"]
    assert parts["answer"] == answer
    assert json.loads(parts["request"])["model"] == "gpt-5.1"
    assert json.loads(parts["sent"])["model"] == "claude-sonnet-5-5"
    assert b"end_turn" in parts["received"]
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        assert AGENT_KEY.encode() not in path.read_bytes()
        assert PROVIDER_KEY.encode() not in path.read_bytes()
    assert b"with (key)" in parts["request"]


@pytest.mark.parametrize(
    ("everywhere", "by_rule", "are_kept"),
    [
        (None, None, False),
        ("bodies", None, True),
        ("bodies", "events", False),
        ("events", "bodies", True),
        ("events", None, False),
    ],
)
async def test_the_rule_decides_before_the_file(provider, tmp_path, everywhere, by_rule, are_kept):
    chosen = rules(provider.base_url, everywhere=everywhere, by_rule=by_rule)
    _, parts = await kept(chosen, tmp_path)
    assert bool(parts) == are_kept
    assert (tmp_path / "bodies.db").exists() == are_kept


def test_keys_are_taken_out():
    body = b"my key is top-secret-1, sk-abcdefghijklmnop and ok"
    assert without_keys(body, ("Bearer top-secret-1", "ok")) == b"my key is (key), (key) and ok"
