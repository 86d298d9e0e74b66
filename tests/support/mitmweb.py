"""mitmweb's pages in a real browser, as people use them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.browser import Browser

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

_CONTROL, _RELEASE, _DELETE = "\ue009", "\ue000", "\ue017"
"""Keys, in WebDriver's code."""
PATIENCE = 15.0
"""Seconds."""


def until[Found](look: Callable[[], Found], patience: float = PATIENCE) -> Found:
    """Look again and again until there is something."""
    from selenium.common.exceptions import (
        NoSuchElementException,
        StaleElementReferenceException,
    )

    deadline = time.monotonic() + patience
    while True:
        try:
            if found := look():
                return found
        except (NoSuchElementException, StaleElementReferenceException):
            pass  # the page is being drawn
        assert time.monotonic() < deadline, "it does not show"
        time.sleep(0.02)


class Mitmweb:
    """The page with the flows."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self._driver = browser.driver
        self._driver.get(address)

    def rows(self) -> list[str]:
        """Return the flows in the list, each as its text."""
        script = "return [...document.querySelectorAll('.flow-table tbody tr')].map(r=>r.innerText)"
        found: list[str] = self._driver.execute_script(script)
        return [row for row in found if row.strip()]  # the first and the last are for scrolling

    def open_flow(self, number: int = 0) -> None:
        """Choose a flow of the list, once it is there."""

        def click() -> bool:
            path = "//table[contains(@class, 'flow-table') or ancestor::*[contains(@class, "
            path += "'flow-table')]]//td[contains(@class, 'col-path')]"
            self._driver.find_elements("xpath", path)[number].click()
            return True

        until(lambda: len(self.rows()) > number and click())

    def open_tab(self, name: str) -> None:
        """Choose `Request`, `Response`, ... of the flow."""
        until(lambda: self._driver.find_element("link text", name)).click()

    def choose_view(self, name: str) -> None:
        """Choose a view in the drop-down."""
        self._choices()
        path = f"//*[contains(@class, 'dropdown-menu')]//*[normalize-space(text())='{name}']"
        until(lambda: self._driver.find_element("xpath", path)).click()
        until(lambda: self.view_name().lower() == name)

    def views(self) -> list[str]:
        """Return the names in the drop-down."""
        self._choices()
        found = self._driver.find_elements("css selector", ".dropdown-menu a")
        names = [element.text.strip() for element in found if element.text.strip()]
        self._driver.find_element("css selector", "body").click()
        return names

    def view_name(self) -> str:
        """Return the name of the view that shows."""
        return self._driver.find_element("css selector", ".contentview h5").text

    def text(self) -> str:
        """Return what the view shows."""
        return self._driver.find_element("css selector", ".contentview pre").text

    def show_content(self) -> None:
        """Scroll to what the view shows: below the headers it may be out of sight."""
        script = "document.querySelector('.contentview').scrollIntoView()"
        self._driver.execute_script(script)

    def search(self, expression: str) -> None:
        """Filter the flows."""
        box = self._box("Search")
        box.send_keys(f"{_CONTROL}a{_RELEASE}{_DELETE}")
        box.send_keys(expression)

    def command(self, line: str) -> str:
        """Run a command in the command bar, and return what that answers."""
        driver = self._driver
        if not driver.find_elements("css selector", ".command"):
            until(lambda: driver.find_element("link text", "Options")).click()
            path = "//label[contains(., 'Display Command Bar')]"
            until(lambda: driver.find_element("xpath", path)).click()
        box = until(lambda: driver.find_element("css selector", ".command-input input"))
        before = len(driver.find_elements("css selector", ".command-result > *"))
        box.send_keys(line + "\n")

        def answered() -> str:
            found = driver.find_elements("css selector", ".command-result > *")
            return found[-1].text if len(found) > before else ""

        return until(answered)

    def _choices(self) -> None:
        path = "//*[contains(@class, 'contentview')]//a[contains(., 'View:')]"
        until(lambda: self._driver.find_element("xpath", path)).click()

    def _box(self, name: str) -> WebElement:
        path = f"//input[@placeholder='{name}']"
        return until(lambda: self._driver.find_element("xpath", path))
