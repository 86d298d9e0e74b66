"""Somebody who uses the dashboard of a live Detour in a real browser, and an agent beside it."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.webelement import WebElement

from addon.embedded import EmbeddedProvider
from tests.support.browser import Browser
from tests.support.program import AGENT_KEY, DETOUR, PROVIDER_KEY, Machine, listening_at

PATIENCE = 30.0
STEP = 0.03
DASHBOARD = "The dashboard is at "
LOG = "proxy.log"
RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  # the small ones
  - name: small models
    when: {{model: "*-mini"}}
    use: anthropic:claude-haiku-5-5
  - name: everything
    use: anthropic:claude-sonnet-5-5
default: block
"""
WATCH_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
NAMED = """
const [selector, name] = arguments;
const told = (element) => [
  element.getAttribute("aria-label"), element.textContent, element.title,
  ...[...(element.labels ?? [])].map((label) => label.textContent),
].map((text) => text?.trim().replace(/\\s+/g, " "));
return [...document.querySelectorAll(selector)]
  .filter((element) => element.checkVisibility() && told(element).includes(name));
"""


def rules_for(provider: EmbeddedProvider, rules: str = RULES) -> str:
    """Write a rules file; `{url}` and `{key}` in it stand for a provider and its key."""
    return rules.format(url=provider.base_url, key=PROVIDER_KEY)


class Visitor:
    """Finds things by the names that people see or hear, and waits for what is to come."""

    def __init__(self, browser: Browser, url: str, proxy: str, machine: Machine) -> None:
        self.browser = browser
        self.driver = browser.driver
        self.url = url
        self.origin = url.partition("/detour/")[0]
        self.machine = machine
        self._proxy = proxy

    # The page

    def open(self, page: str = "live") -> None:
        """Go to a page, by loading the whole dashboard anew."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.origin}/detour/#/{page}")
        self.see(".page h1")

    def enter(self) -> None:
        """Let the browser in again, which has forgotten the cookie, without loading a page."""
        for cookie in httpx2.get(self.url, trust_env=False).cookies.jar:
            known = {"name": cookie.name, "value": cookie.value, "url": self.origin}
            self.driver.execute_cdp_cmd("Network.setCookie", known)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until something is true, and return it."""
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(StaleElementReferenceException):
                if found := condition():
                    return found
            if time.monotonic() > end:
                raise AssertionError(
                    f"waited in vain for {what or condition}\n{self.text()[:2000]}"
                )
            time.sleep(STEP)

    def text(self, selector: str = "body") -> str:
        """Return what can be read in an element."""
        return self.js(
            "return document.querySelector(arguments[0])?.innerText.replace(/\\s+/g, ' ') ?? ''",
            selector,
        )

    def see(self, selector: str, words: str = "") -> WebElement:
        """Wait until an element is there whose text holds some words."""
        script = """
        return [...document.querySelectorAll(arguments[0])].find((element) =>
          (element.innerText ?? "").replace(/\\s+/g, " ").includes(arguments[1]))
        """
        return self.wait(lambda: self.js(script, selector, words), f"{selector} with {words!r}")

    def gone(self, selector: str) -> None:
        """Wait until there is no such element."""
        self.wait(lambda: not self.count(selector), f"the end of {selector}")

    def count(self, selector: str) -> int:
        """Return how many there are."""
        return self.js("return document.querySelectorAll(arguments[0]).length", selector)

    def named(self, selector: str, name: str) -> WebElement:
        """Wait for an element by its name: its label, its text or its `aria-label`."""
        return self.wait(
            lambda: next(iter(self.js(NAMED, selector, name)), None), f"{selector} named {name!r}"
        )

    def settle(self) -> None:
        """Wait until nothing is fetched or moved any more."""
        fetched = "return performance.getEntriesByType('resource').length"
        counts: list[int] = []

        def still() -> bool:
            time.sleep(0.3)
            counts.append(self.js(fetched))
            return counts[-2:] == [counts[-1]] * 2

        self.wait(still, "rest")

    # What people do

    def click(self, name: str, selector: str = "button, a, [role=tab], summary") -> None:
        """Click on what has this name."""
        self._click(self.named(selector, name))

    def _click(self, element: WebElement) -> None:
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def fill(self, label: str, text: str, within: str = "") -> None:
        """Type into a field, in place of what is there."""
        field = self.named(f"{within} :is(input, textarea)", label)
        self._click(field)
        field.send_keys(Keys.CONTROL, "a", Keys.NULL)
        field.send_keys(text or Keys.DELETE)

    def tick(self, name: str, within: str = "") -> None:
        """Click on a box to be ticked, a switch or a segment."""
        box = self.named(f"{within} :is(input[type=checkbox], input[type=radio])", name)
        self.js("arguments[0].scrollIntoView({block: 'center'})", box)
        ActionChains(self.driver).move_to_element(box).click().perform()

    def choose(self, label: str, value: str) -> None:
        """Choose from a drop-down by value."""
        drop_down = self.named("select", label)
        self.wait(lambda: value in self.options(label), f"{value} in {label}")
        self._click(drop_down)
        option = next(
            each
            for each in drop_down.find_elements("css selector", "option")
            if each.get_attribute("value") == value
        )
        option.click()

    def options(self, label: str) -> list[str]:
        """Return the values of a drop-down that can be chosen."""
        script = """
        return [...arguments[0].options].filter((option) =>
          !option.disabled && !option.parentElement.disabled).map((option) => option.value)
        """
        return self.js(script, self.named("select", label))

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def drag(self, source: WebElement, target: WebElement, offset: int) -> None:
        """Drag one element to another, that many pixels below its middle."""
        actions = ActionChains(self.driver, duration=40)
        actions.move_to_element(source).click_and_hold().move_by_offset(0, 5)
        actions.move_to_element_with_offset(target, 0, offset).pause(0.05).release().perform()

    # Around the page

    @contextlib.contextmanager
    def agent(self) -> Iterator[openai.OpenAI]:
        """Give an unmodified openai client that goes through the proxy."""
        authority = self.machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
        trusted = ssl.create_default_context(cafile=str(authority))
        with (
            httpx2.Client(proxy=f"http://{self._proxy}", verify=trusted, trust_env=False) as http,
            openai.OpenAI(api_key=AGENT_KEY, http_client=http, max_retries=0) as client,
        ):
            yield client

    def ask(self, model: str = "gpt-5", text: str = "[[say Good morning]]", **more: Any) -> str:
        """Let the agent ask something, and return the answer."""
        with self.agent() as client:
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": text}], **more
            )
        return answer.choices[0].message.content or ""

    @property
    def rules(self) -> str:
        """The rules file as it is."""
        return (self.machine.folder / "rules.yaml").read_text()

    @rules.setter
    def rules(self, text: str) -> None:
        (self.machine.folder / "rules.yaml").write_text(text)

    @property
    def log(self) -> str:
        """What Detour has logged so far."""
        return (self.machine.folder / LOG).read_text()

    def explain(self, *arguments: str) -> str:
        """Return what `detour explain` says."""
        return self.machine.run("explain", *arguments).stdout

    # What must always hold

    def overflow(self) -> int:
        """Return how many pixels the page is wider than what is seen of it."""
        return self.js("return document.documentElement.scrollWidth - innerWidth")

    def check(self, *, refused: bool = False) -> None:
        """See that the page has kept to itself and has not failed.

        Args:
            refused: Whether the server was meant to refuse something, of which browsers speak.
        """
        script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        elsewhere = [name for name in self.js(script) if not name.startswith(f"{self.origin}/")]
        assert elsewhere == []
        assert self.js("return window.violations") == []
        errors = self.browser.errors()
        if refused:
            errors = [error for error in errors if "Failed to load resource" not in error]
        assert errors == []


