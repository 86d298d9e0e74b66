"""The file of the ledger: its name, its table and what makes finding fast in it."""

from __future__ import annotations

from addon.ledger.record import COLUMNS

FILE_NAME = "detour.db"

FAILED = "(error IS NOT NULL OR coalesce(status, 0) >= 400)"
"""Exchanges that went wrong. An index has the same words, without which it would not be used."""
LOSSY = "losses <> '[]'"
"""Exchanges of which a translation could not keep everything."""

_TYPES = {
    "stream": "INTEGER NOT NULL",
    "status": "INTEGER",
    "first_byte_ms": "REAL",
    "first_token_ms": "REAL",
    "duration_ms": "REAL",
    "cost_usd": "REAL",
    **{name: "INTEGER" for name in COLUMNS if name.endswith("_tokens")},
}
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS exchanges (
    {", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in COLUMNS)}
);
CREATE INDEX IF NOT EXISTS exchanges_by_time ON exchanges (time);
CREATE INDEX IF NOT EXISTS exchanges_by_id ON exchanges (id);
CREATE INDEX IF NOT EXISTS exchanges_by_agent ON exchanges (agent, time);
CREATE INDEX IF NOT EXISTS exchanges_by_rule ON exchanges (rule, time);
CREATE INDEX IF NOT EXISTS exchanges_by_model ON exchanges (actual_provider, model, time);
CREATE INDEX IF NOT EXISTS exchanges_that_failed ON exchanges (time) WHERE {FAILED};
CREATE INDEX IF NOT EXISTS exchanges_with_losses ON exchanges (time) WHERE {LOSSY};
CREATE TABLE IF NOT EXISTS running (owner TEXT, id TEXT, record TEXT);
CREATE INDEX IF NOT EXISTS running_by_owner ON running (owner, id);
"""
"""Beside the records: which exchanges are under way, so that a process that is killed leaves none
untold."""
LIST = ", ".join(COLUMNS)
_MARKS = ", ".join("?" * len(COLUMNS))
INSERT = f"INSERT INTO exchanges ({LIST}) VALUES ({_MARKS})"  # noqa: S608 - fixed names
INSERT_ONCE = f"""
INSERT INTO exchanges ({LIST}) SELECT {_MARKS}
WHERE NOT EXISTS (SELECT 1 FROM exchanges WHERE id = ? AND time = ?)
"""  # noqa: S608 - fixed names
