"""Where telemetry goes, as people say it."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

_OFF = ("", "off")
_STANDARD = "otlp"
_LOOPBACK = "127.0.0.1"


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is exported, and where to."""

    sends: bool = False
    """Whether spans and metrics are sent by OTLP."""
    endpoint: str | None = None
    """Where to, without `/v1/traces`; None: where the variables `OTEL_EXPORTER_OTLP_...` say."""
    prometheus: tuple[str, int] | None = None
    """Host and port at which Prometheus finds the metrics; port 0: any."""
    content: bool = False
    """Whether prompts and answers go along."""

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.sends or self.prometheus is not None


def read_telemetry_settings(target: str, prometheus: str, content: str) -> TelemetrySettings:
    """Read the three options, each as text.

    Raises:
        ValueError: One cannot be understood; the text begins with the name of the option.
    """
    if content not in ("true", "false"):
        raise ValueError(
            f"detour_telemetry_with_prompts_and_answers must be true or false, not {content!r}"
        )
    return TelemetrySettings(
        sends=target not in _OFF,
        endpoint=_endpoint(target) if target not in (*_OFF, _STANDARD) else None,
        prometheus=_address(prometheus) if prometheus not in _OFF else None,
        content=content == "true",
    )


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            "detour_telemetry must be off, otlp (where OTEL_EXPORTER_OTLP_ENDPOINT says) or the "
            "address of a collector, such as http://127.0.0.1:4318"
        )
    return text.rstrip("/")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(
            f"detour_prometheus must be off, a port or HOST:PORT, such as 9464, not {text!r}"
        )
    return host.strip("[]") or _LOOPBACK, int(port)
