"""The ledger: one record of every exchange, kept in a file and written as JSON lines."""

from addon.ledger.bodies import Bodies, read_bodies
from addon.ledger.database import Limits
from addon.ledger.following import Follower
from addon.ledger.journal import left_records
from addon.ledger.ledger import Completion, Ledger, UnderWay
from addon.ledger.moments import moment, starts
from addon.ledger.reading import Cursor, Names, Reader, Spent
from addon.ledger.record import COLUMNS, Record, timestamp
from addon.ledger.selection import Selection, Verdict
from addon.ledger.store import INTERRUPTED
from addon.ledger.totals import GROUPINGS, Grouping, Point, Step, Totals, Trouble, UsageRow

__all__ = [
    "COLUMNS",
    "GROUPINGS",
    "INTERRUPTED",
    "Bodies",
    "Completion",
    "Cursor",
    "Follower",
    "Grouping",
    "Ledger",
    "Limits",
    "Names",
    "Point",
    "Reader",
    "Record",
    "Selection",
    "Spent",
    "Step",
    "Totals",
    "Trouble",
    "UnderWay",
    "UsageRow",
    "Verdict",
    "left_records",
    "moment",
    "read_bodies",
    "starts",
    "timestamp",
]
