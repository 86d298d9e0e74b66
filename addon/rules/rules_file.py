"""The rules file on disk: read again as soon as it changes."""

from __future__ import annotations

import codecs
import logging
import time
from collections.abc import Callable
from pathlib import Path

from addon.providers import StoredKeys, environment_files, load_environment
from addon.rules.decisions import Rules
from addon.rules.loading import load_rules
from addon.rules.problems import Problem, RulesError

logger = logging.getLogger(__name__)

type _Stamp = tuple[int, int, int, int] | None

BYTE_ORDER_MARK = codecs.BOM_UTF8
_CLOCK_GRAIN_NS = 50_000_000
"""Two edits closer than this may leave the same time stamp."""


class RulesFile:
    """Gives the rules in force.

    An edit of the file, or of a `.env` file that counts for it, takes effect at the next call. A
    bad edit is reported once, with line and column, and changes nothing.

    Args:
        path: The rules file.
        check_filter: Says what is wrong with a mitmproxy filter expression.
        stored: The key store.
    """

    def __init__(
        self,
        path: str | Path,
        check_filter: Callable[[str], str | None] | None = None,
        stored: StoredKeys | None = None,
    ) -> None:
        self.path = Path(path)
        self._stored = stored
        self._check_filter = check_filter
        self._watched = (self.path, *environment_files(self.path))
        self._stamps: tuple[_Stamp, ...] | None = None
        self._read_at = 0
        self._rules: Rules | None = None
        self._error: RulesError | None = None

    def current(self) -> Rules:
        """Return the rules in force, after a look whether the file has changed.

        Raises:
            RulesError: There never were valid rules.
        """
        stamps = tuple(_stamp(path) for path in self._watched)
        if stamps != self._stamps or self._may_have_changed_unseen(stamps):
            self._read_at = time.time_ns()
            self._stamps = stamps
            self._reload()
        return self.latest()

    def latest(self) -> Rules:
        """Return the rules that were in force at the last look.

        Raises:
            RulesError: There never were valid rules.
        """
        if self._rules is None:
            assert self._error is not None
            raise self._error
        return self._rules

    def _may_have_changed_unseen(self, stamps: tuple[_Stamp, ...]) -> bool:
        grain = _CLOCK_GRAIN_NS
        return any(stamp and -grain < self._read_at - stamp[0] < grain for stamp in stamps)

    def _reload(self) -> None:
        environment = load_environment(self._watched[1:])
        name = str(self.path)
        try:
            text = read_rules(self.path)
            rules = load_rules(text, name, environment, self._check_filter, self._stored)
        except RulesError as error:
            self._report(error)
            return
        if self._error is not None:
            logger.info("%s is valid again", name)
        self._rules, self._error = rules, None

    def _report(self, error: RulesError) -> None:
        if self._error is not None and self._error.problems == error.problems:
            return
        self._error = error
        refused, kept = "every call is refused", "the last good rules stay in force"
        state = refused if self._rules is None else kept
        # mitmproxy exits at an error that is logged during its start, instead of refusing calls.
        level = logging.WARNING if self._rules is None else logging.ERROR
        logger.log(level, "%s\n%s until this is mended", error, state)


def plain_text(data: bytes) -> str:
    """Return the text of a rules file, without a byte order mark and with bare line feeds.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return data.removeprefix(BYTE_ORDER_MARK).decode().replace("\r\n", "\n")


def read_rules(path: Path) -> str:
    """Read the text of a rules file, as `plain_text` returns it.

    Raises:
        RulesError: It is not there, cannot be read or is not UTF-8.
    """
    try:
        return plain_text(path.read_bytes())
    except FileNotFoundError:
        message = "there is no rules file; write one (`version: 1` is enough) or name another"
        problem = Problem(str(path), 1, 1, f"{message} with --rules FILE")
    except OSError as error:
        problem = Problem(str(path), 1, 1, f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        before: bytes = error.object[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8-sig", "replace")) + 1
        line = before.count(b"\n") + 1
        problem = Problem(str(path), line, column, "this is not UTF-8; save the file as UTF-8")
    raise RulesError([problem])


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)
