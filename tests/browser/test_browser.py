"""What the browser of the tests promises to the tests that use it."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support import browser as support
from tests.support.browser import DESKTOP, PHONE

MEASURES = "return [innerWidth, innerHeight]"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(tmp_path):
    """Serve a page; its address."""
    (tmp_path / "index.html").write_text(
        '<!doctype html><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width"><p>Good morning</p>'
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


def test_a_page_is_as_wide_as_asked(browser, page):
    browser.driver.get(page)
    assert tuple(browser.driver.execute_script(MEASURES)) == DESKTOP
    browser.resize(PHONE)
    assert tuple(browser.driver.execute_script(MEASURES)) == PHONE
    browser.driver.get(page)
    assert tuple(browser.driver.execute_script(MEASURES)) == PHONE


def test_errors_of_the_console_are_collected(browser, page):
    browser.driver.get(page)
    assert browser.errors() == []
    browser.driver.execute_script("console.error('the sky falls'); console.log('not really')")
    assert len(browser.errors()) == 1
    assert "the sky falls" in browser.errors()[0]


def test_a_browser_forgets(browser, page):
    browser.driver.get(page)
    browser.driver.execute_script(
        "localStorage.a = 1; document.cookie = 'b=2; max-age=900'; console.error('c')"
    )
    browser.driver.switch_to.new_window("tab")
    browser.resize(PHONE)
    browser.colors("dark")
    browser.driver.switch_to.window(browser.driver.window_handles[0])
    browser.forget()
    assert browser.errors() == []
    browser.driver.get(page)
    known = "return [localStorage.length, document.cookie, document.body.innerText]"
    assert browser.driver.execute_script(known) == [0, "", "Good morning"]
    assert tuple(browser.driver.execute_script(MEASURES)) == DESKTOP
    assert len(browser.driver.window_handles) == 1


def test_colors_are_those_that_the_user_prefers(browser, page):
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    browser.driver.get(page)
    assert not browser.driver.execute_script(dark)
    browser.colors("dark")
    assert browser.driver.execute_script(dark)


def test_a_screenshot_is_a_png(browser, page, tmp_path):
    browser.driver.get(page)
    picture = browser.screenshot(tmp_path / "new" / "picture.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_a_browser_tests_skip_and_say_why(tmp_path):
    absent = {"DETOUR_CHROMIUM": "/no/chromium", "DETOUR_CHROMEDRIVER": "/no/chromedriver"}
    arguments = ["-q", "-rs", "-p", "no:cacheprovider", "-k", "png", str(Path(__file__))]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env={**os.environ, **absent},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "no browser to test in: /no/chromium and /no/chromedriver not found" in run.stdout


def test_the_browser_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(support, "CHROMIUM", tmp_path / "chromium")
    monkeypatch.setattr(support, "CHROMEDRIVER", tmp_path)
    assert support.missing() == f"no browser to test in: {tmp_path / 'chromium'} not found"
