"""What a provider's error means, judged by the signs that all of them share.

Every maker words its errors differently, and agents act on a few meanings only: compact when the
context is too long, wait when the rate is too high, give up when the money is gone. The texts were
collected from the makers' documentation and from recorded answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from addon.neutral import ErrorKind

_MESSAGES: tuple[tuple[ErrorKind, re.Pattern[str]], ...] = (
    (
        "context_length",
        re.compile(
            r"prompt is too long|exceed\w* (the )?(available )?context|context[ _]length"
            r"|context window exceeds|maximum context|context size|input is too long"
            r"|range of input length should be|exceeded model token limit"
            r"|maximum prompt length|input token count .* exceeds|too large for model with",
            re.IGNORECASE,
        ),
    ),
    (
        "billing",
        re.compile(
            r"credit balance is too low|insufficient[ _](quota|balance|credit|funds)"
            r"|exceeded your current quota|payment required",
            re.IGNORECASE,
        ),
    ),
    ("authentication", re.compile(r"api key not valid|invalid api key|incorrect api key", re.I)),
    ("overloaded", re.compile(r"\boverloaded\b", re.IGNORECASE)),
    ("not_found", re.compile(r"^model '[^']*' not found")),  # llama.cpp, with status 400
)

_KEY = re.compile(
    r"\b(?:(?:sk|gsk|xai|pplx|hf|rk)[-_][\w*-]{6,}|AIza[\w-]{10,})|(?<=API key provided: )[^\s.]+"
)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_LONGEST_MESSAGE = 2000
_LONGEST_PAGE = 20_000

_KIND_FROM_STATUS: dict[int, ErrorKind] = {
    400: "invalid_request",
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    422: "invalid_request",
    429: "rate_limit",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}


def kind_from_message(message: str) -> ErrorKind | None:
    """Name the meaning that a message gives away, or None."""
    return next((kind for kind, pattern in _MESSAGES if pattern.search(message)), None)


def kind_from_status(status: int) -> ErrorKind:
    """Name the meaning of an HTTP status."""
    fallback: ErrorKind = "invalid_request" if 400 <= status < 500 else "server_error"
    return _KIND_FROM_STATUS.get(status, fallback)


def plain_words(body: bytes) -> str:
    """Return the words of an answer that is no JSON, such as the HTML page of a gateway."""
    return " ".join(_MARKUP.sub(" ", body[:_LONGEST_PAGE].decode("utf-8", "replace")).split())


def presentable(message: str) -> str:
    """Return a provider's message without the keys that some quote in it, and not endless."""
    return _KEY.sub("[key]", message)[:_LONGEST_MESSAGE]


def retry_after(headers: Iterable[tuple[str, str]]) -> float | None:
    """Read how many seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date)."""
    values = {name.lower(): value for name, value in headers}
    try:
        if "retry-after-ms" in values:
            return _positive(float(values["retry-after-ms"]) / 1000)
        if "retry-after" in values:
            return _positive(float(values["retry-after"]))
    except ValueError:
        pass
    return _seconds_until(values.get("retry-after", ""))


def _positive(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
