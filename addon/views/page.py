"""Text of bounded length: what does not fit is left out, and that is said."""

from __future__ import annotations

MOST = 200_000
"""Characters of a view."""
LONGEST_TEXT = 20_000
"""Characters of one text within it."""
WIDTH = 76
"""Characters of a line of prose: what mitmweb has room for in a window of usual size."""


def shorten(text: str, most: int = LONGEST_TEXT) -> str:
    """Return a text, of a long one the beginning and the end."""
    if len(text) <= most:
        return text
    head = most * 3 // 4
    tail = most - head
    left_out = len(text) - most
    return f"{text[:head]}\n[... {left_out:,} characters left out ...]\n{text[-tail:]}"


def size(count: int) -> str:
    """Write a number of bytes for people: `820 bytes`, `1.2 kB`, `3.4 MB`."""
    if count < 1000:
        return f"{count} bytes"
    if count < 999_950:
        return f"{count / 1000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"


def wrap(line: str, width: int, ends: str = " ") -> list[str]:
    """Cut a line into pieces of at most that many characters.

    Args:
        line: What is to be cut.
        width: Characters of a piece.
        ends: Characters after which to cut, best ones first, where one is near.
    """
    if len(line) <= width:
        return [line]
    pieces: list[str] = []
    start = 0
    while len(line) - start > width:
        middle, latest = start + width // 2, start + width
        cuts = (line.rfind(end, middle, latest) + 1 for end in ends)
        end = next((cut for cut in cuts if cut), latest)
        pieces.append(line[start:end])
        start = end
    return [*pieces, line[start:]]


class Page:
    """Gathers lines up to a bound."""

    def __init__(self, most: int = MOST) -> None:
        self._lines: list[str] = []
        self._room = most
        self._left_out = 0

    @property
    def full(self) -> bool:
        """Whether nothing more goes in."""
        return self._room <= 0

    @property
    def used(self) -> int:
        """Lines so far."""
        return len(self._lines)

    def add(self, text: str = "", indent: int = 0) -> None:
        """Add a line, or several."""
        for line in text.splitlines() or [""]:
            if self._room <= 0:
                self._left_out += 1
                continue
            self._room -= len(line) + indent + 1
            # mitmweb would give an empty line no height.
            self._lines.append(" " * indent + line if line else " ")

    def add_prose(self, text: str, indent: int = 0) -> None:
        """Add lines that are broken where they are too long, for mitmweb does not wrap them."""
        for line in text.splitlines():
            for piece in wrap(line, WIDTH - indent):
                self.add(piece, indent)

    def write(self) -> str:
        """Return the text, and say what is missing."""
        if self._left_out:
            return "\n".join([*self._lines, f"[... {self._left_out:,} more lines ...]"])
        return "\n".join(self._lines).rstrip()
