"""The page of the providers: mistakes stand at their field, and edits land in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.browser import Browser
from tests.support.program import PROVIDER_KEY
from tests.support.visitor import Visitor, rules_for, visiting

NEW = "form[aria-label='New provider']"


@pytest.fixture
def visitor(browser: Browser, tmp_path: Path, provider: EmbeddedProvider) -> Iterator[Visitor]:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        visitor.open("providers")
        visitor.see("[data-provider=anthropic]")
        yield visitor


def press_on(visitor: Visitor, provider: str, button: str) -> None:
    visitor.js(
        "[...document.querySelectorAll(`[data-provider=${arguments[0]}] button`)]"
        ".find((each) => each.textContent.trim() === arguments[1]).click()",
        provider,
        button,
    )


def test_an_address_that_is_none_is_shown_at_its_field(visitor: Visitor) -> None:
    visitor.click("New provider")
    visitor.fill("Id", "office", NEW)
    visitor.fill("Base URL", "not an address", NEW)
    visitor.click("Add the provider")
    assert visitor.see(f"{NEW} [data-path='base_url'] .problem").text
    visitor.fill("Base URL", "http://127.0.0.1:9/v1", NEW)
    visitor.fill("Id", "an office", NEW)
    visitor.click("Add the provider")
    assert visitor.see(f"{NEW} [data-path='id'] .problem").text
    assert "office" not in visitor.rules
    visitor.check(refused=True)


def test_no_key_is_ever_in_the_page(visitor: Visitor) -> None:
    page = "return document.documentElement.outerHTML"
    visitor.see("[data-provider=anthropic]", "from rules.yaml")
    assert PROVIDER_KEY not in visitor.js(page)
    press_on(visitor, "anthropic", "Edit")
    visitor.see("[data-provider=anthropic] form")
    values = "return [...document.querySelectorAll('input, textarea')].map((field) => field.value)"
    assert PROVIDER_KEY not in " ".join(visitor.js(values))
    visitor.fill("Title", "Claude's home", "[data-provider=anthropic] form")
    visitor.click("Save")
    visitor.see("[data-provider=anthropic]", "Claude's home")
    assert PROVIDER_KEY in visitor.rules  # what was hidden has stayed
    visitor.open("rules?view=text")
    visitor.see(".editor")
    assert PROVIDER_KEY not in visitor.js(page)
    assert PROVIDER_KEY not in visitor.js("return document.querySelector('textarea').value")
    visitor.check()


def test_a_provider_that_is_switched_off_is_asked_nothing(visitor: Visitor) -> None:
    visitor.tick("Calls may go to Anthropic")
    visitor.see("[data-provider=anthropic]", "switched off")
    assert "enabled: false" in visitor.rules
    visitor.tick("Calls may go to Anthropic")
    visitor.see("[data-provider=anthropic]", "ready")
    assert visitor.ask() == "Good morning"
    visitor.check()


def test_models_are_added_changed_put_first_and_removed(visitor: Visitor) -> None:
    visitor.click("New provider")
    visitor.fill("Id", "office", NEW)
    visitor.fill("Models", "small\n", NEW)
    visitor.fill("Base URL", "http://127.0.0.1:9/v1", NEW)
    visitor.click("Add the provider")
    visitor.see("[data-provider=office]", "small")
    press_on(visitor, "office", "1 model")
    visitor.click("Add a model")
    form = "form[aria-label='New model']"
    visitor.fill("Id", "org/large", form)
    visitor.fill("Context, tokens", "131072", form)
    visitor.click("Add the model")
    visitor.see("[data-provider=office] table", "131.1K")
    visitor.click("Try first: org/large")
    visitor.see("[data-provider=office] .provider-facts", "org/large")
    visitor.click("Remove small")
    visitor.click("Remove the model", "dialog button")
    visitor.wait(lambda: "small\n" not in visitor.text("[data-provider=office] table"), "its end")
    press_on(visitor, "office", "Remove")
    visitor.click("Remove the provider", "dialog button")
    visitor.gone("[data-provider=office]")
    assert "office" not in visitor.rules
    visitor.check()


def test_a_provider_that_a_rule_needs_is_not_removed(visitor: Visitor) -> None:
    visitor.click("New provider")
    visitor.fill("Id", "office", NEW)
    visitor.fill("Models", "small\n", NEW)
    visitor.fill("Base URL", "http://127.0.0.1:9/v1", NEW)
    visitor.click("Add the provider")
    visitor.see("[data-provider=office]", "small")
    visitor.rules = visitor.rules.replace("anthropic:claude-haiku-5-5", "office:small")
    visitor.see("[data-provider=office]", "used by 1 rule")
    press_on(visitor, "office", "Remove")
    visitor.click("Remove the provider", "dialog button")
    visitor.see(".notice[role=alert]", "office")
    assert "office:" in visitor.rules
    visitor.check(refused=True)


def test_an_edit_elsewhere_is_told(visitor: Visitor) -> None:
    form = "[data-provider=anthropic] form"
    press_on(visitor, "anthropic", "Edit")
    visitor.fill("Title", "Mine", form)
    visitor.rules = f"# theirs\n{visitor.rules}"
    visitor.click("Save")
    visitor.see(f"{form} .conflict")
    visitor.click("Keep mine")
    visitor.see("[data-provider=anthropic]", "Mine")
    assert visitor.rules.startswith("# theirs\n")
    visitor.check(refused=True)
