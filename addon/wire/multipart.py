"""Form fields in `multipart/form-data` bodies, changed in place (RFC 7578).

Files in such a body may be large, so nothing is copied but once, and only parts' heads are read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?\bboundary=("?)(?P<text>[^";]+)\1', re.IGNORECASE
)
_LONGEST_HEAD = 4096


class Span(NamedTuple):
    """Where a field's value stands in a body."""

    start: int
    end: int


def find_field(body: bytes, content_type: str, name: str) -> Span | None:
    """Find the value of a form field; None where there is none, or the body is of another kind."""
    match = _BOUNDARY.match(content_type)
    if match is None:
        return None
    delimiter = b"--" + match["text"].strip().encode("latin-1", "replace")
    wanted = re.compile(rb'\bname="?' + re.escape(name.encode()) + rb'"?(?:;|\r\n|$)')
    position = body.find(delimiter)
    while position >= 0:
        head_start = position + len(delimiter)
        following = body.find(b"\r\n" + delimiter, head_start)
        head_end = body.find(b"\r\n\r\n", head_start, head_start + _LONGEST_HEAD)
        if following < 0 or head_end < 0:
            return None
        head = body[head_start:head_end]
        if wanted.search(head) and b"filename" not in head:
            return Span(head_end + 4, following)
        position = following + 2
    return None
