"""What the tests in a browser share."""

from collections.abc import Iterator

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.program import background_provider


@pytest.fixture
def provider() -> Iterator[EmbeddedProvider]:
    """Run the strict provider that answers the calls."""
    with background_provider() as running:
        yield running
