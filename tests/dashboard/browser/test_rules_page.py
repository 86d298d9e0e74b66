"""The page of the rules: each edit shows in the file, and decides about the next call."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver import Keys

from addon.embedded import EmbeddedProvider
from tests.support.browser import Browser
from tests.support.program import background_provider
from tests.support.visitor import Visitor, rules_for, visiting

NAMES = "return [...document.querySelectorAll('[data-rule]')].map((row) => row.dataset.rule)"
THREE = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  # about the first
  - name: first
    when: {{model: "gpt-5*"}}
    use: anthropic:claude-haiku-5-5
  - name: second
    use: anthropic:claude-sonnet-5-5
  - name: third
    use: anthropic:claude-opus-5-5
default: block
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[EmbeddedProvider]:
    with background_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def running(
    started_browser: Browser, tmp_path_factory: pytest.TempPathFactory, provider: EmbeddedProvider
) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("rules-page")
    with visiting(started_browser, folder, rules_for(provider, THREE)) as visitor:
        yield visitor


@pytest.fixture
def visitor(running: Visitor, browser: Browser, provider: EmbeddedProvider) -> Iterator[Visitor]:
    """Enter anew, with the three rules: the browser has forgotten the cookie."""
    running.rules = rules_for(provider, THREE)
    running.enter()
    running.open("rules")
    running.see("[data-rule=third]")
    yield running
    assert "Traceback" not in running.log


def model_asked(provider: EmbeddedProvider, visitor: Visitor) -> str:
    """Let the agent ask for something, and return the model that the provider was asked for."""
    visitor.ask()
    return provider.requests[-1].json()["model"]


def order(visitor: Visitor) -> list[str]:
    """Return the rules in the order of the file."""
    return [line.split("name: ")[1] for line in visitor.rules.splitlines() if "name: " in line]


def test_a_rule_that_is_switched_off_takes_no_call(
    visitor: Visitor, provider: EmbeddedProvider
) -> None:
    assert model_asked(provider, visitor) == "claude-haiku-5-5"
    visitor.tick("first is in force")
    visitor.wait(lambda: "enabled: false" in visitor.rules, "the switch in the file")
    assert model_asked(provider, visitor) == "claude-sonnet-5-5"
    visitor.see("[data-rule=first][data-off]")
    visitor.tick("first is in force")
    visitor.wait(lambda: "enabled" not in visitor.rules, "the switch in the file")
    assert model_asked(provider, visitor) == "claude-haiku-5-5"
    visitor.check()


def test_rules_are_moved_by_keys(visitor: Visitor, provider: EmbeddedProvider) -> None:
    visitor.js("document.querySelector('[data-rule=second] .grip').focus()")
    visitor.press(Keys.ARROW_UP)
    visitor.wait(lambda: visitor.js(NAMES) == ["second", "first", "third"], "the new order")
    assert order(visitor) == ["second", "first", "third"]
    assert "# about the first\n  - name: first" in visitor.rules
    assert "second is now 1 of 3" in visitor.text("#spoken")
    assert model_asked(provider, visitor) == "claude-sonnet-5-5"
    focused = "return document.activeElement.closest('[data-rule]')?.dataset.rule"
    assert visitor.js(focused) == "second"
    visitor.press(Keys.END)
    visitor.wait(lambda: visitor.js(NAMES) == ["first", "third", "second"], "the new order")
    assert visitor.js(focused) == "second"
    visitor.check()


@pytest.mark.parametrize(
    ("taken", "onto", "below", "after"),
    [
        ("third", "first", -15, ["third", "first", "second"]),
        ("first", "third", 15, ["second", "third", "first"]),
        ("first", "second", 15, ["second", "first", "third"]),
    ],
)
def test_rules_are_moved_by_dragging(
    visitor: Visitor, taken: str, onto: str, below: int, after: list[str]
) -> None:
    visitor.settle()
    grip = visitor.see(f"[data-rule={taken}] .grip")
    visitor.drag(grip, visitor.see(f"[data-rule={onto}]"), below)
    visitor.wait(lambda: visitor.js(NAMES) == after, "the new order")
    assert order(visitor) == after
    visitor.check()


def test_a_rule_is_added_with_all_that_it_can_say(
    visitor: Visitor, provider: EmbeddedProvider
) -> None:
    visitor.press("n")
    form = "form[aria-label='New rule']"
    visitor.fill("Name", "everything at once", form)
    visitor.choose("Target", "anthropic:claude-haiku-5-5")
    visitor.fill("Model", "gpt-5*,o*,", form)
    visitor.fill("Agent", "openai-*\n", form)
    visitor.fill("Length in tokens", "< 5000", form)
    visitor.tick("chat", form)
    visitor.click("Change the request", "summary")
    visitor.click("Set a field")
    visitor.fill("field", "max_tokens", form)
    visitor.fill("value (JSON)", "77", form)
    visitor.fill("Drop fields", "seed\n", form)
    visitor.click("When a target fails", "summary")
    visitor.tick("context_length", form)
    visitor.tick("rate_limit", form)
    visitor.fill("Retries of each target", "1", form)
    visitor.click("Limits", "summary")
    visitor.click("Add a limit")
    visitor.fill("Calls", "100", form)
    visitor.click("Add the rule")
    visitor.see("[data-rule='everything at once']", "at most 100 calls a day")
    listed = visitor.machine.run("explain", "--model", "gpt-5.1", "--agent", "openai-x", "--json")
    assert json.loads(listed.stdout)["rule"] == "everything at once"
    added = visitor.js("return fetch('api/rules').then((answer) => answer.json())")["rules"][0]
    assert added["when"] == {
        "agent": "openai-*",
        "model": ["gpt-5*", "o*"],
        "endpoint": "chat",
        "input_tokens": "< 5000",
    }
    assert added["set"] == {"max_tokens": 77}
    assert added["drop"] == "seed"
    assert added["fallback"] == {"on": "context_length", "not_on": "rate_limit", "retries": 1}
    assert added["limit"] == {"requests": 100, "per": "day"}
    visitor.ask(seed=3)
    assert provider.requests[-1].json()["max_tokens"] == 77
    visitor.check()


def test_bad_input_is_shown_at_its_field(visitor: Visitor) -> None:
    before = visitor.rules
    visitor.click("Edit first")
    form = "form[aria-label='Edit first']"
    visitor.fill("Length in tokens", "many", form)
    visitor.click("Save")
    problem = visitor.see("[data-path='when.input_tokens'] .problem").text
    assert "60000" in problem or "comparison" in problem
    assert visitor.js("return document.activeElement.getAttribute('aria-invalid')") == "true"
    described = (
        "return document.activeElement.getAttribute('aria-describedby').split(' ')"
        ".map((id) => document.getElementById(id)?.textContent).join(' ')"
    )
    assert problem in visitor.js(described)
    assert visitor.rules == before
    visitor.fill("Length in tokens", "> 10", form)
    visitor.click("Save")
    visitor.gone(form)
    assert "> 10" in visitor.rules
    visitor.check(refused=True)


def test_escape_leaves_a_form_without_saving(visitor: Visitor) -> None:
    before = visitor.rules
    visitor.click("Edit second")
    visitor.fill("Name", "renamed", "form[aria-label='Edit second']")
    visitor.press(Keys.ESCAPE)
    visitor.gone("form[aria-label='Edit second']")
    assert visitor.rules == before
    focused = "return document.activeElement.getAttribute('aria-label')"
    visitor.wait(lambda: visitor.js(focused) == "Edit second", "the focus")
    visitor.check()


def test_a_rule_is_deleted_after_a_question(visitor: Visitor) -> None:
    visitor.click("Delete second")
    visitor.click("Cancel", "dialog button")
    assert order(visitor) == ["first", "second", "third"]
    visitor.click("Delete second")
    visitor.click("Delete the rule", "dialog button")
    visitor.gone("[data-rule=second]")
    assert order(visitor) == ["first", "third"]
    assert visitor.js("return document.activeElement.className") == "grip"
    visitor.check()


def test_the_default_is_chosen(visitor: Visitor) -> None:
    visitor.choose("Default target", "pass")
    visitor.wait(lambda: "default: pass" in visitor.rules, "the default in the file")
    visitor.check()


def test_an_edit_elsewhere_is_told_and_may_be_overruled(visitor: Visitor) -> None:
    form = "form[aria-label='Edit second']"
    visitor.click("Edit second")
    visitor.fill("Name", "mine", form)
    visitor.rules = "# theirs\n" + visitor.rules.replace("name: third", "name: theirs")
    visitor.see("[data-rule=theirs]")  # the page follows the file, the form stays
    visitor.click("Save")
    visitor.see(f"{form} .conflict", "changed elsewhere")
    assert "mine" not in visitor.rules
    visitor.click("Keep mine")
    visitor.gone(form)
    assert order(visitor) == ["first", "mine", "theirs"]
    assert visitor.rules.startswith("# theirs\n")
    visitor.check(refused=True)


def test_an_edit_elsewhere_may_win(visitor: Visitor) -> None:
    form = "form[aria-label='Edit second']"
    visitor.click("Edit second")
    visitor.fill("Name", "mine", form)
    theirs = "# theirs\n" + visitor.rules
    visitor.rules = theirs
    visitor.click("Save")
    visitor.click("Reload, drop mine")
    visitor.gone(form)
    assert visitor.rules == theirs
    visitor.check(refused=True)


@pytest.mark.parametrize(
    ("model", "agent", "endpoint"),
    [
        ("gpt-5", "", "chat"),
        ("o3", "planner", "responses"),
        ("claude-opus-5-5", "", "messages"),
        ("gpt-5-transcribe", "", "audio/transcriptions"),
    ],
)
def test_trying_agrees_with_explain(
    visitor: Visitor, model: str, agent: str, endpoint: str
) -> None:
    form = "form[aria-label='Try a request']"
    visitor.fill("Model", model, form)
    visitor.fill("Agent", agent, form)
    visitor.fill("Endpoint", endpoint, form)
    visitor.click("Try it")
    shown = visitor.see("#tried").text
    arguments = ["--model", model, "--endpoint", endpoint, "--json"]
    told = json.loads(visitor.explain(*arguments, *(["--agent", agent] if agent else [])))
    targets = [f"{place['provider']}:{place['model']}" for place in told["destinations"]]
    assert all(target in shown for target in targets)
    assert ("It is refused" in shown) is (told["action"] == "block")
    assert told["rule"] in shown
    assert all(step["reason"] in shown for step in told["trace"])
    taken = visitor.js("return document.querySelector('[data-taken]')?.dataset.rule ?? null")
    assert taken == (told["rule"] if told["line"] else None)
    visitor.check()


def test_trying_shows_what_limits_have_used(visitor: Visitor) -> None:
    limited = "- name: limited\n    limit: {requests: 1}\n"
    visitor.rules = visitor.rules.replace("- name: first\n", limited)
    visitor.see("[data-rule=limited]")
    visitor.click("Try it")
    visitor.see("#tried [aria-label=Limits]", "used so far: 0 calls, 0 tokens, $0, until")
    visitor.ask()
    visitor.click("Try it")
    visitor.see("#tried [aria-label=Limits]", "used up, until")
    visitor.see("#tried", "1 requests per day")
    visitor.check()


def test_the_file_is_edited_as_text(visitor: Visitor, provider: EmbeddedProvider) -> None:
    visitor.click("The file")
    area = visitor.named("textarea", "rules.yaml")
    text = area.get_attribute("value") or ""
    assert "# about the first" in text
    assert "sk-provider" not in text
    put = """
    arguments[0].value = arguments[1];
    arguments[0].dispatchEvent(new InputEvent("input", { bubbles: true }));
    """
    visitor.js(put, area, text.replace("name: second", "nmae: second"))
    problem = visitor.see("#text-problems li", "nmae").text
    assert problem.startswith("Line 9")
    assert visitor.see(".gutter [data-wrong]").text == "9"
    visitor.click(problem.splitlines()[0])
    assert visitor.js(
        "return arguments[0].value.slice(arguments[0].selectionStart)", area
    ).startswith("nmae")
    visitor.js(put, area, text.replace("claude-haiku-5-5", "claude-opus-5-5"))
    visitor.see("#text-problems", "No mistakes; not saved yet")
    visitor.click("Save")
    visitor.wait(lambda: "haiku" not in visitor.rules, "the edit in the file")
    assert "sk-provider" in visitor.rules
    assert model_asked(provider, visitor) == "claude-opus-5-5"
    visitor.check(refused=True)


def test_only_providers_that_can_be_used_are_offered(visitor: Visitor) -> None:
    visitor.wait(lambda: visitor.options("Target of first"), "the drop-down")
    offered = {value.partition(":")[0] for value in visitor.options("Target of first")}
    assert "anthropic" in offered
    assert "google" not in offered
    groups = visitor.js(
        "return [...document.querySelectorAll('[data-rule=first] optgroup:disabled')]"
        ".map((group) => group.label)"
    )
    assert any(label.startswith("Google Gemini: no key") for label in groups)
    visitor.check()


def test_walking_through_the_drop_down_by_keys_changes_nothing(visitor: Visitor) -> None:
    before = visitor.rules
    visitor.wait(lambda: len(visitor.options("Target of first")) > 3, "the drop-down")
    visitor.settle()
    visitor.js("arguments[0].focus()", visitor.named("select", "Target of first"))
    visitor.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, "g", Keys.ARROW_DOWN)
    visitor.settle()
    assert visitor.rules == before
    # Chromium chooses what is marked when Escape closes the list.
    visitor.press(Keys.ESCAPE)
    visitor.settle()
    assert visitor.rules == before
    assert visitor.named("select", "Target of first").get_attribute("value") in before
    visitor.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    visitor.settle()
    visitor.press(Keys.ENTER)
    visitor.wait(lambda: visitor.rules != before, "one edit")
    visitor.check()


def test_a_change_of_the_target_is_taken_back(visitor: Visitor) -> None:
    before = visitor.rules
    visitor.choose("Target of second", "anthropic:claude-opus-5-5")
    visitor.wait(lambda: visitor.rules != before, "the edit")
    visitor.click("Undo")
    visitor.wait(lambda: visitor.rules == before, "the file as it was")
    visitor.check()


def test_a_target_that_no_list_has_is_typed(visitor: Visitor, provider: EmbeddedProvider) -> None:
    visitor.wait(lambda: len(visitor.options("Target of first")) > 3, "the drop-down")
    visitor.choose("Target of first", "\0other")
    visitor.fill("Target of first, as PROVIDER:MODEL", f"anthropic:claude-opus-4-5{Keys.ENTER}")
    visitor.wait(lambda: "claude-opus-4-5" in visitor.rules, "the edit")
    assert model_asked(provider, visitor) == "claude-opus-4-5"
    visitor.choose("Target of first", "\0other")
    visitor.fill("Target of first, as PROVIDER:MODEL", f"nobody:nothing{Keys.ENTER}")
    visitor.see(".notice[role=alert]", "unknown provider")
    assert "nobody" not in visitor.rules
    visitor.check(refused=True)


def test_a_mistake_made_elsewhere_is_told_on_every_page(visitor: Visitor) -> None:
    good = visitor.rules
    visitor.ask()
    visitor.open("usage")
    visitor.see(".card")
    visitor.rules = good.replace("use: anthropic:claude-opus-5-5", "usee: x")
    visitor.see(".notices .notice", "rules.yaml has mistakes")
    visitor.click("Open the file")
    visitor.see("#text-problems li", "usee")
    assert visitor.ask() == "Good morning"  # the last good rules stay in force
    visitor.rules = good
    visitor.gone(".notices .notice")
    visitor.see("#text-problems", "No mistakes")
    visitor.check()


def test_a_switch_that_meets_an_edit_elsewhere_asks(visitor: Visitor) -> None:
    visitor.js(
        "const { fetch } = window; window.fetch = async (...given) => {"
        " await new Promise((go) => { window.send = () => { window.fetch = fetch; go(); }; });"
        " return fetch(...given); }"
    )
    visitor.tick("second is in force")
    visitor.wait(lambda: visitor.js("return Boolean(window.send)"), "the request")
    visitor.rules = "# theirs\n" + visitor.rules
    visitor.js("window.send()")
    visitor.see(".conflict")
    assert "enabled" not in visitor.rules
    visitor.click("Keep mine")
    visitor.wait(lambda: "enabled: false" in visitor.rules, "the switch in the file")
    assert visitor.rules.startswith("# theirs\n")
    visitor.check(refused=True)


def test_edits_of_ones_own_are_no_conflict(visitor: Visitor) -> None:
    form = "form[aria-label='Edit second']"
    visitor.click("Edit second")
    visitor.fill("Name", "renamed", form)
    visitor.js(
        "document.querySelector('[data-rule=first] .switch').click();"
        "document.querySelector('[data-rule=third] .switch').click()"
    )
    visitor.wait(lambda: visitor.rules.count("enabled: false") == 2, "both switches")
    visitor.js("document.querySelector('[data-rule=third] .grip').focus()")
    visitor.press(Keys.HOME)
    visitor.wait(lambda: order(visitor)[0] == "third", "the new order")
    visitor.click("Save")
    visitor.gone(form)
    assert order(visitor) == ["third", "first", "renamed"]
    visitor.check()