@contextlib.contextmanager
def visiting(
    browser: Browser, folder: Path, rules: str, *options: str, ui: str = "dump", **variables: str
) -> Iterator[Visitor]:
    """Run `detour serve` and enter its dashboard with the address that it prints.

    Args:
        browser: Who looks.
        folder: For home and rules.
        rules: The rules file.
        options: More options of `detour serve`.
        ui: mitmproxy's face.
        variables: More of Detour's environment.
    """
    machine = Machine(folder / "home", folder / "work")
    for place in (machine.home, machine.folder):
        place.mkdir(exist_ok=True)
    (machine.folder / "rules.yaml").write_text(rules)
    more = ("web_open_browser=false",) if ui == "web" else ("flow_detail=0",)
    chosen = ("--ui", ui, "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0", *options)
    with (machine.folder / LOG).open("w") as log:
        process = subprocess.Popen(
            [*DETOUR, "serve", *chosen, "--", "--set", *more],
            cwd=machine.folder,
            env=machine.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            proxy = listening_at(process)
            assert process.stdout
            url = next(line for line in process.stdout if line.startswith(DASHBOARD))
            visitor = Visitor(browser, url.removeprefix(DASHBOARD).strip(), proxy, machine)
            command = {"source": WATCH_VIOLATIONS}
            added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", command)
            browser.driver.get(visitor.url)
            try:
                yield visitor
            finally:
                with contextlib.suppress(WebDriverException):
                    browser.driver.get("about:blank")
                browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()
                assert process.stdout
                process.stdout.close()
    assert "Traceback" not in visitor.log, visitor.log
