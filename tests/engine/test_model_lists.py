import asyncio
import json

import pytest

from addon.engine import ClientPool, ListError, ModelLists, Question, fetch_models, model_lists
from addon.providers import Provider
from tests.support.servers import ScriptedServer


def listing(*names):
    async def handler(exchange):
        await exchange.answer(json.dumps({"data": [{"id": name} for name in names]}).encode())

    return handler


async def web_page(exchange):
    await exchange.answer(b"<html>my web site</html>", content_type="text/html")


@pytest.fixture
async def clients():
    pool = ClientPool()
    yield pool
    await pool.aclose()


def office(url, **fields):
    urls = {"openai-chat": f"{url}/v1"}
    return Provider(**{"id": "office", "title": "Office", "base_urls": urls, **fields})


async def ask(lists, clients, *providers, **keywords):
    questions = [Question(provider, "key") for provider in providers]
    answers = await lists.of_all(questions, clients, **keywords)
    return [
        answer if isinstance(answer, ListError) else [model.id for model in answer]
        for answer in answers
    ]


async def test_a_list_is_asked_for_once_in_a_while(clients):
    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        provider = office(server.url)
        await asyncio.gather(*(ask(lists, clients, provider, provider) for _ in range(3)))
        assert await ask(lists, clients, provider) == [["a"]]
        assert len(server.exchanges) == 1


async def test_a_list_is_kept_also_for_when_the_provider_is_down(monkeypatch, clients):
    monkeypatch.setattr(model_lists, "SHELF_LIFE", 0)
    monkeypatch.setattr(model_lists, "FAILURE_LIFE", 0)
    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        provider = office(server.url)
        assert await ask(lists, clients, provider) == [["a"]]
    assert await ask(lists, clients, provider) == [["a"]]
    async with ScriptedServer(listing("b")) as server:
        moved = office(server.url)
        assert await ask(lists, clients, provider, moved) == [["a"], ["b"]]


async def test_keys_and_headers_have_lists_of_their_own(clients):
    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        provider = office(server.url)
        mine = Question(provider, None, (("authorization", "Bearer mine"),))
        theirs = Question(provider, None, (("authorization", "Bearer theirs"),))
        await lists.of_all([mine, theirs, Question(provider, "key")], clients)
        await lists.of_all([mine, theirs], clients)
        sent = {exchange.headers.get("authorization") for exchange in server.exchanges}
    assert sent == {"Bearer mine", "Bearer theirs", "Bearer key"}
    assert len(server.exchanges) == 3


async def test_who_is_dead_is_left_alone_for_a_while(monkeypatch, clients):
    async def refuse(exchange):
        await exchange.answer(b"{}", 500)

    lists = ModelLists()
    async with ScriptedServer(refuse) as server:
        for _ in range(3):
            [error] = await ask(lists, clients, office(server.url))
            assert isinstance(error, ListError)
        assert len(server.exchanges) == 1
        server.handler = listing("a")
        monkeypatch.setattr(model_lists, "FAILURE_LIFE", 0)
        [error] = await ask(lists, clients, office(server.url))
        assert isinstance(error, ListError)  # the minute is not over yet
    dead = office("http://127.0.0.1:9")
    [error] = await ask(lists, clients, dead)
    assert error.failure == "absent"


async def test_who_is_slow_holds_nobody_up_and_is_heard_the_next_time(clients):
    ready = asyncio.Event()

    async def slow(exchange):
        await ready.wait()
        await listing("late")(exchange)

    lists = ModelLists()
    async with ScriptedServer(slow) as tardy, ScriptedServer(listing("a")) as server:
        providers = office(tardy.url), office(server.url, id="other")
        async with asyncio.timeout(20):  # it is not ready before
            [error, others] = await ask(lists, clients, *providers, patience=0.5)
        assert str(error) == "Office did not give its models in 0.5 s"
        assert others == ["a"]
        ready.set()
        assert await ask(lists, clients, *providers) == [["late"], ["a"]]
        assert len(tardy.exchanges) == 1


async def test_whoever_has_not_answered_can_be_left(clients):
    asked = asyncio.Event()

    async def silent(exchange):
        asked.set()
        await exchange.left.wait()

    lists = ModelLists()
    async with ScriptedServer(silent) as server:
        asking = asyncio.create_task(ask(lists, clients, office(server.url)))
        await asked.wait()
        lists.stop()
        [error] = await asking
        assert error.failure == "silent"
        await asyncio.wait_for(server.exchanges[0].left.wait(), 2)


async def test_lists_are_not_kept_without_end(monkeypatch, clients):
    monkeypatch.setattr(model_lists, "MOST_KEPT", 3)
    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        for number in range(10):
            await lists.of_all([Question(office(server.url), f"key {number}")], clients)
        await lists.of_all([Question(office(server.url), "key 9")], clients)
        assert len(server.exchanges) == 10
        await lists.of_all([Question(office(server.url), "key 0")], clients)
        assert len(server.exchanges) == 11


async def test_what_goes_wrong_is_said(clients):
    async def refuse(exchange):
        await exchange.answer(b'{"error": {"message": "who are you?"}}', 401)

    async with ScriptedServer(refuse) as server, ScriptedServer(web_page) as page:
        with pytest.raises(ListError, match=r"Office answers 401: who are you\?"):
            await fetch_models(office(server.url), "key", clients)
        with pytest.raises(ListError, match="Office gives no list of models"):
            await fetch_models(office(page.url), "key", clients)
    with pytest.raises(ListError, match=r"Office .* refused the connection"):
        await fetch_models(office("http://127.0.0.1:9"), "key", clients)
