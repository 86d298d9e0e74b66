"""Every command of the page on telemetry does what it says, and the page names what there is."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator

import pytest

from addon.telemetry import conventions
from tests.readme.test_commands import extras_of_a_checkout
from tests.support.collector import running_collector
from tests.support.program import ROOT, background_provider
from tests.support.reader import Reader, commands, is_free

PAGE = ROOT / "docs" / "telemetry.md"
SERVE = "scripts/detour serve -- --set "
AGENT = "scripts/detour run --proxy 127.0.0.1:8080 -- python my_agent.py"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with background_provider() as provider:
        yield Reader(tmp_path_factory.mktemp("reader") / "detour", provider)


def collected(reader: Reader, command: str) -> None:
    with running_collector(4318) as collector:
        with reader.running(command):
            reader.run(AGENT)
        assert [span.name for span in collector.spans] == ["chat gpt-5", "chat claude-sonnet-5-5"]
        assert conventions.DURATION_METRIC in collector.metrics


def fetched(reader: Reader, command: str) -> None:
    with reader.running(command):
        reader.run(AGENT)
        reader.run("sleep 0.5")  # the record is written meanwhile
        (address,) = re.findall(r"`(http\S+/metrics)`", PAGE.read_text())
        with urllib.request.urlopen(address, timeout=10) as answer:
            page = answer.read().decode()
    assert "gen_ai_client_operation_duration_seconds_count" in page


WAYS = {
    "scripts/extras": extras_of_a_checkout,
    f"{SERVE}detour_telemetry=otlp": collected,
    f"{SERVE}detour_telemetry=http://127.0.0.1:4318": collected,
    f"{SERVE}detour_prometheus=9464": fetched,
}


def test_every_command_is_tried() -> None:
    assert set(WAYS) == set(commands(PAGE.read_text()))


@pytest.mark.parametrize("command", WAYS)
def test_a_command(reader: Reader, command: str) -> None:
    for port in (4318, 9464):
        if not is_free(port):
            pytest.skip(f"another program uses port {port} of this machine")
    WAYS[command](reader, command)


def test_the_page_names_every_metric() -> None:
    page = PAGE.read_text()
    metrics = {getattr(conventions, name) for name in dir(conventions) if name.endswith("_METRIC")}
    assert metrics
    assert all(f"`{metric}`" in page for metric in metrics)
