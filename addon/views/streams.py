"""The view "Detour streams": what the provider sent and what the agent got, side by side in time.

Bytes are cut where they came, so an event may stand in two rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.views.columns import write_columns
from addon.views.metadata import STREAMS, Kept, content_of
from addon.views.page import Page, shorten, size
from addon.views.timeline import Timeline, unpack
from addon.views.view import NOT_OURS, DetourView

WIDTH = 40
"""Characters of a column."""
LONGEST_PIECE = 8000
"""Characters of one piece that are shown."""
MOST_ROWS = 1500
_NOTES = {
    "pass": "# The agent got what the provider sent.",
    "answer": "# Detour itself gave this answer.",
}
NOTHING = "Nothing of the answer has come yet, or nothing was kept of it."


class StreamsView(DetourView):
    """Shows both streams as they came, a row for each moment."""

    title = "Detour streams"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write both streams."""
        del data, metadata
        if not kept.action:
            return NOT_OURS
        timeline = unpack(flow.metadata.get(STREAMS), content_of(flow.response))
        if not timeline.provider and not timeline.agent:
            return NOTHING
        return _write(timeline, kept)


class _Row:
    """What came at one moment."""

    def __init__(self, time: int, note: str = "") -> None:
        self.time = time
        self.note = note
        self.provider: list[bytes] = []
        self.agent: list[bytes] = []


def _write(timeline: Timeline, kept: Kept) -> str:
    page = Page()
    passes = kept.action == "pass"
    page.add("# Seconds from the request's arrival; each row is what came in one go.")
    page.add("# Where a line begins as the one before in its column did, [...] stands for that.")
    if kept.action in _NOTES:
        page.add(_NOTES[kept.action])
    elif not timeline.provider:
        page.add("# Nothing was kept of what the provider sent.")
    page.add()
    left, right = _headings(kept)
    write_columns(page, [left], [right], WIDTH, before="seconds  ")
    page.add("-" * (9 + 2 * WIDTH + 3))
    rows = [*_rows(timeline, passes=passes)]
    provider, agent = _Column(), _Column()
    for place, row in enumerate(rows):
        if place == MOST_ROWS:
            page.add(f"[... {len(rows) - place:,} more rows ...]")
            break
        if row.note:
            page.add(f"{row.time / 1000:7.3f}  {row.note}")
            continue
        before = f"{row.time / 1000:7.3f}  "
        left_lines, right_lines = provider.lines(row.provider), agent.lines(row.agent)
        write_columns(page, left_lines, right_lines, WIDTH, before=before, ends=", ")
    return page.write()


def _headings(kept: Kept) -> tuple[str, str]:
    """Say whose streams the columns show."""
    left = kept.target or "provider"
    left = f"{left} ({kept.format})" if kept.format else left
    right = f"agent ({kept.agent_format})" if kept.agent_format else "agent"
    match kept.action:
        case "pass":
            return left, "as on the left"
        case "answer":
            return "", right
        case _:
            return left, right


def _rows(timeline: Timeline, *, passes: bool) -> Iterator[_Row]:
    """Put into a row what a piece of the provider's stream has led to."""
    moments = [*_moments(timeline, passes=passes)]
    row: _Row | None = None
    for time, _, kind, content in moments:
        if kind == "note":
            if row is not None:
                yield row
            row = None
            yield _Row(time, content.decode())
            continue
        if row is None or (kind == "provider" and (row.provider or row.agent)):
            if row is not None:
                yield row
            row = _Row(time)
        elif kind == "agent" and time - row.time > _SAME_MOMENT:
            yield row
            row = _Row(time)
        (row.provider if kind == "provider" else row.agent).append(content)
    if row is not None:
        yield row


type _Moment = tuple[int, int, str, bytes]
"""Milliseconds, what comes first of the same moment, what it is, and the bytes or a note."""
_DATA = "data: "
_WORTH_IT = 24
"""Characters from which on it shortens a line to leave out what it repeats."""
_SAME_MOMENT = 5
"""Milliseconds within which what the agent got belongs to what the provider sent."""


def _moments(timeline: Timeline, *, passes: bool) -> list[_Moment]:
    found: list[_Moment] = []
    for take in timeline.takes:
        note = f"-- {take.target} answers with status {take.status} ({take.format})"
        found.append((take.time, 0, "note", note.encode()))
    ours = timeline.agent if passes else timeline.provider
    found += ((piece.time, 1, "provider", piece.data) for piece in ours)
    if timeline.left_out and timeline.resumes < len(ours):
        note = f"-- {size(timeline.left_out)} of the provider's stream were not kept"
        found.append((ours[timeline.resumes].time, 0, "note", note.encode()))
    if not passes:
        found += ((piece.time, 2, "agent", piece.data) for piece in timeline.agent)
    return sorted(found, key=lambda moment: moment[:2])


class _Column:
    """Writes what came, without what each event of a stream repeats of the one before."""

    def __init__(self) -> None:
        self._before = ""

    def lines(self, pieces: Sequence[bytes]) -> list[str]:
        """Return the lines of a row."""
        data = b"".join(pieces)
        if b"\0" in data:
            return [f"[{size(len(data))} that are no text]"]
        told = data.decode("utf-8", "replace").strip("\r\n")
        lines = told.replace("\r\n", "\n").split("\n")
        return shorten(
            "\n".join(self._abridge(line) for line in lines if line), LONGEST_PIECE
        ).split("\n")

    def _abridge(self, line: str) -> str:
        if not line.startswith(_DATA):
            return line
        before, self._before = self._before, line
        common = _common(before, line)
        start = max(line.rfind(",", 0, common), line.rfind("{", 0, common)) + 1
        return f"{_DATA}[...]{line[start:]}" if start > _WORTH_IT else line


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least
