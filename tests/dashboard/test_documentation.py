"""docs/dashboard-api.md: its examples work, in their order, and answers look as it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from addon.dashboard.operations import ROUTER
from addon.embedded import EmbeddedProvider
from tests.dashboard.test_live import RULES, call
from tests.support.dashboard import Page, running_dashboard
from tests.support.program import ROOT
from tests.support.proxy import PROVIDER_KEY

PAGE = (ROOT / "docs" / "dashboard-api.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^### (GET|POST|PUT|PATCH|DELETE) (\S+)\n(.*?)(?=^##|\Z)", re.M | re.S)
SECTIONS = [
    (method, path, re.findall(r"^```json\n(.*?)^```", text, re.M | re.S))
    for method, path, text in _SECTION.findall(PAGE)
]
OPEN = ("headers", "body", "settings", "base_urls", "auth", "not_yet", "when", "use")
"""What holds keys of anybody's choice."""


def check_shape(told: Any, found: Any, place: str) -> None:
    """Compare which keys there are, and of which kind the values are where none is null."""
    if told is None or found is None:
        return
    assert isinstance(found, float | int if isinstance(told, float) else type(told)), place
    if isinstance(told, dict) and place.rpartition(".")[2] not in OPEN:
        assert set(told) == set(found), place
        for key, value in told.items():
            check_shape(value, found[key], f"{place}.{key}")
    elif isinstance(told, list) and told and found:
        check_shape(told[0], found[0], f"{place}[0]")


async def ask(page: Page, method: str, path: str, body: dict[str, Any]) -> Any:
    if "revision" in body:
        body["revision"] = await page.revision()
    if method == "GET":
        return await page.get(path)
    return await page.write(method, path, body)


async def test_the_examples_work_in_their_order() -> None:
    async with EmbeddedProvider() as provider:
        rules = RULES.format(url=provider.base_url, key=PROVIDER_KEY)
        rules += "intercept: [api.openai.com]\naliases: {fast: 'zai:glm-5.3'}\n"
        async with running_dashboard(rules) as (page, proxy):
            await call(proxy, "[[say hello]]", seed=7)
            await call(proxy, "[[error 529 overloaded_error]]")
            (record, *_) = (await page.get("exchanges"))["exchanges"]
            for method, path, examples in SECTIONS:
                if path == "stream":
                    continue
                body = json.loads(examples[0]) if method != "GET" else {}
                answer = await ask(page, method, path.replace("ID", record["id"]), body)
                for example in examples[method != "GET" :]:
                    check_shape(json.loads(example), answer, f"{method} {path}")


def test_every_operation_is_in_the_page() -> None:
    told = {(method, _pattern(path)) for method, path, _ in SECTIONS}
    told.discard(("GET", "stream"))
    known = {
        (method, "/".join("{}" if part.startswith("{") else part for part in parts))
        for method, parts, _ in ROUTER.routes
    }
    assert told == known


def _pattern(path: str) -> str:
    parts = path.partition("?")[0].split("/")
    named = {"move", "default", "text", "try", "key", "verify", "models", "default-model", "series"}
    return "/".join([parts[0], *(p if p in named else "{}" for p in parts[1:])])


def test_the_error_in_the_page_has_the_form_of_errors() -> None:
    (error,) = re.findall(r'^```json\n(\{"error".*?)^```', PAGE, re.M | re.S)
    assert set(json.loads(error)["error"]) == {"message", "field", "line", "column", "problems"}


@pytest.mark.parametrize("name", re.findall(r"^\| `(\w+)` \| .* \|$", PAGE, re.M))
def test_the_events_in_the_page_are_those_that_are_told(name: str) -> None:
    told = "".join(
        (ROOT / "addon" / "dashboard" / file).read_text(encoding="utf-8")
        for file in ("hub.py", "live.py", "event_stream.py")
    )
    assert f'"{name}"' in told or f"event: {name}" in told
