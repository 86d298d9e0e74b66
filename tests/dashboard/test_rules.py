"""Rules over the API: read, edited with comments kept, tried, mistakes told at their fields."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.inspection.questions import PLACES
from addon.ledger import Ledger, Record, timestamp
from addon.rules.rewriting import digest
from tests.support.dashboard import Page, running_dashboard
from tests.support.proxy import Proxy

KEY = "sk-literal-0123456789abcdefghij"
RULES = f"""\
version: 1
providers:
  anthropic: {{api_key: {KEY}, headers: {{x-team: research}}}}   # mine
rules:
  # for planning
  - name: plan
    when: {{agent: planner}}   # the one
    use: anthropic:claude-opus-5-5

  # all others
  - use: [zai:glm-5.3, "anthropic:claude-sonnet-5-5"]
    enabled: false
default: pass
"""


@pytest.fixture
async def running() -> AsyncIterator[tuple[Page, Proxy]]:
    async with running_dashboard(RULES) as running:
        yield running


async def test_rules_are_shown_as_they_stand_in_the_file(page: Page, proxy: Proxy) -> None:
    shown = await page.get("rules")
    assert shown["revision"] == digest(RULES)
    assert shown["rules"] == [
        {
            "index": 0,
            "line": 6,
            "name": "plan",
            "enabled": True,
            "when": {"agent": "planner"},
            "use": "anthropic:claude-opus-5-5",
        },
        {
            "index": 1,
            "line": 11,
            "name": "rule 2",
            "enabled": False,
            "use": ["zai:glm-5.3", "anthropic:claude-sonnet-5-5"],
        },
    ]
    assert (shown["default"], shown["rules_ok"]) == ("pass", True)
    assert KEY not in str(shown)
    assert "research" not in str(shown)
    assert "# mine" in shown["text"]


async def test_an_edited_text_gets_its_keys_back(page: Page, proxy: Proxy) -> None:
    text = (await page.get("rules"))["text"]
    moved = text.replace("# mine", "# still mine").replace("name: plan", "name: planning")
    shown = await page.edit("PUT", "rules/text", text=moved)
    assert shown["rules"][0]["name"] == "planning"
    expected = RULES.replace("# mine", "# still mine").replace("name: plan", "name: planning")
    assert proxy.rules.read_text() == expected
    assert proxy.rules.with_name("rules.yaml.before").read_text() == RULES


async def test_edits_keep_comments_and_order(page: Page, proxy: Proxy) -> None:
    added = await page.edit("POST", "rules", rule={"name": "new", "use": "block"}, at=1)
    assert (added["index"], [rule["name"] for rule in added["rules"]]) == (
        1,
        ["plan", "new", "rule 3"],
    )
    switched = await page.edit("PATCH", "rules/2", enabled=True, use="zai:glm-5.3")
    assert (switched["rules"][2]["enabled"], switched["rules"][2]["use"]) == (True, "zai:glm-5.3")
    moved = await page.edit("POST", "rules/move", **{"from": 0, "to": 2})
    assert [rule["name"] for rule in moved["rules"]] == ["new", "rule 2", "plan"]
    await page.edit("DELETE", "rules/0")
    await page.edit("PUT", "rules/default", default="block")
    assert (
        proxy.rules.read_text()
        == f"""\
version: 1
providers:
  anthropic: {{api_key: {KEY}, headers: {{x-team: research}}}}   # mine
rules:
  # all others
  - use: zai:glm-5.3

  # for planning
  - name: plan
    when: {{agent: planner}}   # the one
    use: anthropic:claude-opus-5-5
