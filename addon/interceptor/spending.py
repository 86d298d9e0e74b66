"""Counts what the calls of each rule use, so that limits hold.

The counters begin with what the ledger holds, so that a restart forgets nothing, and are kept in
memory from then on. A call counts as a request from the moment it is let through, and with its
tokens and its cost when they are known. Processes that share a home folder each count their own
calls, and those of the others up to their own start.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from addon.ledger import Reader, Record
from addon.rules import Excess, Limit, Rule, Rules, Used

logger = logging.getLogger(__name__)

type Counter = dict[str | None, Used]
"""What each agent has used of a rule in one period."""
type Place = tuple[str, float]
"""The name of a rule and the start of a period."""


class Admission:
    """One call that was let through."""

    def __init__(self, entries: list[Used], lock: threading.Lock) -> None:
        self._entries = entries
        self._lock = lock

    def settle(self, record: Record) -> None:
        """Add what the call has used, once it is known, from whichever thread."""
        with self._lock:
            for entry in self._entries:
                entry.tokens += (record.input_tokens or 0) + (record.output_tokens or 0)
                entry.cost_usd += record.cost_usd or 0.0
            self._entries = []


class Spending:
    """Knows what is left of each limit."""

    def __init__(
        self, home: Path, flush: Callable[[], None], now: Callable[[], float] = time.time
    ) -> None:
        """Begin to count.

        Args:
            home: The folder of the ledger.
            flush: Waits until all that has ended is in the ledger.
            now: Tells the time, in seconds since 1970.
        """
        self._home = home
        self._flush = flush
        self._now = now
        self._counters: dict[Place, Counter] = {}
        self._loading = asyncio.Lock()
        self._lock = threading.Lock()

    async def prepare(self, rules: Rules) -> None:
        """Find out what has been used in the current periods, where that is not known yet."""
        if not rules.limited or not self._missing(rules):
            return
        async with self._loading:
            missing = self._missing(rules)
            if missing:
                await asyncio.to_thread(self._flush)
            for rule, start in missing:
                counter = await asyncio.to_thread(self._read, rule, start)
                self._counters[rule, start] = counter

    def excess(self, rule: Rule, agent: str | None) -> Excess | None:
        """Return the limit that leaves nothing to the next call, if there is one."""
        now = self._now()
        with self._lock:
            for limit in rule.limits:
                window = limit.window(now)
                used = self._used(rule.name, window.start, limit, agent)
                if limit.reached(used) is not None:
                    return Excess(
                        limit=limit,
                        rule=rule.name,
                        agent=agent if limit.by_agent else None,
                        used=used,
                        until=window.end,
                        now=now,
                    )
        return None

    def admit(self, rule: Rule, agent: str | None) -> Admission | None:
        """Let a call through and count it; None where a limit leaves nothing to it any more."""
        if self.excess(rule, agent) is not None:
            return None
        now = self._now()
        entries: list[Used] = []
        with self._lock:
            for start in {limit.window(now).start for limit in rule.limits}:
                entry = self._counters.setdefault((rule.name, start), {}).setdefault(agent, Used())
                entry.requests += 1
                entries.append(entry)
        return Admission(entries, self._lock)

    def _used(self, rule: str, start: float, limit: Limit, agent: str | None) -> Used:
        counter = self._counters.get((rule, start), {})
        if limit.by_agent:
            return counter.get(agent) or Used()
        total = Used()
        for used in counter.values():
            total.requests += used.requests
            total.tokens += used.tokens
            total.cost_usd += used.cost_usd
        return total

    def _missing(self, rules: Rules) -> set[Place]:
        now = self._now()
        places = {
            (rule.name, limit.window(now).start) for rule in rules.limited for limit in rule.limits
        }
        return places - self._counters.keys()

    def _read(self, rule: str, start: float) -> Counter:
        try:
            reader = Reader(self._home)
        except FileNotFoundError:
            return {}
        except sqlite3.Error as error:
            return self._complain(rule, error)
        try:
            rows = reader.used(rule, start)
        except sqlite3.Error as error:
            return self._complain(rule, error)
        finally:
            reader.close()
        return {
            agent: Used(
                requests=row.requests,
                tokens=row.input_tokens + row.output_tokens,
                cost_usd=row.cost_usd or 0.0,
            )
            for agent, row in rows.items()
        }

    def _complain(self, rule: str, error: Exception) -> Counter:
        logger.warning(
            "What the rule %s has used so far cannot be read (%s): its limit counts from now on.",
            rule,
            error,
        )
        return {}
