"""Exchanges on the stream of events while they run, and in the lists before and after."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.dashboard import Page, running_dashboard
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, Proxy

URL = "https://api.openai.com/v1/chat/completions"
HEADERS = {"authorization": f"Bearer {AGENT_KEY}", "user-agent": "codex_cli_rs/0.1"}
RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  - {{name: everything, when: {{model: "gpt-*"}}, use: anthropic:claude-sonnet-4-5}}
default: block
"""


@pytest.fixture
async def provider() -> AsyncIterator[EmbeddedProvider]:
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture(params=["own", "mitmweb"])
async def running(
    request: pytest.FixtureRequest, provider: EmbeddedProvider
) -> AsyncIterator[tuple[Page, Proxy]]:
    rules = RULES.format(url=provider.base_url, key=PROVIDER_KEY)
    async with running_dashboard(rules, mitmweb=request.param == "mitmweb") as running:
        yield running


class Events:
    """What a page hears."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, Any]] = []
        self.changed = asyncio.Event()

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait for an event in which all fields have such values."""
        async with asyncio.timeout(10):
            while True:
                for _, name, data in self.all:
                    if name == kind and fields.items() <= data.items():
                        return data
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def hearing(page: Page, last: str = "") -> AsyncIterator[Events]:
    events = Events()

    async def read() -> None:
        headers = {"Last-Event-ID": last} if last else {}
        url = f"{page.origin}/detour/api/stream"
        async with page.client.stream("GET", url, headers=headers, timeout=None) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif "event" in event:
                    data = json.loads(event["data"])
                    events.all.append((event.get("id", ""), event["event"], data))
                    events.changed.set()
                    event = {}

    task = asyncio.create_task(read())
    try:
        await events.until("ping")
        yield events
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def call(proxy: Proxy, words: str, model: str = "gpt-5", **more: Any) -> int:
    async with proxy.client() as client:
        body = {"model": model, "messages": [{"role": "user", "content": words}], **more}
        answer = await client.post(URL, headers=HEADERS, json=body)
        return answer.status_code


async def test_an_exchange_is_told_from_its_beginning_to_its_end(
    running: tuple[Page, Proxy], provider: EmbeddedProvider
) -> None:
    page, proxy = running
    async with hearing(page) as events:
        calling = asyncio.create_task(
            call(proxy, "[[gate]] [[events 8]] [[say one two three four]]", stream=True)
        )
        began = await events.until("exchange", state="running")
        assert (began["agent"], began["rule"]) == ("codex", "everything")
        assert (began["actual_provider"], began["stream"]) == ("anthropic", True)
        progress = await events.until("exchange", state="running", status=200)
        assert progress["answer_bytes"] > 0
        (listed,) = (await page.get("exchanges"))["exchanges"]
        assert (listed["state"], listed["id"]) == ("running", began["id"])
        assert (await page.get(f"exchanges/{began['id']}"))["state"] == "running"
        assert (await page.get("exchanges?status=running&agent=cod*"))["exchanges"]
        assert not (await page.get("exchanges?status=running&agent=other"))["exchanges"]
        (same,) = (await page.get("exchanges?status=200"))["exchanges"]
        assert same["id"] == began["id"]
        assert not (await page.get("exchanges?status=529"))["exchanges"]
        assert not (await page.get("exchanges?text=nothing+of+it"))["exchanges"]
        provider.release(100)
        assert await calling == 200
        done = await events.until("exchange", state="done")
    assert (done["id"], done["status"], done["answer_bytes"]) == (began["id"], 200, None)
    assert done["output_tokens"] > 0
    (listed,) = (await page.get("exchanges"))["exchanges"]
    assert listed == done
    assert await page.get(f"exchanges/{done['id']}") == done
    said = json.dumps([data for _, _, data in events.all])
    assert PROVIDER_KEY not in said
    assert AGENT_KEY not in said


async def test_a_refusal_is_told_at_its_end(running: tuple[Page, Proxy]) -> None:
    page, proxy = running
    async with hearing(page) as events:
        await call(proxy, "hello", model="other")
        told = await events.until("exchange", state="done")
    assert told["error"]
    assert (await page.get("exchanges?status=error"))["exchanges"] == [told]
    assert (await page.get("exchanges?status=ok"))["exchanges"] == []
    assert (await page.get(f"exchanges?status={told['status']}"))["exchanges"] == [told]
    assert (await page.get("exchanges?status=529"))["exchanges"] == []


async def test_pages_follow_one_another(running: tuple[Page, Proxy]) -> None:
    page, proxy = running
    for number in range(5):
        await call(proxy, f"[[say {number}]]")
    found: list[str] = []
    query = "exchanges?limit=2"
    for _ in range(3):
        answer = await page.get(query)
        found += [one["id"] for one in answer["exchanges"]]
        query = f"exchanges?limit=2&before={answer['next']}"
    assert answer["next"] is None
    assert len(set(found)) == 5
    assert found == [one["id"] for one in (await page.get("exchanges"))["exchanges"]]


