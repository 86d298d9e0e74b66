"""Spans and metrics of exchanges by OpenTelemetry, for those who ask for them.

Nothing here imports OpenTelemetry before it has been asked for: it is an extra, and takes time to
load. An exchange is told of when it has ended, in the thread that writes the ledger.
"""

from addon.telemetry.observation import Attempted, Content, Observation
from addon.telemetry.opening import Telemetry, open_telemetry
from addon.telemetry.settings import TelemetrySettings, read_telemetry_settings
from addon.telemetry.trace_context import Trace, outgoing_headers, trace_of

__all__ = [
    "Attempted",
    "Content",
    "Observation",
    "Telemetry",
    "TelemetrySettings",
    "Trace",
    "open_telemetry",
    "outgoing_headers",
    "read_telemetry_settings",
    "trace_of",
]
