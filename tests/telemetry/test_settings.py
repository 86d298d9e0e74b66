"""How the options are read."""

import pytest

from addon.telemetry import TelemetrySettings, read_telemetry_settings


@pytest.mark.parametrize(
    ("target", "prometheus", "content", "read"),
    [
        ("off", "off", "false", TelemetrySettings()),
        ("", "", "false", TelemetrySettings()),
        ("otlp", "off", "false", TelemetrySettings(sends=True)),
        (
            "https://collector.example/otlp/",
            "off",
            "true",
            TelemetrySettings(sends=True, endpoint="https://collector.example/otlp", content=True),
        ),
        ("off", "9464", "false", TelemetrySettings(prometheus=("127.0.0.1", 9464))),
        ("off", "0.0.0.0:9464", "false", TelemetrySettings(prometheus=("0.0.0.0", 9464))),
        ("off", "[::1]:9464", "false", TelemetrySettings(prometheus=("::1", 9464))),
    ],
)
def test_what_is_said_is_meant(target, prometheus, content, read):
    assert read_telemetry_settings(target, prometheus, content) == read


@pytest.mark.parametrize(
    ("target", "prometheus", "content", "complaint"),
    [
        ("on", "off", "false", "detour_telemetry must be off, otlp"),
        ("grpc://collector:4317", "off", "false", "detour_telemetry must be"),
        ("http://", "off", "false", "detour_telemetry must be"),
        ("off", "yes", "false", "detour_prometheus must be off, a port or HOST:PORT"),
        ("off", "99999", "false", "detour_prometheus must be"),
        ("otlp", "off", "yes", "detour_telemetry_with_prompts_and_answers must be true or false"),
        ("otlp", "off", "1", "must be true or false"),
    ],
)
def test_what_cannot_be_meant_is_refused(target, prometheus, content, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_telemetry_settings(target, prometheus, content)


@pytest.mark.parametrize("settings", [TelemetrySettings(), TelemetrySettings(content=True)])
def test_content_alone_is_no_wish_for_telemetry(settings):
    assert not settings.wanted
