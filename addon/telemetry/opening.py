"""Start telemetry, where it is wanted."""

from __future__ import annotations

from typing import Protocol

from addon.ledger import Record
from addon.optional_packages import not_installed
from addon.telemetry.observation import Observation
from addon.telemetry.settings import TelemetrySettings


class Telemetry(Protocol):
    """Takes what is told of exchanges."""

    def observe(self, record: Record, observation: Observation) -> None:
        """Tell of an exchange that has ended; called by one thread, never raises."""
        ...

    def let_go(self) -> None:
        """Leave the ports that are listened on to somebody else."""
        ...

    def close(self) -> None:
        """Send what is left, within a deadline."""
        ...


def open_telemetry(settings: TelemetrySettings) -> Telemetry | None:
    """Start what the settings ask for; None where that is nothing.

    Raises:
        ValueError: It cannot be: a package is missing, or a port is taken. The text says what to
            do.
    """
    if not settings.wanted:
        return None
    try:
        from addon.telemetry.exporting import Exporting
    except ModuleNotFoundError:
        raise ValueError(f"telemetry cannot start: {not_installed('opentelemetry')}") from None
    return Exporting(settings)
