"""Where Ollama is, by its own variable `OLLAMA_HOST`.

It is what the server listens on and what its clients call, with or without scheme, host or port:
https://github.com/ollama/ollama/blob/main/envconfig/config.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = "OLLAMA_HOST"
_USUAL_PORT = 11434
_PORTS = {"": _USUAL_PORT, "http": 80, "https": 443}
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?")
_ANYWHERE = frozenset(("", "0.0.0.0", "[::]", "[::0]"))  # noqa: S104 - what a client makes of it


def ollama_url(environment: Mapping[str, str]) -> str | None:
    """Return the address of Ollama without a path; None where the variable says nothing."""
    said = environment.get(VARIABLE, "").strip().strip("\"'")
    if not said:
        return None
    before, found, after = said.partition("://")
    scheme, rest = (before.lower(), after) if found else ("", said)
    place = rest.partition("/")[0]
    if place.count(":") > 1 and not place.startswith("["):
        place = f"[{place}]"  # an address of IPv6
    match = _HOST.fullmatch(place)
    host, port = (match["host"], match["port"]) if match else ("", None)
    if host in _ANYWHERE:
        host = "127.0.0.1"
    number = int(port) if port and port.isdecimal() and int(port) < 65536 else None
    usual = _PORTS.get(scheme, _USUAL_PORT)
    return f"{scheme or 'http'}://{host}:{usual if number is None else number}"
