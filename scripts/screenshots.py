"""Take the pictures that the documentation shows: `python -m scripts.screenshots`.

It needs Chromium; see `tests/support/browser.py`. They go to `docs/pictures`, and
nothing is called outside this machine.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from scripts import dashboard_screenshots
from tests.support.browser import missing, start

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SUBJECTS = (dashboard_screenshots,)
"""Modules with a function `take(browser, folder)`, which returns the pictures it has taken."""


def main() -> None:
    """Take all pictures and say where they are."""
    if absent := missing():
        raise SystemExit(absent)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = start(Path(profile))
        try:
            for subject in SUBJECTS:
                browser.forget()
                for picture in subject.take(browser, PICTURES):
                    print(f"{picture} ({picture.stat().st_size // 1000} kB)")
        finally:
            browser.driver.quit()


if __name__ == "__main__":
    main()
