"""A real browser: Debian's Chromium, driven by selenium.

`DETOUR_CHROMIUM` and `DETOUR_CHROMEDRIVER` name others. The fixtures are known to every test.
Calls block: a test whose server runs in its own event loop makes them with `asyncio.to_thread`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

CHROMIUM = Path(os.environ.get("DETOUR_CHROMIUM", "/usr/bin/chromium"))
CHROMEDRIVER = Path(os.environ.get("DETOUR_CHROMEDRIVER", "/usr/bin/chromedriver"))
DESKTOP = (1280, 900)
PHONE = (390, 844)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def missing() -> str:
    """Say which program is not there, if any."""
    absent = [str(program) for program in (CHROMIUM, CHROMEDRIVER) if not program.exists()]
    return f"no browser to test in: {' and '.join(absent)} not found" if absent else ""


class Browser:
    """A browser with one page, and what its console says."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        self._errors: list[str] = []

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page exactly these measures; a phone's width also makes it a phone's page."""
        width, height = size
        self._command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=size == PHONE,
        )

    def colors(self, scheme: Literal["light", "dark"]) -> None:
        """Let the page believe that the user prefers these colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._command("Emulation.setEmulatedMedia", features=features)

    def errors(self) -> list[str]:
        """Return what the console has told of errors since the test began."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")
        self._errors += [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
        return self._errors

    def screenshot(self, path: Path) -> Path:
        """Write what is seen as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(path)), path
        return path

    def forget(self) -> None:
        """Be as new: an empty page in light colours at a desk, without cookies and storage."""
        first, *others = self.driver.window_handles
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(first)
        origin: str = self.driver.execute_script("return location.origin")
        self.driver.get("about:blank")
        if origin.startswith("http"):
            self._command("Storage.clearDataForOrigin", origin=origin, storageTypes="all")
        self._command("Network.clearBrowserCookies")
        self.resize(DESKTOP)
        self.colors("light")
        self.errors()
        self._errors = []

    def _command(self, name: str, **parameters: Any) -> None:
        self.driver.execute_cdp_cmd(name, parameters)


def start(profile: Path) -> Browser:
    """Start Chromium with a profile folder of its own; `browser.driver.quit()` ends it."""
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    width, height = DESKTOP
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    # Given the driver's path, selenium looks for none and downloads none. Proxies are not for
    # its own driver.
    direct = {name: value for name, value in os.environ.items() if "_proxy" not in name.lower()}
    with mock.patch.dict(os.environ, direct, clear=True):
        browser = Browser(Chrome(options, Service(executable_path=str(CHROMEDRIVER))))
    browser.forget()
    return browser


@pytest.fixture(scope="session")
def started_browser() -> Iterator[Browser]:
    """Start the one Chromium of a test run."""
    if absent := missing():
        pytest.skip(absent)
    with tempfile.TemporaryDirectory(prefix="detour-browser-", ignore_cleanup_errors=True) as name:
        browser = start(Path(name))
        try:
            yield browser
        finally:
            browser.driver.quit()


@pytest.fixture
def browser(started_browser: Browser) -> Browser:
    """Give a browser that remembers nothing of earlier tests, at 1280x900."""
    started_browser.forget()
    return started_browser
