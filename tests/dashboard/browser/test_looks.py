"""Every page at a desk and on a phone, light and dark: nothing sticks out, everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Keys

from tests.dashboard.browser.test_live_page import fill_the_ledger
from tests.support.browser import DESKTOP, PHONE, Browser
from tests.support.program import background_provider
from tests.support.visitor import Visitor, rules_for, visiting

AXE = Path(__file__).parents[2] / "support" / "axe" / "axe.min.js"
CHECK = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(
  violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 200))])));
"""
PAGES = ("live", "live?id=call-29", "rules", "rules?view=text", "providers", "usage", "troubles")


@pytest.fixture(scope="module")
def experienced(
    started_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("looks")
    fill_the_ledger(folder, 30)
    with (
        background_provider() as provider,
        visiting(started_browser, folder, rules_for(provider)) as visitor,
    ):
        yield visitor


@pytest.fixture
def visitor(experienced: Visitor, browser: Browser) -> Visitor:
    experienced.enter()
    return experienced


def wrong(visitor: Visitor) -> list[Any]:
    """Return what axe finds wrong; it is put into the page past the policy that keeps it clean."""
    visitor.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text()})
    return visitor.driver.execute_async_script(CHECK)


def unfold(visitor: Visitor, page: str) -> None:
    """Open what a page keeps folded."""
    if page == "rules":
        visitor.click("Edit everything")
        visitor.click("Try it")
        visitor.see("#tried")
    if page == "providers":
        for provider, words in (("anthropic", "models"), ("openai", "Edit"), ("google", "key")):
            visitor.js(
                "[...document.querySelectorAll(`[data-provider=${arguments[0]}] button`)]"
                ".find((each) => each.textContent.includes(arguments[1])).click()",
                provider,
                words,
            )
            visitor.see(f"[data-provider={provider}] .provider-panel")
        visitor.click("Add a model")
        visitor.click("New provider")
        visitor.see("form[aria-label='New provider']")
    visitor.js("for (const each of document.querySelectorAll('details')) each.open = true")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_and_is_accessible(visitor: Visitor, page: str, size: tuple[int, int]) -> None:
    visitor.browser.resize(size)
    visitor.open(page)
    visitor.see(".card")
    assert visitor.overflow() <= 0
    unfold(visitor, page)
    for scheme in ("light", "dark"):
        visitor.browser.colors(scheme)
        assert visitor.overflow() <= 0
        assert wrong(visitor) == [], scheme
    visitor.check()


def test_dark_is_dark_and_the_choice_is_remembered(visitor: Visitor) -> None:
    ground = "return getComputedStyle(document.documentElement).backgroundColor"
    visitor.open("live")
    light = visitor.js(ground)
    visitor.browser.colors("dark")
    visitor.open("live")
    dark = visitor.js(ground)
    assert dark != light
    visitor.press("t")  # from the system's to light
    assert visitor.js(ground) == light
    visitor.open("rules")
    assert visitor.js(ground) == light
    visitor.press("t")
    assert visitor.js(ground) == dark
    visitor.check()


def test_nothing_moves_where_that_is_unwanted(visitor: Visitor) -> None:
    command = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    visitor.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", command)
    visitor.open("rules")
    duration = (
        "return parseFloat(getComputedStyle(document.querySelector('.switch')).transitionDuration)"
    )
    visitor.see(".switch")
    assert visitor.js(duration) < 0.001


def test_every_page_is_reached_by_keys(visitor: Visitor) -> None:
    visitor.open("live")
    for key, title in zip(
        "rputl", ("Rules", "Providers", "Usage", "Troubles", "Live"), strict=True
    ):
        visitor.press("g", key)
        visitor.see("h1", title)
        assert visitor.js("return document.activeElement.id") == "main"
        assert visitor.js("return document.title") == f"{title} · Detour"
    visitor.press("?")
    shortcuts = visitor.see("dialog", "light and dark").text
    for words in ("go to Rules", "search", "pause", "next call", "light and dark"):
        assert words in shortcuts
    visitor.press(Keys.ESCAPE)
    visitor.gone("dialog")
    visitor.check()


def test_the_first_stop_of_tab_skips_the_bar(visitor: Visitor) -> None:
    visitor.open("rules")
    visitor.see(".rules")
    visitor.press(Keys.TAB)
    assert visitor.js("return document.activeElement.textContent") == "Skip to the page"
    visitor.press(Keys.ENTER)
    assert visitor.js("return document.activeElement.id") == "main"
    assert visitor.driver.current_url.endswith("#/rules")


def test_what_has_the_focus_can_be_seen(visitor: Visitor) -> None:
    visitor.open("rules")
    visitor.see(".rules")
    outline = (
        "const element = document.activeElement;"
        "const style = getComputedStyle(element);"
        "const beside = element.nextElementSibling && getComputedStyle(element.nextElementSibling);"
        "return [element.outerHTML.slice(0, 120), [style, beside]"
        ".some((each) => each && each.outlineStyle !== 'none' && each.outlineWidth !== '0px')]"
    )
    for _ in range(25):
        visitor.press(Keys.TAB)
        element, seen = visitor.js(outline)
        assert seen, element


def test_the_first_page_is_there_at_once(visitor: Visitor) -> None:
    paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    times = []
    for _ in range(4):
        visitor.open("live")
        times.append(visitor.wait(lambda: visitor.js(f"return {paint}"), "the first paint"))
    assert min(times) < 1000  # milliseconds; a fifth of it where nothing else runs
