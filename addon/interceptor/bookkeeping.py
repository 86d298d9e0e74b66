"""Keeps the ledger that exchanges are entered into, and tells whoever wants to know of them."""

from __future__ import annotations

import contextlib
import functools
import logging
import sqlite3
import threading
from typing import Protocol

from mitmproxy import http

from addon.authority.home import open_home
from addon.formats import COUNT, FORMATS
from addon.interceptor import access
from addon.interceptor.exchanges import Exchange
from addon.interceptor.kept_bodies import parts_of, without_keys
from addon.interceptor.observing import observe
from addon.interceptor.options import Settings
from addon.interceptor.planning import Pass, Route
from addon.interceptor.recording import (
    add_usage,
    describe_error,
    is_complete,
    read_answer,
    record_of,
)
from addon.interceptor.spending import Spending
from addon.ledger import (
    INTERRUPTED,
    Bodies,
    Completion,
    Ledger,
    Record,
    UnderWay,
    left_records,
)
from addon.providers import BUILT_IN
from addon.telemetry import Telemetry, open_telemetry

logger = logging.getLogger(__name__)

_AT_ONCE = 32 << 10
"""Bytes of a passing answer that are read before the agent gets the end of it; longer ones are read
by the thread that writes the ledger, since that may take milliseconds."""


