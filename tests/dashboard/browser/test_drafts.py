"""Forms hold everything that a rule can say: what they were opened with comes out again."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.browser import Browser

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "addon" / "dashboard" / "static"
EXAMPLES = ("docs/rules.md", "README.md")
ALL_AT_ONCE = {
    "name": "everything",
    "enabled": False,
    "when": {
        "agent": ["a", "/b,c/"],
        "phase": "planning",
        "model": ["gpt-5*"],
        "endpoint": ["chat"],
        "provider": "openai",
        "header": {"x-a": "b*", "x-c": "/d/"},
        "has": ["tools", "images"],
        "input_tokens": "> 60000",
        "filter": "~u chat",
    },
    "use": {"planning": ["a:b", "c:d"], "other": "pass"},
    "fallback": {"on": ["quota"], "not_on": "cut", "retries": 2, "cooldown": 1.5},
    "limit": [{"requests": 1, "else": ["a:b"]}, {"tokens": 2, "cost_usd": 0.5, "per": "month"}],
    "api_key": "${KEY}",
    "set": {"temperature": 0.2, "stop": ["a", {"b": None}], "user": "me", "flag": True},
    "drop": "seed",
}
LOAD = """
const [rules, done] = arguments;
import("/pages/rules/draft.js").then(({ toDraft, fromDraft }) => {
  const untouched = rules.map((rule) => fromDraft(toDraft(rule), rule));
  const written = rules.map((rule) => fromDraft(toDraft(rule)));
  const again = written.map((rule) => toDraft(rule));
  done({ untouched, written, drafts: rules.map(toDraft), again });
}).catch((error) => done({ error: String(error) }));
"""


def documented_rules() -> list[dict[str, Any]]:
    """Return every rule that the documentation shows."""
    rules: list[dict[str, Any]] = []
    for name in EXAMPLES:
        for block in (ROOT / name).read_text().split("```yaml\n")[1:]:
            rules += (YAML(typ="safe").load(block.partition("```")[0]) or {}).get("rules") or []
    assert len(rules) > 20
    return rules


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    handler = functools.partial(Quiet, directory=STATIC)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        browser.driver.get(f"http://127.0.0.1:{server.server_port}/vendor/README.md")
        yield browser
        browser.driver.get("about:blank")
        server.shutdown()
        thread.join()


def test_a_form_that_is_not_touched_changes_nothing(page: Browser) -> None:
    rules = [*documented_rules(), ALL_AT_ONCE]
    found = page.driver.execute_async_script(LOAD, rules)
    assert found["untouched"] == rules


def test_a_form_can_say_all_that_a_rule_says(page: Browser) -> None:
    rules = [*documented_rules(), ALL_AT_ONCE]
    found = page.driver.execute_async_script(LOAD, rules)
    assert found["again"] == found["drafts"]
    everything = found["written"][-1]
    assert everything | {"enabled": False} == ALL_AT_ONCE | {
        "when": ALL_AT_ONCE["when"] | {"model": "gpt-5*", "endpoint": "chat"},
        "fallback": ALL_AT_ONCE["fallback"] | {"on": "quota"},
        "limit": [
            {"requests": 1, "per": "day", "else": "a:b"},
            {"tokens": 2, "cost_usd": 0.5, "per": "month"},
        ],
    }
