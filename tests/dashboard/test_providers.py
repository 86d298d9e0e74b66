"""Providers, keys and models over the API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from addon.embedded import EmbeddedProvider
from addon.providers import KeyStore
from addon.rules.rewriting import digest
from tests.support.dashboard import Page, running_dashboard
from tests.support.proxy import PROVIDER_KEY, Proxy

KEY = "sk-stored-0123456789abcdefghij"
LITERAL = "sk-literal-0123456789abcdefghij"
RULES = f"""\
version: 1
# who answers
providers:
  office: {{base_url: "http://127.0.0.1:9/v1", api_key: {LITERAL}, models: [a, b]}}   # mine

  # a built-in one
  zai:
    headers: {{x-team: research}}
rules:
  - {{name: all, use: office:a}}
aliases: {{fast: "office:b"}}
"""


@pytest.fixture
async def running() -> AsyncIterator[tuple[Page, Proxy]]:
    async with running_dashboard(RULES, environment={"ANTHROPIC_API_KEY": PROVIDER_KEY}) as running:
        yield running


def home_of(proxy: Proxy) -> Any:
    return proxy.interceptor._read_settings().home


async def test_providers_are_shown_with_what_they_lack(page: Page) -> None:
    listed = await page.get("providers")
    rows = {row["id"]: row for row in listed["providers"]}
    assert listed["revision"] == digest(RULES)
    assert rows["anthropic"]["key"] == {"source": "ANTHROPIC_API_KEY", "masked": "sk-...3210"}
    assert (rows["anthropic"]["usable"], rows["anthropic"]["reason"]) == (True, None)
    assert (rows["zai"]["usable"], rows["zai"]["key"]) == (False, None)
    assert "no key for zai" in rows["zai"]["reason"]
    assert rows["zai"]["settings"]["headers"]["x-team"].startswith("<kept:")
    assert rows["office"]["key"] == {"source": "rules.yaml", "masked": "sk-...ghij"}
    assert rows["office"]["used_by"] == ["all", "alias fast"]
    assert rows["local"]["key"] == {"source": "none", "masked": None}
    assert "base_url" in rows["azure"]["reason"]
    assert "intl" in rows["qwen"]["regions"]
    assert LITERAL not in str(listed)
    assert PROVIDER_KEY not in str(listed)
    assert {**rows["office"], "revision": digest(RULES)} == await page.get("providers/office")


async def test_without_valid_rules_the_built_in_ones_are_shown(page: Page, proxy: Proxy) -> None:
    proxy.rules.write_text("version: 2\n")
    rows = {row["id"]: row for row in (await page.get("providers"))["providers"]}
    assert "office" not in rows
    assert rows["anthropic"]["usable"]


async def test_a_provider_is_added_changed_and_removed(page: Page, proxy: Proxy) -> None:
    added = await page.edit(
        "POST",
        "providers",
        id="lab",
        title="The lab",
        base_url="http://127.0.0.1:8/v1",
        formats=["openai-chat"],
        timeouts={"connect": 3},
        api_key="${LAB_KEY}",
    )
    assert (added["name"], added["formats"], added["builtin"]) == (
        "The lab",
        ["openai-chat"],
        False,
    )
    changed = await page.edit("PATCH", "providers/lab", title=None, enabled=False, api_key="none")
    assert (changed["name"], changed["enabled"]) == ("lab", False)
    assert changed["reason"] == "it is switched off"
    before, entry, after = proxy.rules.read_text().partition(
        "  lab:\n"
        "    base_url: http://127.0.0.1:8/v1\n"
        "    formats: [openai-chat]\n"
        "    timeouts: {connect: 3}\n"
        "    api_key: none\n"
        "    enabled: false\n"
    )
    assert entry
    assert before + after == RULES
    await page.edit("DELETE", "providers/lab")
    assert proxy.rules.read_text() == RULES


async def test_settings_that_were_hidden_are_kept(page: Page, proxy: Proxy) -> None:
    headers = (await page.get("providers/zai"))["settings"]["headers"]
    await page.edit("PATCH", "providers/zai", headers={**headers, "x-more": "1"}, title="Z")
    assert "headers: {x-team: research, x-more: '1'}" in proxy.rules.read_text()


async def test_changes_to_a_built_in_provider_are_undone(page: Page, proxy: Proxy) -> None:
    await page.edit("DELETE", "providers/zai")
    assert "x-team" not in proxy.rules.read_text()
    error = await page.refused_edit("DELETE", "providers/zai")
    assert "built in" in error["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "a b", "base_url": "http://h/v1"}, "id"),
        ({"id": "office", "base_url": "http://h/v1"}, "id"),
        ({"id": "zai", "enabled": False}, "id"),
        ({"id": "new"}, "base_url"),
        ({"id": "new", "base_url": "nowhere"}, "base_url"),
        ({"id": "new", "base_url": "http://h/v1", "formats": ["chat"]}, "formats[0]"),
        ({"id": "new", "base_url": "http://h/v1", "colour": "red"}, "colour"),
        ({"id": "new", "base_url": "http://h/v1", "api_key": KEY}, "api_key"),
        ({"id": "new", "base_url": "http://h/v1", "headers": {"x-key": KEY}}, "headers.x-key"),
        ({"id": "new", "base_url": "http://h/v1", "timeouts": {"idle": 0}}, "timeouts.idle"),
        ({"id": "new", "base_url": {"gemini": "x"}}, "base_url"),
        ({"id": "qwen", "region": "moon"}, "region"),
        ({"id": "qwen"}, None),
        ({"base_url": "http://h/v1"}, "id"),
    ],
)
async def test_a_mistake_is_told_at_its_field(
    page: Page, proxy: Proxy, body: dict[str, Any], field: str | None
) -> None:
    error = await page.refused_edit("POST", "providers", **body)
    assert error.get("field") == field, error
    assert proxy.rules.read_text() == RULES


async def test_a_provider_that_rules_use_stays(page: Page, proxy: Proxy) -> None:
    error = await page.refused_edit("DELETE", "providers/office")
    assert error["used_by"] == ["all", "alias fast"]
    assert proxy.rules.read_text() == RULES


async def test_a_key_is_kept_encrypted_and_never_shown(page: Page, proxy: Proxy) -> None:
    kept = await page.write("PUT", "providers/zai/key", {"key": f" {KEY}\n"})
    assert kept == {
        "key": {"source": "key store", "masked": "sk-...ghij"},
        "stored": True,
        "note": None,
    }
    assert KeyStore(home_of(proxy)).get("zai") == KEY
    assert KEY not in KeyStore(home_of(proxy)).file.read_text()
    assert (await page.get("providers/zai"))["usable"]
    over = await page.write("PUT", "providers/anthropic/key", {"key": KEY})
    assert (over["key"]["source"], over["stored"]) == ("ANTHROPIC_API_KEY", True)
    assert "ANTHROPIC_API_KEY comes first" in over["note"]
    gone = await page.write("DELETE", "providers/zai/key")
    assert gone == {"key": None, "stored": False, "note": None}
    assert (await page.refused("DELETE", "providers/zai/key"))[0] == 404
    assert KEY not in "\n".join(proxy.logs.lines)


@pytest.mark.parametrize("key", ["", "  ", "two words", "schlüssel", "a\nb", 7, None, "x" * 5000])
async def test_what_is_no_key_is_refused(page: Page, proxy: Proxy, key: Any) -> None:
    status, error = await page.refused("PUT", "providers/zai/key", {"key": key})
    assert (status, error["field"]) == (400, "key")
    assert not KeyStore(home_of(proxy)).file.exists()


async def test_a_damaged_key_store_is_said(page: Page, proxy: Proxy) -> None:
    home_of(proxy).mkdir(exist_ok=True)
    KeyStore(home_of(proxy)).file.write_text("{")
    status, error = await page.refused("PUT", "providers/zai/key", {"key": KEY})
    assert (status, "damaged" in error["message"]) == (400, True)
    row = await page.get("providers/zai")
    assert (row["usable"], "damaged" in row["reason"]) == (False, True)


async def test_models_are_added_changed_chosen_and_removed(page: Page, proxy: Proxy) -> None:
    added = await page.edit(
        "POST",
        "providers/office/models",
        id="x/y",
        title="Why",
        context=1000,
        price={"input": 1, "output": 2},
    )
    assert added["models"][2]["name"] == "Why"
    assert (added["models"][2]["input_price"], added["models"][2]["output_price"]) == (1, 2)
    changed = await page.edit("PATCH", "providers/office/models/x%2Fy", title=None, max_output=9)
    assert (changed["models"][2]["name"], changed["models"][2]["max_output"]) == ("x/y", 9)
    chosen = await page.edit("PUT", "providers/office/default-model", model="b")
    assert (chosen["default_model"], chosen["models"][0]["id"]) == ("b", "b")
    await page.edit("DELETE", "providers/office/models/a")
    await page.edit("DELETE", "providers/office/models/x%2Fy")
    text = proxy.rules.read_text()
    assert f"api_key: {LITERAL}, models: [b]}}" in text
    assert "# mine\n" in text
    assert (
        "only model" in (await page.refused_edit("DELETE", "providers/office/models/b"))["message"]
    )


async def test_the_models_of_a_built_in_provider_are_written_down_at_the_first_edit(
    page: Page, proxy: Proxy
) -> None:
    before = [model["id"] for model in (await page.get("providers/anthropic"))["models"]]
    added = await page.edit("POST", "providers/anthropic/models", id="claude-next")
    assert [model["id"] for model in added["models"]] == [*before, "claude-next"]
    first = await page.edit("PUT", "providers/anthropic/default-model", model="claude-next")
    assert first["default_model"] == "claude-next"
    assert f"    models: [claude-next, {', '.join(before)}]\n" in proxy.rules.read_text()


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "models", {"id": "a"}, "id"),
        ("POST", "models", {"id": " "}, "id"),
        ("POST", "models", {}, "id"),
        ("POST", "models", {"id": "c", "price": {"input": 1}}, "price.output"),
        ("POST", "models", {"id": "c", "context": "long"}, "context"),
        ("POST", "models", {"id": "c", "features": ["magic"]}, "features[0]"),
        ("PATCH", "models/a", {"colour": "red"}, "colour"),
        ("PATCH", "models/a", {"id": ""}, "id"),
        ("PUT", "default-model", {}, "model"),
    ],
)
async def test_a_mistake_about_a_model_is_told_at_its_field(
    page: Page, proxy: Proxy, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    error = await page.refused_edit(method, f"providers/office/{path}", **body)
    assert error.get("field") == field, error
    assert proxy.rules.read_text() == RULES


async def test_what_is_not_there(page: Page) -> None:
    for method, path, body in (
        ("GET", "providers/nobody", {}),
        ("PATCH", "providers/nobody", {"enabled": False}),
        ("DELETE", "providers/nobody", {}),
        ("PUT", "providers/nobody/key", {"key": KEY}),
        ("POST", "providers/nobody/verify", {}),
        ("POST", "providers/nobody/models", {"id": "a"}),
        ("PATCH", "providers/office/models/c", {"title": "c"}),
        ("DELETE", "providers/office/models/c", {}),
        ("PUT", "providers/office/default-model", {"model": "c"}),
    ):
        status, _ = await page.refused(method, path, {"revision": await page.revision(), **body})
        assert status == 404, (method, path)


async def test_targets_are_grouped_by_provider_those_that_can_be_used_first(page: Page) -> None:
    found = await page.get("targets")
    assert [verdict["value"] for verdict in found["verdicts"]] == ["pass", "block"]
    usable = [group["usable"] for group in found["groups"]]
    assert usable == sorted(usable, reverse=True)
    groups = {group["provider"]: group for group in found["groups"]}
    assert [target["value"] for target in groups["office"]["targets"]] == [
        "office:a",
        "office:b",
        "office:*",
    ]
    assert "no key" in groups["zai"]["reason"]
    assert groups["local"]["targets"][0]["value"] == "local:auto"


async def test_providers_are_asked_for_their_models_where_that_is_wanted() -> None:
    async with EmbeddedProvider() as provider:
        rules = f"""
