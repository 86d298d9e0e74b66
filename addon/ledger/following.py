"""Follows the ledger: what is recorded from now on, also when another file takes its place."""

from __future__ import annotations

from addon.ledger.reading import Reader
from addon.ledger.record import Record
from addon.ledger.selection import Selection


class Follower:
    """Returns each exchange once, in the order in which they have ended."""

    def __init__(self, reader: Reader, selection: Selection, count: int) -> None:
        """Begin to follow.

        Args:
            reader: The ledger.
            selection: Which exchanges.
            count: How many of the last ones come first.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        self._reader = reader
        self._selection = selection
        self._place = reader.end()
        self._file = reader.file
        self._first = [record for _, record in reader.last(count, selection)] if count else []

    def receive(self) -> list[Record]:
        """Return what has come since the last time.

        Raises:
            sqlite3.Error: The ledger cannot be read.
        """
        first, self._first = self._first, []
        end = self._reader.end()
        if self._reader.file != self._file or end < self._place:
            # Another file; or all that was in it has been removed, and places begin anew.
            self._file, self._place = self._reader.file, 0
        found = self._reader.after(self._place, self._selection)
        # What the selection leaves out need not be looked at again.
        self._place = max(end, found[-1][0] if found else 0)
        return [*first, *(record for _, record in found)]
