"""Settings that all tests share."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.browser"]

SLOW_MACHINE = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "fast", max_examples=40, deadline=None, suppress_health_check=SLOW_MACHINE
)
settings.register_profile(
    "deep", max_examples=2000, deadline=None, suppress_health_check=SLOW_MACHINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
