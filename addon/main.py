"""Entry for mitmproxy's own programs: `mitmweb -s addon/main.py`.

mitmproxy puts the folder of a script first on `sys.path` and leaves it there: `import addon` would
fail, and modules in this folder would shadow others of the same name everywhere. So the entry is
replaced by the folder above.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != _HERE]
sys.path.insert(0, str(_HERE.parent))

from addon.dashboard import Dashboard  # noqa: E402 - needs the path above
from addon.interceptor import Interceptor  # noqa: E402 - likewise

_interceptor = Interceptor()
addons = [_interceptor, Dashboard(_interceptor.books)]
