"""Takes the pictures of the dashboard in docs/: `python -m scripts.screenshot_dashboard`.

A Detour runs that has seen a week of calls, and Debian's Chromium looks at it (see
tests/support/browser.py). The week is made up, the same one every time; nothing is called.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from addon.ledger import Ledger, Record, timestamp
from tests.support.browser import PHONE, Browser, missing, start
from tests.support.visitor import Visitor, visiting

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESK = (1280, 800)
HOUR = 3600.0
DAYS = 7
SEED = 337
KEYS = dict.fromkeys(
    ("ANTHROPIC_API_KEY", "ZAI_API_KEY", "GEMINI_API_KEY"), "sk-0123456789abcdefghij"
)
RULES = """\
version: 1
providers:
  office-vllm:
    title: The vLLM in the office
    base_url: http://127.0.0.1:8000/v1
    formats: [openai-chat]
    api_key: none
    models: [qwen3-coder]
rules:
  - name: plan with Opus
    when: {agent: [planner, "*-architect"], model: "gpt-5*"}
    use: anthropic:claude-opus-5-5
    limit: {cost_usd: 5, per: day, by: agent}
  - name: pictures go to someone who sees
    enabled: false
    when: {has: images}
    use: google:gemini-3.8-flash
  - name: code with GLM, Claude when it is down
    when: {agent: codex}
    use: [zai:glm-5.3, anthropic:claude-sonnet-5-5]
    set: {temperature: 0.2}
  - name: small things stay in the house
    when: {model: ["gpt-*-mini", "gpt-*-nano"]}
    use: office-vllm:qwen3-coder
  - name: everything else
    when: {provider: openai}
    use: anthropic:claude-sonnet-5-5
