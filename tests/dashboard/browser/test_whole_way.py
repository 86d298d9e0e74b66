"""The whole way of somebody new: a provider, its key, its first answer, a rule that leads there."""

from __future__ import annotations

from pathlib import Path

from addon.embedded import EmbeddedProvider
from tests.support.browser import Browser
from tests.support.program import background_provider
from tests.support.visitor import Visitor, rules_for, visiting

KEY = "sk-office-0123456789abcdef"
MODEL = "qwen3-coder"


def add_the_office(visitor: Visitor, url: str) -> None:
    visitor.open("providers")
    visitor.click("New provider")
    visitor.fill("Id", "office")
    visitor.fill("Title", "The office")
    visitor.fill("Models", f"{MODEL}\n")
    visitor.fill("Base URL", f"{url}/v1")
    visitor.tick("openai-chat")
    visitor.click("Add the provider")
    visitor.see("[data-provider=office]", "no key")


def card(visitor: Visitor, name: str) -> None:
    """Click on a button of the provider's card."""
    visitor.wait(
        lambda: visitor.js(
            "const found = [...document.querySelectorAll('[data-provider=office] button')]"
            ".find((button) => button.textContent.trim() === arguments[0]); found?.click();"
            " return Boolean(found)",
            name,
        ),
        name,
    )


def test_a_call_goes_where_the_drop_down_says(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with (
        background_provider() as office,
        visiting(browser, tmp_path, rules_for(provider)) as visitor,
    ):
        add_the_office(visitor, office.base_url)

        card(visitor, "Set key")
        visitor.fill("Key of The office", KEY)
        visitor.click("Keep the key")
        visitor.see("[data-provider=office]", "ready")
        visitor.see("[data-provider=office]", "from key store")
        assert KEY not in visitor.js("return document.documentElement.outerHTML")
        assert KEY not in visitor.rules

        card(visitor, "Verify")
        verdict = visitor.see("[data-provider=office] .verdicts", "works")
        assert "s" in verdict.text
        assert office.requests[-1].header("authorization") == f"Bearer {KEY}"

        card(visitor, "1 model")
        visitor.click(f"Edit {MODEL}")
        visitor.fill("Input", "1000")
        visitor.fill("Output", "2000")
        visitor.click("Save")
        visitor.see("[data-provider=office] table", "$1000 / $2000")

        visitor.open("rules")
        assert visitor.ask() == "Good morning"
        assert not [r for r in office.requests if b"Good morning" in r.body]
        visitor.choose("Target of everything", f"office:{MODEL}")
        visitor.wait(lambda: f"use: office:{MODEL}" in visitor.rules, "the rule in the file")
        assert "# the small ones" in visitor.rules

        visitor.open("live")
        visitor.js("window.unloaded = false; addEventListener('pagehide', () => unloaded = true)")
        visitor.see(".calls-body .call")
        rows = visitor.count(".calls-body .call")
        assert visitor.ask() == "Good morning"
        assert b"Good morning" in office.requests[-1].body
        row = visitor.see(".calls-body .call", f"office:{MODEL}")
        visitor.wait(lambda: "200" in row.text and "$" in row.text, "status and cost")
        assert visitor.count(".calls-body .call") == rows + 1
        assert visitor.js("return unloaded") is False

        visitor.open("usage")
        assert "$" in visitor.see("#totals tbody tr", f"office:{MODEL}").text
        visitor.check()


def test_an_answer_that_streams_is_seen_before_it_has_ended(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        visitor.open("live")
        visitor.see(".empty", "Waiting for the first call")
        with visitor.agent() as client:
            stream = client.chat.completions.create(
                model="gpt-5",
                messages=[{"role": "user", "content": "[[gate]] [[say one two three]]"}],
                stream=True,
            )
            next(iter(stream))
            row = visitor.see(".calls-body .call", "running")
            visitor.see(".page-head", "1 call running")
            provider.open_gate()
            words = "".join(
                chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices
            )
            assert words.endswith("three")
        visitor.wait(lambda: "200" in row.text, "the end of it")
        assert visitor.count(".calls-body .call") == 1
        visitor.check()


def test_a_key_that_the_provider_refuses_is_told_in_its_own_words(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        add_the_office(visitor, provider.base_url)
        card(visitor, "Set key")
        visitor.fill("Key of The office", "bad-key-0123456789")
        visitor.click("Keep the key")
        visitor.see("[data-provider=office]", "ready")
        card(visitor, "Verify")
        told = visitor.see("[data-provider=office] .verdicts", "failed").text
        assert "401" in told
        visitor.check()


def test_a_stored_key_is_removed(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        add_the_office(visitor, provider.base_url)
        card(visitor, "Set key")
        visitor.fill("Key of The office", KEY)
        visitor.click("Keep the key")
        visitor.see("[data-provider=office]", "from key store")
        card(visitor, "Key")
        visitor.click("Remove the stored key")
        visitor.click("Remove the key", "dialog button")
        visitor.see("[data-provider=office]", "no key")
        visitor.check()


def test_a_rule_is_made_from_a_call(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        visitor.ask("o3-mini")
        visitor.open("live")
        visitor.click("o3-mini sent to anthropic:claude-haiku-5-5")
        visitor.click("New rule for such calls")
        form = "form[aria-label='New rule']"
        visitor.see(form)
        visitor.choose("Target", "anthropic:claude-opus-5-5")
        visitor.click("Add the rule")
        visitor.see("[data-rule='openai-python asks for o3-mini']")
        visitor.ask("o3-mini")
        assert provider.requests[-1].json()["model"] == "claude-opus-5-5"
        visitor.check()


def test_mitmweb_serves_the_same_pages_and_shows_the_flow(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider), ui="web") as visitor:
        visitor.ask()
        visitor.open("live")
        visitor.click("gpt-5 sent to anthropic:claude-sonnet-5-5")
        link = visitor.named("a", "Open in mitmweb").get_attribute("href") or ""
        flow = visitor.js("return document.querySelector('.call[data-id]').dataset.id")
        assert link == f"{visitor.origin}/#/flows/{flow}/request"
        assert visitor.overflow() <= 0
        visitor.check()
        visitor.driver.get(link)
        visitor.see("body", "1 of 1 flows selected")


def test_who_is_signed_out_is_told(
    browser: Browser, tmp_path: Path, provider: EmbeddedProvider
) -> None:
    with visiting(browser, tmp_path, rules_for(provider)) as visitor:
        visitor.open("rules")
        visitor.see("[data-rule=everything]")
        visitor.driver.delete_all_cookies()
        visitor.tick("everything is in force")
        visitor.see(".notices .notice", "You are signed out")
        assert "enabled" not in visitor.rules
        visitor.driver.get(visitor.url)
        visitor.open("rules")
        visitor.tick("everything is in force")
        visitor.wait(lambda: "enabled: false" in visitor.rules, "the switch in the file")
        visitor.check(refused=True)
