from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import gc
from addon.commands.collector import calm_collector

kept = [[] for _ in range(1000)]
before = gc.get_freeze_count()
calm_collector()
assert gc.get_freeze_count() >= before + len(kept)
assert gc.get_threshold()[0] >= 10_000
assert gc.isenabled()
"""


def test_what_the_start_has_made_is_spared_and_the_rest_is_still_collected():
    subprocess.run([sys.executable, "-c", _SCRIPT], check=True)
