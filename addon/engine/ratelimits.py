"""Rate limits as a provider reports them, in the words that the agent's SDK knows.

OpenAI: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, a reset being a duration such as
`1s` or `6m0s` (https://platform.openai.com/docs/guides/rate-limits).
Anthropic: `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,
reset}`, a reset being a time in RFC 3339 (https://docs.anthropic.com/en/api/rate-limits).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from addon.formats.base import FormatName, Headers

_OPENAI = re.compile(r"x-ratelimit-(limit|remaining|reset)-([a-z-]+)")
_ANTHROPIC = re.compile(r"anthropic-ratelimit-([a-z-]+)-(limit|remaining|reset)")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


def translate_rate_limits(
    headers: Headers, source: FormatName, target: FormatName, now: datetime | None = None
) -> Headers:
    """Return the rate limit headers of a `source` provider in the words of `target`.

    Unreadable ones are left out. `now` is the time that durations count from.
    """
    now = now or datetime.now(UTC)
    words = [(name.lower(), value) for name, value in headers]
    pattern = _ANTHROPIC if source == "anthropic" else _OPENAI
    if (source == "anthropic") == (target == "anthropic"):
        return tuple((name, value) for name, value in words if pattern.fullmatch(name))
    translated: list[tuple[str, str]] = []
    for name, value in words:
        if not (match := pattern.fullmatch(name)):
            continue
        if source == "anthropic":
            unit, kind = match.groups()
            text = _duration_until(value, now) if kind == "reset" else value
            new_name = f"x-ratelimit-{kind}-{unit}"
        else:
            kind, unit = match.groups()
            text = _time_after(value, now) if kind == "reset" else value
            new_name = f"anthropic-ratelimit-{unit}-{kind}"
        if text is not None:
            translated.append((new_name, text))
    return tuple(translated)


def _duration_until(time: str, now: datetime) -> str | None:
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = max(0, round((moment - now).total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def _time_after(duration: str, now: datetime) -> str | None:
    match = _DURATION.fullmatch(duration.strip())
    if not match or not any(match.groups()):
        return None
    try:
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    except ValueError:
        return None
    moment = now + timedelta(
        days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds
    )
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
