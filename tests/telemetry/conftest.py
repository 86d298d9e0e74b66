"""Nothing of the machine's own telemetry settings reaches these tests."""

import os

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.collector import running_collector


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def collector():
    with running_collector() as running:
        yield running


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running
