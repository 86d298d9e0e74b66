"""Counts what the calls of each rule use, so that limits hold.

A call of this process counts as a request from the moment it is let through, and with its tokens
and its cost when they are known. What other processes of the same home folder use is read from the
ledger, which each of them writes when a call has ended: as often as somebody asks, but not more
often than every `STALE` seconds, and not at all where no rule has a limit. So limits are exact
within one process, survive restarts, and hold over all processes up to the calls that these have
not ended yet, or have ended in the last three seconds.

Nothing is counted twice: a call of this process that turns up in the ledger is known by its id.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from addon.ledger import Reader, Record, timestamp
from addon.rules import Excess, Limit, Rule, Rules, Standing, Used

logger = logging.getLogger(__name__)

STALE = 2.0
"""Seconds for which it is believed what the ledger said about other processes."""

type Counter = dict[str | None, Used]
"""What each agent has used of a rule in one period."""
type Place = tuple[str, float]
"""The name of a rule and the start of a period."""


class _Call(msgspec.Struct):
    """One call of this process that the ledger has not shown yet."""

    rule: str
    agent: str | None
    began: float
    used: Used


class Admission:
    """One call that was let through."""

    def __init__(self, spending: Spending, call: _Call) -> None:
        self._spending = spending
        self._call = call

    def settle(self, record: Record) -> None:
        """Add what the call has used, once it is known, from whichever thread."""
        tokens = (record.input_tokens or 0) + (record.output_tokens or 0)
        used = Used(tokens=tokens, cost_usd=record.cost_usd or 0.0)
        self._spending.settle(record.id, self._call, used)


class Spending:
    """Knows what is left of each limit."""

    def __init__(
        self,
        home: Path,
        flush: Callable[[], None],
        now: Callable[[], float] = time.time,
        stale: float = STALE,
    ) -> None:
        """Begin to count.

        Args:
            home: The folder of the ledger.
            flush: Waits until all that has ended is in the ledger.
            now: Tells the time, in seconds since 1970.
            stale: Seconds for which it is believed what the ledger said.
        """
        self._home = home
        self._flush = flush
        self._now = now
        self._stale = stale
        self._counters: dict[Place, Counter] = {}
        self._unseen: dict[str | int, _Call] = {}
        """Calls of this process that the ledger has not shown, by id; those that run by `id()`."""
        self._reader: Reader | None = None
        self._file: tuple[int, int] | None = None
        self._seen = 0
        """The place in the ledger up to which it has been read."""
        self._looked = 0.0
        self._loading = asyncio.Lock()
        self._lock = threading.Lock()

    async def prepare(self, rules: Rules) -> None:
        """Find out what has been used in the current periods, where that is not known any more."""
        if not rules.limited or not self._is_due(rules):
            return
        async with self._loading:
            if self._is_due(rules):
                await asyncio.to_thread(self.look, rules)

    def look(self, rules: Rules) -> None:
        """Read in the ledger what has been used since it was read last."""
        self._forget(rules)
        if self._missing(rules):
            self._flush()
        try:
            self._read(rules)
        except FileNotFoundError:
            self._begin(self._missing(rules), {})
        except sqlite3.Error as error:
            logger.warning(
                "What has been used so far cannot be read (%s): limits count what is known here.",
                error,
            )
            self._begin(self._missing(rules), {})
        self._looked = time.monotonic()

    def excess(self, rule: Rule, agent: str | None) -> Excess | None:
        """Return the limit that leaves nothing to the next call, if there is one."""
        for standing in self.standing(rule, agent):
            if standing.limit.reached(standing.used) is not None:
                return Excess(
                    limit=standing.limit,
                    rule=rule.name,
                    agent=agent if standing.limit.by_agent else None,
                    used=standing.used,
                    until=standing.until,
                    now=self._now(),
                )
        return None

    def standing(self, rule: Rule, agent: str | None) -> list[Standing]:
        """Return what has been used of each limit of a rule."""
        now = self._now()
        with self._lock:
            found: list[Standing] = []
            for limit in rule.limits:
                window = limit.window(now)
                used = self._used(rule.name, window.start, limit, agent)
                found.append(Standing(limit, used, window.end))
            return found

    def admit(self, rule: Rule, agent: str | None) -> Admission | None:
        """Let a call through and count it; None where a limit leaves nothing to it any more."""
        if self.excess(rule, agent) is not None:
            return None
        call = _Call(rule.name, agent, self._now(), Used(requests=1))
        with self._lock:
            self._unseen[id(call)] = call
            self._count(call, call.used)
        return Admission(self, call)

    def settle(self, name: str, call: _Call, used: Used) -> None:
        """Count what a call has used that was let through; the ledger will show it by this name."""
        with self._lock:
            self._unseen.pop(id(call), None)
            self._unseen[name] = call
            self._count(call, used)
            _sum(call.used, used)

    def _count(self, call: _Call, used: Used) -> None:
        for (rule, start), counter in self._counters.items():
            if rule == call.rule and start <= call.began:
                _add(counter, call.agent, used)

    def close(self) -> None:
        """Let go of the ledger."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _is_due(self, rules: Rules) -> bool:
        return time.monotonic() - self._looked >= self._stale or bool(self._missing(rules))

    def _read(self, rules: Rules) -> None:
        """Count what others have used, and what has been used of periods that are new here.

        Raises:
            FileNotFoundError: Nothing has been recorded yet.
            sqlite3.Error: The ledger cannot be read.
        """
        self._reader = reader = self._reader or Reader(self._home)
        end = reader.end()
        if reader.file != self._file or end < self._seen:
            self._file, self._seen = reader.file, 0
        missing = self._missing(rules)
        names = [rule.name for rule in rules.limited]
        known = self._counters or self._unseen
        rows = reader.spent(names, self._seen, end) if end > self._seen and known else []
        totals: dict[Place, Counter] = {}
        for rule, start in missing:
            found = reader.used(rule, start, end)
            totals[rule, start] = {
                agent: Used(
                    requests=row.requests,
                    tokens=row.input_tokens + row.output_tokens,
                    cost_usd=row.cost_usd or 0.0,
                )
                for agent, row in found.items()
            }
        with self._lock:
            counters = [
                (place, timestamp(place[1]), self._counters[place]) for place in self._counters
            ]
            for row in rows:
                if self._unseen.pop(row.id, None) is not None:
                    continue  # it is one of ours
                for (rule, _), start, counter in counters:
                    if rule == row.rule and row.time >= start:
                        _add(counter, row.agent, Used(1, row.tokens, row.cost_usd))
            self._seen = end
        self._begin(missing, totals)

    def _forget(self, rules: Rules) -> None:
        """Forget periods that are over, and rules without limits: they are read anew if need be."""
        current = self._places(rules)
        names = {rule for rule, _ in current}
        with self._lock:
            for place in self._counters.keys() - current:
                del self._counters[place]
            for name, call in list(self._unseen.items()):
                if call.rule not in names and isinstance(name, str):  # it has ended
                    del self._unseen[name]

    def _begin(self, places: set[Place], totals: dict[Place, Counter]) -> None:
        """Begin to count periods with what the ledger says, and what it does not say yet."""
        with self._lock:
            for rule, start in places:
                counter = self._counters[rule, start] = totals.get((rule, start), {})
                for call in self._unseen.values():
                    if call.rule == rule and call.began >= start:
                        _add(counter, call.agent, call.used)

    def _used(self, rule: str, start: float, limit: Limit, agent: str | None) -> Used:
        counter = self._counters.get((rule, start), {})
        total = Used()
        for name, used in counter.items():
            if not limit.by_agent or name == agent:
                _sum(total, used)
        return total

    def _missing(self, rules: Rules) -> set[Place]:
        return self._places(rules) - self._counters.keys()

    def _places(self, rules: Rules) -> set[Place]:
        now = self._now()
        return {
            (rule.name, limit.window(now).start) for rule in rules.limited for limit in rule.limits
        }


def _add(counter: Counter, agent: str | None, used: Used) -> None:
    _sum(counter.setdefault(agent, Used()), used)


def _sum(total: Used, used: Used) -> None:
    total.requests += used.requests
    total.tokens += used.tokens
    total.cost_usd += used.cost_usd