default: block
"""
    )


async def test_a_rule_that_is_sent_back_as_it_was_shown_changes_nothing(
    page: Page, proxy: Proxy
) -> None:
    for rule in (await page.get("rules"))["rules"]:
        shown = await page.edit("PUT", f"rules/{rule['index']}", rule=rule)
        assert shown["rules"][rule["index"]] == rule
    assert proxy.rules.read_text() == RULES


async def test_an_edit_of_a_file_that_has_changed_is_refused(page: Page, proxy: Proxy) -> None:
    seen = await page.revision()
    changed = RULES + "# by somebody else\n"
    proxy.rules.write_text(changed)
    for method, path, body in (
        ("POST", "rules", {"rule": {"use": "pass"}}),
        ("PUT", "rules/0", {"rule": {"use": "pass"}}),
        ("PATCH", "rules/0", {"enabled": False}),
        ("DELETE", "rules/0", {}),
        ("POST", "rules/move", {"from": 0, "to": 1}),
        ("PUT", "rules/default", {"default": "block"}),
        ("PUT", "rules/text", {"text": "version: 1\n"}),
    ):
        status, error = await page.refused(method, path, {"revision": seen, **body})
        assert (status, error["conflict"], error["revision"]) == (409, True, digest(changed))
    assert proxy.rules.read_text() == changed


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"name": "a", "use": "nobody:x"}, "use"),
        ({"name": "a", "use": ["zai:glm-5.3", "claude"]}, "use[1]"),
        ({"name": "a"}, "use"),
        ({}, "use"),
        ({"name": "plan", "use": "pass"}, "name"),
        ({"use": "pass", "when": {"modle": "a"}}, "when.modle"),
        ({"use": "pass", "when": {"model": ["a", "/(/"]}}, "when.model[1]"),
        ({"use": "pass", "when": {"header": {"a b": "c"}}}, "when.header.a b"),
        ({"use": "pass", "when": {"input_tokens": "many"}}, "when.input_tokens"),
        ({"use": "pass", "when": {"filter": "~nonsense"}}, "when.filter"),
        ({"use": "pass", "when": []}, "when"),
        ({"use": "pass", "when": {}}, "when"),
        ({"use": {"planning": "zai:x", "cooking": "zai:y"}}, "use.cooking"),
        ({"use": "zai:x", "limit": {"per": "day"}}, "limit"),
        ({"use": "zai:x", "limit": [{"requests": 1}, {"requests": 0}]}, "limit[1].requests"),
        ({"use": "zai:x", "fallback": {"retries": 99}}, "fallback.retries"),
        ({"use": "zai:x", "set": {"model": "b"}}, "set.model"),
        ({"use": "zai:x", "set": {"a": 1}, "drop": ["b", "a"]}, "drop"),
        ({"use": "zai:x", "api_key": "sk-0123456789abcdef0123"}, "api_key"),
        ({"use": "zai:x", "enabled": "maybe"}, "enabled"),
        ({"use": "zai:x", "color": "red"}, "color"),
    ],
)
async def test_a_mistake_is_told_at_its_field(
    page: Page, proxy: Proxy, rule: dict[str, Any], field: str | None
) -> None:
    for method, path in (("POST", "rules"), ("PUT", "rules/1")):
        error = await page.refused_edit(method, path, rule=rule)
        assert error.get("field") == field, (method, error)
        assert error["message"]
        assert field == "api_key" or not rule or error["line"] >= 10
    assert proxy.rules.read_text() == RULES


async def test_every_mistake_of_a_text_is_told_with_its_place(page: Page, proxy: Proxy) -> None:
    text = "version: 1\nrules:\n  - {use: nobody:x}\n  - {name: b, wenn: {}}\ndefault: maybe\n"
    error = await page.refused_edit("PUT", "rules/text", text=text)
    told = [(one["line"], one["column"], one.get("field")) for one in error["problems"]]
    assert told == [
        (3, 11, "rules[0].use"),
        (4, 5, "rules[1].use"),
        (4, 15, "rules[1].wenn"),
        (5, 10, "default"),
    ]
    checked = await page.refused("PUT", "rules/text", {"text": "rules: [", "dry_run": True})
    assert (checked[0], checked[1]["line"]) == (400, 2)
    assert proxy.rules.read_text() == RULES


async def test_a_file_with_mistakes_is_mended_in_its_text_only(page: Page, proxy: Proxy) -> None:
    broken = RULES.replace("default: pass", "default: nowhere")
    proxy.rules.write_text(broken)
    status = await page.get("status")
    assert not status["rules_ok"]
    assert status["problems"][0]["line"] == 13
    shown = await page.get("rules")
    assert [rule["name"] for rule in shown["rules"]] == ["plan", "rule 2"]
    error = await page.refused_edit("PATCH", "rules/0", enabled=False)
    assert "mended first" in error["message"]
    assert error["problems"][0]["line"] == 13
    mended = shown["text"].replace("default: nowhere", "default: block")
    assert (await page.edit("PUT", "rules/text", text=mended))["rules_ok"]
    assert KEY in proxy.rules.read_text()


async def test_no_key_is_shown_of_a_file_that_cannot_be_read(page: Page, proxy: Proxy) -> None:
    proxy.rules.write_text(f"x: [\nproviders: {{anthropic: {{api_key: {KEY}}}}}\n")
    shown = await page.get("rules")
    assert not shown["rules_ok"]
    assert shown["rules"] == []
    assert KEY not in str(shown)
    proxy.rules.write_bytes(b"\xff\xfe")
    shown = await page.get("rules")
    assert (shown["revision"], shown["text"], shown["rules"]) == (None, None, [])


async def test_a_file_that_is_gone_is_begun_anew(page: Page, proxy: Proxy) -> None:
    proxy.rules.unlink()
    status = await page.get("status")
    assert not status["rules_ok"]
    assert "no rules file" in status["problems"][0]["message"]
    await page.edit("POST", "rules", rule={"name": "first", "use": "pass"})
    assert proxy.rules.read_text() == "version: 1\nrules:\n  - name: first\n    use: pass\n"


async def test_a_word_that_stands_for_no_key_is_refused(page: Page) -> None:
    word = "<kept:0123456789ab>"
    for method, path, body in (
        ("PUT", "rules/text", {"text": f"version: 1\n# {word}\n"}),
        ("POST", "rules", {"rule": {"use": "zai:x", "api_key": word}}),
    ):
        error = await page.refused_edit(method, path, **body)
        assert "does not hold" in error["message"]


async def test_a_place_where_no_rule_is(page: Page) -> None:
    for method, path, body in (
        ("PATCH", "rules/9", {"enabled": False}),
        ("DELETE", "rules/2", {}),
        ("PUT", "rules/-1", {"rule": {"use": "pass"}}),
        ("PATCH", "rules/one", {"enabled": True}),
        ("POST", "rules/move", {"from": 0, "to": 2}),
        ("POST", "rules", {"rule": {"use": "pass"}, "at": 3}),
    ):
        status, _ = await page.refused(method, path, {"revision": await page.revision(), **body})
        assert status == 404, (method, path)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rule": {}}, "revision"),
        ({"revision": 7, "rule": {}}, "revision"),
        ({"revision": "now"}, "rule"),
        ({"revision": "now", "rule": []}, "rule"),
        ({"revision": "now", "rule": {"use": "pass"}, "at": "1"}, "at"),
        ({"revision": "now", "rule": {"use": "pass"}, "at": -1}, "at"),
        ({"revision": "now", "rule": {"use": "pass"}, "at": True}, "at"),
    ],
)
async def test_a_request_that_lacks_something_names_it(
    page: Page, body: dict[str, Any], field: str
) -> None:
    status, error = await page.refused("POST", "rules", body)
    assert (status, error["field"]) == (400, field)


async def test_a_call_is_tried(page: Page) -> None:
    tried = await page.write("POST", "rules/try", {"model": "gpt-5", "agent": "planner"})
    assert (tried["rule"], tried["index"], tried["line"]) == ("plan", 0, 6)
    assert tried["request"]["headers"]["x-api-key"] == "<key from rules.yaml>"
    assert KEY not in str(tried)
    passed = await page.write("POST", "rules/try", {"model": "gpt-5", "endpoint": "responses"})
    assert (passed["action"], passed["rule"], passed["index"]) == ("pass", "default", None)
    assert passed["trace"][1]["reason"] == "it is switched off (`enabled: false`)"


async def explained(page: Page, proxy: Proxy, *arguments: str) -> dict[str, Any]:
    """Return what `detour explain` says."""
    home = (await page.get("status"))["home"]
    command = ["explain", "--json", "--rules", str(proxy.rules), "--home", home, *arguments]
    result = await asyncio.to_thread(CliRunner().invoke, detour, command)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_any_endpoint_is_tried_as_explain_would(page: Page, proxy: Proxy) -> None:
    for endpoint in (*PLACES, "audio/transcriptions", "other/evals"):
        tried = await page.write("POST", "rules/try", {"model": "gpt-5", "endpoint": endpoint})
        told = await explained(page, proxy, "--model", "gpt-5", "--endpoint", endpoint)
        assert tried == {**told, "index": None}


async def test_a_try_shows_what_limits_have_used(page: Page, proxy: Proxy) -> None:
    limited = RULES.replace("- name: plan\n", "- name: plan\n    limit: {requests: 2, by: agent}\n")
    assert limited != RULES
    proxy.rules.write_text(limited)
    ledger = Ledger(Path((await page.get("status"))["home"]))
    fields = {"time": timestamp(time.time()), "endpoint": "chat", "rule": "plan"}
    fields["actual_provider"] = "anthropic"
    for number in range(2):
        ledger.add(Record(id=f"call {number}", agent="planner", **fields))
        ledger.flush()
        tried = await page.write("POST", "rules/try", {"model": "gpt-5", "agent": "planner"})
        (limit,) = tried["limits"]
        assert (limit["limit"], limit["used"]["requests"]) == (
            "2 requests per day for each agent",
            number + 1,
        )
        told = await explained(page, proxy, "--model", "gpt-5", "--agent", "planner")
        assert tried == {**told, "index": 0}
    ledger.close()
    assert tried["limit_reached"]
    assert "2 requests per day" in tried["error"]


async def test_a_text_is_tried_before_it_is_written(page: Page, proxy: Proxy) -> None:
    text = (await page.get("rules"))["text"].replace("agent: planner", "agent: coder")
    tried = await page.write(
        "POST",
        "rules/try",
        {"model": "m", "agent": "coder", "text": text, "body": {"messages": []}},
    )
    assert tried["rule"] == "plan"
    assert proxy.rules.read_text() == RULES


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model": "m", "endpoint": "nothing"}, "endpoint"),
        ({"model": 7}, "model"),
        ({"model": "m", "headers": {"a": 1}}, "headers.a"),
        ({"model": "m", "headers": []}, "headers"),
        ({"model": "m", "provider": "nobody"}, "provider"),
        ({}, None),
        ({"body": "no JSON"}, None),
        ({"body": 7}, None),
        ({"model": "m", "text": "version: 1\nrules: 7"}, "rules"),
    ],
)
async def test_a_call_that_nobody_can_make_is_refused(
    page: Page, body: dict[str, Any], field: str | None
) -> None:
    status, error = await page.refused("POST", "rules/try", body)
    assert (status, error.get("field")) == (400, field)


async def test_the_schema_is_there(page: Page) -> None:
    assert "rules" in (await page.get("schema"))["properties"]