version: 1
providers:
  mine: {{base_url: "{provider.base_url}", formats: [anthropic], api_key: {PROVIDER_KEY}}}
  down: {{base_url: "http://127.0.0.1:9/v1", api_key: none}}
"""
        async with running_dashboard(rules) as (page, _):
            quiet = {g["provider"]: g for g in (await page.get("targets"))["groups"]}
            asked = {g["provider"]: g for g in (await page.get("targets?ask=true"))["groups"]}
    assert len(quiet["mine"]["targets"]) == 1
    assert len(asked["mine"]["targets"]) > 1
    assert len(asked["down"]["targets"]) == 1


async def test_a_provider_is_verified() -> None:
    async with EmbeddedProvider() as provider:
        rules = f"""
version: 1
providers:
  mine:
    base_url: {{anthropic: "{provider.base_url}", openai-chat: "http://127.0.0.1:9/v1"}}
    models: [claude-sonnet-4-5]
"""
        async with running_dashboard(rules) as (page, proxy):
            no_key = await page.write("POST", "providers/mine/verify", {})
            await page.write("PUT", "providers/mine/key", {"key": PROVIDER_KEY})
            both = await page.write("POST", "providers/mine/verify", {})
            one = await page.write("POST", "providers/mine/verify", {"format": "anthropic"})
            for body in ({"format": "telex"}, {"format": "gemini"}, {"model": 7}):
                assert (await page.refused("POST", "providers/mine/verify", body))[0] == 400
            assert PROVIDER_KEY not in "\n".join(proxy.logs.lines)
    assert [verdict["ok"] for verdict in no_key["verdicts"]] == [False, False]
    assert "no key for mine" in no_key["verdicts"][0]["message"]
    works = {verdict["format"]: verdict for verdict in both["verdicts"]}
    assert (works["anthropic"]["ok"], works["anthropic"]["status"]) == (True, 200)
    assert works["anthropic"]["seconds"] > 0
    assert (works["openai-chat"]["ok"], works["openai-chat"]["status"]) == (False, None)
    assert [verdict["ok"] for verdict in one["verdicts"]] == [True]


async def test_a_provider_that_quotes_the_key_is_not_repeated(page: Page) -> None:
    from addon.dashboard.provider_operations import _without
    from addon.engine import Verdict

    told = Verdict(
        provider="p", format="anthropic", model="m", ok=False, message=f"no key {KEY} nor ab1-x"
    )
    assert _without(told, "ab1-x").message == "no key (key) nor (key)"