class Watcher(Protocol):
    """Who wants to know of exchanges at once."""

    def began(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Learn of one that begins; what it is about shows in the flow and in the exchange."""
        ...

    def ended(self, record: Record) -> None:
        """Learn of one that has ended, from whatever thread."""
        ...


class Bookkeeper:
    """Enters exchanges into the ledger of the home folder."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._ledger: Ledger | None = None
        self._spending: Spending | None = None
        self._bodies: Bodies | None = None
        self._telemetry: Telemetry | None = None
        self.watcher: Watcher | None = None

    @property
    def traces(self) -> bool:
        """Whether somebody wants to know which trace a call belongs to."""
        return self._telemetry is not None

    @property
    def spending(self) -> Spending:
        """What counts for the limits of rules."""
        if self._spending is None:
            assert self._settings is not None
            self._spending = Spending(self._settings.home, self.flush)
        return self._spending

    def use(self, settings: Settings) -> None:
        """Keep the ledger that the settings describe, and tell whom they name.

        Raises:
            ValueError: Telemetry cannot start; everything stays as it was.
        """
        before = self._settings
        if before is None or before.telemetry != settings.telemetry:
            self._switch_telemetry(before, settings)
        self._settings = settings
        if before is not None and _place(before) != _place(settings):
            self._close_ledger()

    @property
    def _records(self) -> bool:
        """Whether there is a ledger."""
        return self._settings is not None and self._settings.ledger_limits.size > 0

    def open(self) -> None:
        """See to what was left by processes that were killed."""
        assert self._settings is not None
        if self._records and left_records(self._settings.home):
            self._open().open()

    def begin(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Let it be known that an exchange is under way, for as long as it is."""
        if self._records:
            describe = functools.partial(record_of, flow, exchange)
            self._open().begin(UnderWay(describe, lambda: exchange.record is not None))
        if self.watcher is not None:
            self.watcher.began(flow, exchange)

    def conclude(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Record an exchange, once, as soon as all is known that the ledger tells; never raises."""
        if exchange.record is None:
            try:
                self._conclude(flow, exchange)
            except Exception:
                logger.exception("an exchange could not be recorded")

    def enter(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Record an exchange that has ended, and tell of it; never raises."""
        self.conclude(flow, exchange)
        try:
            self._observe(flow, exchange)
            if exchange.keeps_bodies and self._records:
                self._keep_bodies(flow, exchange)
        except Exception:
            logger.exception("an exchange could not be told of")

    def flush(self) -> None:
        """Wait until everything entered so far has been written."""
        if self._ledger is not None:
            self._ledger.flush()

    def close(self) -> None:
        """Write what is left to be written, and tell what is left to be told."""
        self._close_ledger()
        self._close_telemetry()

    def _close_ledger(self) -> None:
        bodies, self._bodies = self._bodies, None
        if bodies is not None and self._ledger is not None:
            self._ledger.later(bodies.close)
        spending, self._spending = self._spending, None
        if spending is not None:
            spending.close()
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()

    def _switch_telemetry(self, before: Settings | None, settings: Settings) -> None:
        """Tell somebody else from now on; both may want the same port."""
        old = self._telemetry
        if old is not None:
            old.let_go()
        try:
            self._telemetry = open_telemetry(settings.telemetry)
        except ValueError:
            self._telemetry = open_telemetry(before.telemetry) if before is not None else None
            raise
        finally:
            if old is not None:
                # It may have to wait for a collector, for which no stream is to stop.
                threading.Thread(target=old.close, name="telemetry that ends", daemon=True).start()

    def _close_telemetry(self) -> None:
        telemetry, self._telemetry = self._telemetry, None
        if telemetry is not None:
            telemetry.close()

    def _conclude(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        exchange.record = record = record_of(flow, exchange)
        if not record.error and not is_complete(flow, exchange):
            record.error = INTERRUPTED
        taken = exchange.route or exchange.job or exchange.decided
        admission = taken.admission if isinstance(taken, Route | Pass) else None
        response, endpoint = flow.response, exchange.endpoint
        if not exchange.passes or response is None or not (endpoint.format or endpoint.name):
            if admission is not None:
                admission.settle(record)
            self._add(record)
            self._tell(record)
            return
        provider = BUILT_IN.get(endpoint.provider)

        def complete(record: Record) -> None:
            """Read what a passing answer says about itself; nobody has looked at it so far."""
            body = response.get_content(strict=False) or b""
            if endpoint.name == COUNT:
                return
            if response.status_code >= 400:
                headers = access.all_headers(response)
                spoken = FORMATS[endpoint.error_format]
                error = spoken.parse_error(response.status_code, headers, body)
                record.error = describe_error(error, exchange.secrets)
                return
            if endpoint.format is None and endpoint.method != "POST":
                return  # it is about something of the agent's, whose words may be the same
            exchange.told = told = read_answer(body, endpoint.format)
            record.model = told.model
            add_usage(record, told.usage, provider)

        def settle(record: Record) -> None:
            try:
                complete(record)
            finally:
                if admission is not None:
                    admission.settle(record)
                self._tell(record)

        if len(response.raw_content or b"") > _AT_ONCE:
            self._add(record, settle)
            return
        try:
            settle(record)
        finally:
            self._add(record)

    def _add(self, record: Record, complete: Completion | None = None) -> None:
        if self._records:
            self._open().add(record, complete)
        elif complete is not None:
            complete(record)

    def _tell(self, record: Record) -> None:
        if self.watcher is not None:
            self.watcher.ended(record)

    def _keep_bodies(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        record, settings = exchange.record, self._settings
        if record is None or settings is None:
            return
        ledger = self._open()
        bodies = self._bodies = self._bodies or Bodies(settings.home, settings.bodies_limits)
        parts, secrets = parts_of(flow, exchange)

        def keep() -> None:
            """Write them in the thread of the ledger: to find keys in them takes a while."""
            found = {name: without_keys(body, secrets) for name, body in parts.items() if body}
            try:
                bodies.write(record, found)
            except (sqlite3.Error, OSError) as error:
                logger.warning("What was said in an exchange could not be kept: %s", error)

        ledger.later(keep)

    def _observe(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        telemetry, record = self._telemetry, exchange.record
        if telemetry is None or record is None or self._settings is None:
            return
        observation = observe(flow, exchange, record, content=self._settings.telemetry.content)

        def tell() -> None:
            """Tell of it in the thread that completes the record, after it has done so."""
            if exchange.told is not None:
                observation.response_id = exchange.told.id
                observation.finish_reason = exchange.told.finish_reason
            telemetry.observe(record, observation)

        if self._records:
            self._open().later(tell)
        else:
            tell()

    def _open(self) -> Ledger:
        if self._ledger is None:
            settings = self._settings
            assert settings is not None
            with contextlib.suppress(OSError):  # of which the ledger will speak
                open_home(settings.home)
            self._ledger = Ledger(settings.home, settings.ledger_limits, settings.events)
        return self._ledger


def _place(settings: Settings) -> tuple[object, ...]:
    return settings.home, settings.ledger_limits, settings.bodies_limits, settings.events