async def test_what_was_used_and_lost_adds_up(running: tuple[Page, Proxy]) -> None:
    page, proxy = running
    await call(proxy, "[[say hello]]", seed=7)
    await call(proxy, "[[say hello]]", seed=7)
    await call(proxy, "[[error 529 overloaded_error]]")
    usage = await page.get("usage?by=agent")
    assert (usage["groups"][0]["agent"], usage["total"]["requests"]) == ("codex", 3)
    assert usage["total"]["errors"] == 1
    series = await page.get("usage/series?bucket=hour&since=2h&by=provider")
    assert 3 <= len(series["buckets"]) <= 4
    (one,) = series["series"]
    assert (one["name"], sum(one["requests"])) == ("anthropic", 3)
    assert sum(one["output_tokens"]) == usage["total"]["output_tokens"]
    everything = await page.get("usage/series")
    assert (everything["series"][0]["name"], len(everything["buckets"])) == ("all", 8)
    troubles = await page.get("troubles")
    assert troubles["errors"][0]["kind"] == "overloaded"
    assert (troubles["losses"][0]["field"], troubles["losses"][0]["count"]) == ("seed", 2)
    names = await page.get("names")
    assert (names["agents"], names["rules"]) == (["codex"], ["everything"])


async def test_before_the_first_call_all_is_empty(running: tuple[Page, Proxy]) -> None:
    page, _ = running
    assert await page.get("exchanges") == {"exchanges": [], "next": None}
    assert await page.get("usage") == {"groups": [], "total": None}
    assert (await page.get("usage/series"))["series"] == []
    assert await page.get("troubles") == {"errors": [], "losses": []}
    assert (await page.ask("GET", "exchanges/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("exchanges?limit=x", "limit"),
        ("exchanges?limit=-1", "limit"),
        ("exchanges?status=fine", "status"),
        ("exchanges?status=5", "status"),
        ("exchanges?status=5290", "status"),
        ("exchanges?status=%D9%A5%D9%A2%D9%A9", "status"),
        ("exchanges?status=529", None),
        ("exchanges?before=1", "before"),
        ("exchanges?since=soon", "since"),
        ("usage?by=colour", "by"),
        ("usage?since=x", "since"),
        ("usage/series?bucket=week", "bucket"),
        ("usage/series?by=day", "by"),
        ("usage/series?bucket=hour&since=2001-01-01", "since"),
        ("troubles?since=99999999999999999999d", None),
    ],
)
async def test_a_query_that_cannot_be_understood_is_refused(
    running: tuple[Page, Proxy], path: str, field: str | None
) -> None:
    answer = await running[0].ask("GET", path)
    assert (answer.status_code, answer.json().get("error", {}).get("field")) == (
        (400, field) if field else (200, None)
    )


async def test_an_edit_in_an_editor_is_told(running: tuple[Page, Proxy]) -> None:
    page, proxy = running
    async with hearing(page) as events:
        proxy.rules.write_text(proxy.rules.read_text() + "# edited\n")
        told = await events.until("rules", rules_ok=True)
        assert told["revision"] == await page.revision()
        proxy.rules.write_text("version: 2\n")
        await events.until("rules", rules_ok=False)


async def test_edits_over_the_api_are_told_at_once(running: tuple[Page, Proxy]) -> None:
    page, _ = running
    async with hearing(page) as events:
        body = {"revision": await page.revision(), "default": "pass"}
        changed = await page.write("PUT", "rules/default", body)
        await events.until("rules", revision=changed["revision"], rules_ok=True)
        await page.write("PUT", "providers/zai/key", {"key": "sk-0123456789abcdef"})
        await events.until("keys")
        await asyncio.sleep(1.2)  # the files are looked at as well
    assert sum(kind == "rules" for _, kind, _ in events.all) == 1


async def test_a_page_that_comes_back_is_told_what_it_missed(running: tuple[Page, Proxy]) -> None:
    page, proxy = running
    async with hearing(page) as events:
        await call(proxy, "[[say one]]")
        await events.until("exchange", state="done")
        seen = events.all[-1][0]
    await call(proxy, "[[say two]]")
    async with hearing(page, seen) as events:
        await events.until("exchange", state="done")
    assert len([1 for _, kind, _ in events.all if kind == "exchange"]) == 1
    async with hearing(page, "another-1") as events:
        await events.until("reset")


async def test_the_next_call_goes_where_an_edit_says(
    running: tuple[Page, Proxy], provider: EmbeddedProvider
) -> None:
    page, proxy = running
    body = {"revision": await page.revision(), "use": "anthropic:claude-haiku-4-5"}
    await page.write("PATCH", "rules/0", body)
    async with hearing(page) as events:
        await call(proxy, "[[say hello]]")
        told = await events.until("exchange", state="done")
    assert told["model"].startswith("claude-haiku-4-5")
    await page.write("PATCH", "rules/0", {"revision": await page.revision(), "enabled": False})
    assert await call(proxy, "[[say hello]]") == 403


async def test_streams_end_with_the_proxy(provider: EmbeddedProvider) -> None:
    rules = RULES.format(url=provider.base_url, key=PROVIDER_KEY)
    async with contextlib.AsyncExitStack() as stack, running_dashboard(rules) as (page, _):
        url = f"{page.origin}/detour/api/stream"
        answer = await stack.enter_async_context(page.client.stream("GET", url))
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"


async def test_of_edits_in_quick_succession_the_last_is_told_last(
    provider: EmbeddedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addon.dashboard.live.FILES", 0.005)
    rules = RULES.format(url=provider.base_url, key=PROVIDER_KEY)
    async with running_dashboard(rules) as (page, _), hearing(page) as events:
        revision = await page.revision()
        for number in range(30):
            body = {"revision": revision, "name": f"rule {number}"}
            revision = (await page.write("PATCH", "rules/0", body))["revision"]
        await events.until("rules", revision=revision)
        await asyncio.sleep(0.1)
        told = [data["revision"] for _, kind, data in events.all if kind == "rules"]
    assert told[-1] == revision
    assert len(told) == len(set(told))
