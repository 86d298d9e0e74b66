"""The page of the calls: followed, filtered, held, looked at closely, and cut off for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from selenium.webdriver import Keys

from addon.embedded import EmbeddedProvider
from addon.ledger import Ledger, Record, timestamp
from tests.support.browser import Browser
from tests.support.visitor import Visitor, rules_for, visiting

ROWS = ".calls-body .call"
MANY = 1000


def fill_the_ledger(folder: Path, count: int) -> None:
    """Record calls as if they had been made of late, every tenth a failure."""
    home = folder / "home" / ".detour"
    home.mkdir(parents=True)
    ledger = Ledger(home)
    now = time.time()
    for number in range(count):
        failed = number % 10 == 0
        ledger.add(
            Record(
                time=timestamp(now - 10 * (count - number)),
                id=f"call-{number}",
                agent=("codex", "planner")[number % 2],
                endpoint="chat",
                provider="openai",
                actual_provider=("anthropic", "zai")[number % 2],
                requested_model="gpt-5",
                model=("claude-sonnet-5-5", "glm-5.3")[number % 2],
                rule="everything",
                status=529 if failed else 200,
                error="overloaded: Overloaded" if failed else None,
                duration_ms=1200.0,
                input_tokens=1000,
                output_tokens=None if failed else 100,
                cost_usd=None if failed else 0.01,
                losses=[{"field": "seed", "reason": "no such thing", "action": "dropped"}],
            )
        )
    ledger.close()


@pytest.fixture
def visitor(browser: Browser, tmp_path: Path, provider: EmbeddedProvider) -> Iterator[Visitor]:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        yield visitor


@pytest.fixture
def experienced(browser: Browser, tmp_path: Path, provider: EmbeddedProvider) -> Iterator[Visitor]:
    """Give a Detour that has seen many calls."""
    fill_the_ledger(tmp_path, MANY)
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        yield visitor


def test_before_the_first_call_it_is_said_how_to_make_one(visitor: Visitor) -> None:
    visitor.open("live")
    command = visitor.see(".empty .command code").text
    assert command.startswith("detour run --proxy 127.0.0.1:")
    assert command.endswith("-- python my_agent.py")
    visitor.ask()
    visitor.see(ROWS, "gpt-5")
    visitor.gone(".empty")
    visitor.check()


def test_new_calls_are_spoken_of(visitor: Visitor) -> None:
    visitor.open("live")
    visitor.see(".empty")
    visitor.ask()
    visitor.wait(lambda: "New call" in visitor.text("#spoken"), "the announcement")
    assert "asked for gpt-5" in visitor.text("#spoken")
    visitor.check()


def test_a_call_is_looked_at_closely_by_keys_alone(visitor: Visitor) -> None:
    visitor.ask("gpt-5-mini", seed=1)
    visitor.open("live")
    visitor.see(ROWS)
    visitor.press("j", Keys.ENTER)
    details = visitor.see(".details", "claude-haiku-5-5").text
    for words in ("gpt-5-mini", "small models", "seed", "dropped", "openai-chat", "Input"):
        assert words in details
    assert visitor.js("return document.activeElement.id") == "details-heading"
    visitor.press(Keys.ESCAPE)
    visitor.gone(".details")
    focused = "return document.activeElement.closest('.call') !== null"
    assert visitor.js(focused), "the focus goes back to the call"
    visitor.check()


def test_a_failed_call_says_what_to_do(visitor: Visitor) -> None:
    with pytest.raises(openai.APIStatusError):
        visitor.ask(text="[[error 529 overloaded_error Too many of you]]")
    visitor.open("live")
    visitor.see(f"{ROWS} .state[data-tone=bad]", "overloaded")
    visitor.press("j", Keys.ENTER)
    told = visitor.see(".details .notice").text
    assert "Too many of you" in told
    assert "What to do" in told
    visitor.check()


def test_calls_wait_while_the_list_is_held(visitor: Visitor) -> None:
    visitor.ask()
    visitor.open("live")
    visitor.see(ROWS)
    visitor.press("p")
    visitor.ask("o3")
    visitor.named("button", "Go on (1 new)")
    assert visitor.count(ROWS) == 1
    visitor.press("p")
    visitor.see(ROWS, "o3")
    assert visitor.count(ROWS) == 2
    visitor.check()


def test_filters_narrow_the_list_and_what_comes_in(experienced: Visitor) -> None:
    visitor = experienced
    visitor.open("live")
    visitor.see(ROWS)
    visitor.tick("Errors")
    visitor.wait(lambda: "status=error" in visitor.driver.current_url, "the address")
    visitor.wait(lambda: visitor.count(f"{ROWS} .state[data-tone=good]") == 0, "errors only")
    assert visitor.count(ROWS) == 100
    visitor.ask()
    visitor.tick("All")
    visitor.see(ROWS, "openai-python")
    visitor.press("/", *"glm")
    visitor.wait(lambda: "text=glm" in visitor.driver.current_url, "the address")
    visitor.wait(lambda: "sonnet" not in visitor.text(".calls-body"), "calls of that model")
    visitor.choose("Filter by agent", "codex")
    visitor.see(".empty", "No call passes these filters")
    visitor.choose("Filter by agent", "planner")
    visitor.see(ROWS, "planner")
    visitor.ask()
    assert "openai-python" not in visitor.text(".calls-body")
    visitor.fill("Search in names, models, rules and errors", "nothing of the kind")
    visitor.see(".empty", "No call passes these filters")
    visitor.click("Show all calls")
    visitor.see(ROWS, "openai-python")
    visitor.check()


FILTERS = (
    {"agent": "codex"},
    {"provider": "zai"},
    {"model": "gpt-5"},
    {"model": "zai:glm-5.3"},
    {"model": "glm-5.3"},
    {"rule": "everything", "status": "error"},
    {"status": "ok", "agent": "planner"},
    {"text": "OVERLOADED codex"},
    {"text": "call-12"},
    {"text": "nothing"},
)
AGREE = """
const [filters, done] = arguments;
const ids = (exchanges) => exchanges.map(({ id }) => id).join();
(async () => {
  const { matches } = await import("/detour/static/pages/live/filters.js");
  const read = async (query) =>
    (await (await fetch(`api/exchanges?${new URLSearchParams(query)}`)).json()).exchanges;
  const all = await read({ limit: 500 });
  const wrong = [];
  for (const given of filters) {
    const told = await read({ ...given, limit: 500 });
    const passing = all.filter((exchange) => matches(exchange, given));
    if (ids(told) !== ids(passing)) wrong.push([given, told.length, passing.length]);
  }
  done(wrong);
})().catch((error) => done(String(error)));
"""


def test_the_page_and_the_server_filter_alike(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    fill_the_ledger(tmp_path, 60)
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        visitor.open("live")
        assert visitor.driver.execute_async_script(AGREE, list(FILTERS)) == []


def test_a_thousand_calls_are_listed_and_followed(experienced: Visitor) -> None:
    visitor = experienced
    visitor.open("live")
    for shown in range(100, MANY, 100):
        visitor.wait(lambda shown=shown: visitor.count(ROWS) >= shown, f"{shown} calls")
        visitor.click("Show older calls")
    visitor.wait(lambda: visitor.count(ROWS) == MANY, "all of them")
    visitor.gone(".older")
    ids = visitor.js(
        f"return [...document.querySelectorAll('{ROWS}')].map((row) => row.dataset.id)"
    )
    assert ids == [f"call-{number}" for number in reversed(range(MANY))]
    visitor.js(
        "window.longest = 0; new PerformanceObserver((list) => {"
        " for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration);"
        "}).observe({ type: 'longtask' })"
    )
    visitor.js("scrollTo(0, 0)")
    for number in range(5):
        visitor.ask(f"gpt-5.{number}")
    visitor.see(ROWS, "gpt-5.4")
    assert visitor.js("return longest") < 400  # milliseconds on a busy machine
    assert visitor.js("return document.querySelector('.page').textContent").count("gpt-5.4") == 1
    visitor.check()


def test_a_lost_connection_is_told_and_heals(visitor: Visitor) -> None:
    visitor.ask()
    visitor.open("live")
    visitor.see(ROWS)
    network = "Network.emulateNetworkConditions"
    limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    visitor.driver.execute_cdp_cmd("Network.enable", {})
    visitor.driver.execute_cdp_cmd(network, {"offline": True, **limits})
    try:
        visitor.js("import('/detour/static/stream.js').then((stream) => stream.connect())")
        visitor.see("#connection-lost", "does not answer")
        visitor.ask("o3")
    finally:
        visitor.driver.execute_cdp_cmd(network, {"offline": False, **limits})
    visitor.gone("#connection-lost")
    visitor.see(ROWS, "o3")
    assert visitor.count(ROWS) == 2
    visitor.check(refused=True)


def test_troubles_lead_to_the_calls(experienced: Visitor) -> None:
    visitor = experienced
    visitor.open("troubles")
    visitor.see("#errors tr", "overloaded")
    losses = visitor.see("#losses tr", "seed").text
    assert "500" in losses
    visitor.see("#errors a", "overloaded").click()
    visitor.see("h1", "Live")
    visitor.wait(lambda: visitor.count(ROWS), "the calls")
    assert visitor.count(f"{ROWS} .state[data-tone=good]") == 0
    visitor.check()


def test_usage_says_what_is_unknown(experienced: Visitor) -> None:
    visitor = experienced
    visitor.open("usage?since=24h&by=provider")
    row = visitor.see("#totals tbody tr", "zai").text
    assert "500" in row
    assert "$5.00" in row
    visitor.see("#totals tfoot", "1,000")
    visitor.see(".chart svg .bar-part")
    visitor.js("document.querySelector('.chart svg').focus()")
    visitor.press(Keys.END)
    visitor.see(".chart-tip", "zai")
    visitor.check()
