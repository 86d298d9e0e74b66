"""JSON for people: indented, with long strings shortened, and never longer than a page."""

from __future__ import annotations

from typing import Any, cast

from addon.views.page import Page, shorten, size
from addon.wire.codec import decode, encode_text

LARGEST = 16 << 20
"""Bytes that are read as JSON; what is larger shows as it is, shortened."""
LONGEST_STRING = 4000
DEEPEST = 60
"""Levels; what lies deeper is written in one line."""
SHORT = 72
"""Characters of a value that is written in one line."""


def pretty(body: bytes) -> str:
    """Write a body: as JSON where it is that, else as the text it is."""
    page = Page()
    write_body(page, body)
    return page.write()


def write_body(page: Page, body: bytes, indent: int = 0) -> None:
    """Add a body to a page."""
    if len(body) <= LARGEST:
        try:
            value = decode(body)
        except ValueError:
            pass
        else:
            _write(page, value, indent, "", "")
            return
    page.add(raw_text(body), indent)


def raw_text(body: bytes) -> str:
    """Write bytes that are no JSON: as text where they are that."""
    start = body[:4096]
    if b"\0" in start or start.decode("utf-8", "replace").count("\ufffd") > len(start) // 20 + 1:
        return f"[{size(len(body))} that are no text]"
    if len(body) > 4 * LONGEST_STRING:
        left_out = f"\n[... {size(len(body) - 2 * LONGEST_STRING)} left out ...]\n".encode()
        body = body[:LONGEST_STRING] + left_out + body[-LONGEST_STRING:]
    return body.decode("utf-8", "replace")


def _write(page: Page, value: Any, indent: int, before: str, after: str) -> None:  # noqa: ANN401 - JSON has no narrower type
    if page.full:
        page.add()
        return
    match value:
        case dict() if value and not _is_short(cast("dict[str, Any]", value), indent):
            members = cast("dict[str, Any]", value)
            page.add(f"{before}{{", indent)
            for place, (name, member) in enumerate(members.items(), 1):
                comma = "," if place < len(members) else ""
                _write(page, member, indent + 2, f"{_string(name)}: ", comma)
            page.add(f"}}{after}", indent)
        case list() if value and not _is_short(cast("list[Any]", value), indent):
            items = cast("list[Any]", value)
            page.add(f"{before}[", indent)
            for place, item in enumerate(items, 1):
                _write(page, item, indent + 2, "", "," if place < len(items) else "")
            page.add(f"]{after}", indent)
        case str():
            page.add(f"{before}{_string(value)}{after}", indent)
        case _:
            page.add(f"{before}{_one_line(value)}{after}", indent)


def _is_short(value: dict[str, Any] | list[Any], indent: int) -> bool:
    """Tell whether a value goes in one line: it is small, or lies too deep to be indented."""
    if indent > 2 * DEEPEST:
        return True
    members: list[Any] = [*value.values()] if isinstance(value, dict) else value
    if len(value) > 8 or any(
        isinstance(member, dict | list) and bool(cast("list[Any]", member)) for member in members
    ):
        return False
    return sum(len(member) if isinstance(member, str) else 4 for member in members) < SHORT


def _one_line(value: object) -> str:
    try:
        return shorten(encode_text(value), LONGEST_STRING)
    except (OverflowError, RecursionError):  # numbers beyond 64 bits, or very many levels
        return shorten(repr(value), LONGEST_STRING) if isinstance(value, int) else "[...]"


def _string(value: str) -> str:
    if len(value) > LONGEST_STRING:
        left_out = f"[... {len(value) - LONGEST_STRING:,} characters left out ...]"
        value = f"{value[: LONGEST_STRING - 200]}{left_out}{value[-200:]}"
    return encode_text(value)