default: pass
"""


class Kind(NamedTuple):
    """One sort of call."""

    share: int
    agent: str
    asked: str
    provider: str
    model: str
    rule: str
    tokens: int
    dollars: tuple[float, float] | None
    """For a million tokens in and out; None: nobody knows."""


KINDS = (
    Kind(
        46,
        "codex",
        "gpt-5.5",
        "zai",
        "glm-5.3",
        "code with GLM, Claude when it is down",
        42_000,
        (0.6, 2.2),
    ),
    Kind(
        12,
        "codex",
        "gpt-5.5",
        "anthropic",
        "claude-sonnet-5-5",
        "code with GLM, Claude when it is down",
        48_000,
        (0.9, 15),
    ),
    Kind(
        9, "planner", "gpt-5.5", "anthropic", "claude-opus-5-5", "plan with Opus", 26_000, (1.5, 25)
    ),
    Kind(
        22,
        "openai-python",
        "gpt-5.5-mini",
        "office-vllm",
        "qwen3-coder",
        "small things stay in the house",
        3_000,
        None,
    ),
    Kind(
        11,
        "opencode",
        "gpt-5.5",
        "anthropic",
        "claude-sonnet-5-5",
        "everything else",
        18_000,
        (0.9, 15),
    ),
)
FAILURES = (
    (529, "overloaded: Overloaded"),
    (
        429,
        "rate_limit: This request would exceed your account's rate limit. Please try again later.",
    ),
    (400, "context_length: prompt is too long: 214022 tokens > 200000 maximum"),
)
LOSSES = (
    {"field": "seed", "reason": "claude-sonnet-5-5 takes no seed", "action": "dropped"},
    {"field": "temperature", "reason": "it goes from 0 to 1 there", "action": "approximated"},
    {
        "field": "tools[3]",
        "reason": "a custom tool with a grammar, as a function with a note",
        "action": "emulated",
    },
)


def week(now: float) -> list[Record]:
    """Make up a week of calls, the oldest first."""
    chance = random.Random(SEED)
    records: list[Record] = []
    moment = now - DAYS * 24 * HOUR
    while moment < now - 20:
        at_work = 8 <= time.localtime(moment).tm_hour <= 19 or now - moment < HOUR
        moment += chance.expovariate(1 / (420 if at_work else 6000))
        records.append(call(len(records), min(moment, now - 20), chance))
    return records


def call(number: int, moment: float, chance: random.Random) -> Record:
    """Make up one call."""
    kind = chance.choices(KINDS, [kind.share for kind in KINDS])[0]
    failure = chance.choice(FAILURES) if chance.random() < 0.06 else None
    read = int(kind.tokens * chance.uniform(0.2, 1.9))
    written = int(chance.lognormvariate(5.8, 0.9))
    cost = None
    if kind.dollars and not failure:
        cost = (read * kind.dollars[0] + written * kind.dollars[1]) / 1e6
    began = chance.uniform(350, 1900)
    answer = Record(
        time=timestamp(moment),
        id=f"{number:08x}-5d1c-4e0f-9a57-0123456789ab",
        agent=kind.agent,
        endpoint="responses" if kind.agent == "codex" else "chat",
        provider="openai",
        actual_provider=kind.provider,
        requested_model=kind.asked,
        model=kind.model,
        rule=kind.rule,
        source_format="openai-responses" if kind.agent == "codex" else "openai-chat",
        target_format="anthropic" if kind.provider == "anthropic" else "openai-chat",
        stream=True,
        status=failure[0] if failure else 200,
        error=failure[1] if failure else None,
        first_byte_ms=began,
        first_token_ms=began + chance.uniform(5, 90),
        duration_ms=began + written * chance.uniform(9, 16),
        input_tokens=None if failure else read,
        cache_read_tokens=None if failure else int(read * chance.uniform(0.5, 0.96)),
        output_tokens=None if failure else written,
        cost_usd=cost,
        losses=list(LOSSES[: chance.choice((0, 0, 0, 1, 2))]),
    )
    if kind.provider == "anthropic" and kind.agent == "codex":
        tried = {
            "provider": "zai",
            "model": "glm-5.3",
            "seconds": 0.42,
            "error": "overloaded: busy",
        }
        answer.attempts = [tried, {"provider": "anthropic", "model": kind.model, "seconds": 2.1}]
        answer.losses = list(LOSSES[:2])
    return answer


def main() -> None:
    """Take all pictures, and say how large they are."""
    if absent := missing():
        raise SystemExit(absent)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = start(Path(profile))
        try:
            for picture in take(browser, PICTURES):
                print(f"{picture} ({picture.stat().st_size // 1000} kB)")
        finally:
            browser.driver.quit()


def take(browser: Browser, folder: Path) -> list[Path]:
    """Take the pictures into a folder."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        records = week(time.time())
        home = place / "home" / ".detour"
        home.mkdir(parents=True)
        ledger = Ledger(home)
        for record in records:
            ledger.add(record)
        ledger.close()
        closer = next(r for r in reversed(records) if r.attempts and not r.error)
        with visiting(browser, place, RULES, **KEYS) as visitor:
            return [
                _picture(visitor, folder / f"dashboard-{file}.png", page, **look)
                for file, page, look in (
                    ("live", "live", {}),
                    ("rules", "rules", {}),
                    ("providers", "providers", {}),
                    ("usage", "usage", {}),
                    ("troubles", "troubles", {}),
                    ("dark", f"live?id={closer.id}", {"dark": True}),
                    ("phone", "rules", {"phone": True}),
                )
            ]


def _picture(
    visitor: Visitor, path: Path, page: str, *, dark: bool = False, phone: bool = False
) -> Path:
    visitor.browser.colors("dark" if dark else "light")
    visitor.browser.resize(PHONE if phone else DESK)
    visitor.open(page)
    visitor.see(".card")
    if page == "rules" and not phone:
        visitor.fill("Agent", "codex", "form[aria-label='Try a request']")
        visitor.click("Try it")
        visitor.see("#tried")
    visitor.js("document.activeElement.blur(); scrollTo(0, 0)")
    visitor.settle()
    visitor.browser.screenshot(path)
    visitor.check()
    return path


if __name__ == "__main__":
    main()
