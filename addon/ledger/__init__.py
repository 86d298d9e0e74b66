"""The ledger: one record of every exchange, kept in a file and written as JSON lines."""

from addon.ledger.ledger import Ledger, Limits
from addon.ledger.reading import GROUPINGS, Grouping, Reader, UsageRow, moment
from addon.ledger.record import COLUMNS, Record, timestamp

__all__ = [
    "COLUMNS",
    "GROUPINGS",
    "Grouping",
    "Ledger",
    "Limits",
    "Reader",
    "Record",
    "UsageRow",
    "moment",
    "timestamp",
]
