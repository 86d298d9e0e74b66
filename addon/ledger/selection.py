"""Which exchanges are meant, as people say it and as SQL."""

from __future__ import annotations

from typing import Literal

import msgspec

from addon.ledger.record import timestamp
from addon.ledger.schema import FAILED

type Verdict = Literal["ok", "error"]

_SEARCHED = (
    "id",
    "agent",
    "endpoint",
    "provider",
    "actual_provider",
    "requested_model",
    "model",
    "rule",
    "error",
)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Exchanges for which all of this holds; None: whatever it is.

    Names may be globs (`gpt-5*`), and the empty name stands for what is not known.
    """

    since: float = 0.0
    """Seconds since 1970."""
    until: float | None = None
    """Seconds since 1970; what came at this very moment is not meant any more."""
    agent: str | None = None
    provider: str | None = None
    """Who answered; where nobody was asked, whom the agent called."""
    model: str | None = None
    """What answered or what the agent asked for; or both as `provider:model`."""
    rule: str | None = None
    endpoint: str | None = None
    status: Verdict | int | None = None
    """How it ended, or the HTTP status that the agent got."""
    text: str | None = None
    """Words that stand in a name or in the error."""

    def clause(self) -> tuple[str, list[object]]:
        """Return what follows `WHERE`, and its values."""
        terms: list[str] = []
        values: list[object] = []

        def add(term: str, *given: object) -> None:
            terms.append(term)
            values.extend(given)

        add("time >= ?", timestamp(max(self.since, 0.0)))
        if self.until is not None:
            add("time < ?", timestamp(max(self.until, 0.0)))
        for column, name in (
            ("agent", self.agent),
            ("rule", self.rule),
            ("endpoint", self.endpoint),
        ):
            if name is not None:
                add(*_named(column, name))
        if self.provider is not None:
            answered, *given = _named("actual_provider", self.provider)
            called, *_ = _named("provider", self.provider)
            add(f"({answered} OR (actual_provider IS NULL AND {called}))", *given, *given)
        if self.model is not None:
            add(*_of_model(self.model))
        if isinstance(self.status, int):
            add("status = ?", self.status)
        elif self.status is not None:
            add(FAILED if self.status == "error" else f"NOT {FAILED}")
        for word in (self.text or "").split():
            found = " OR ".join(f"instr(lower({column}), ?)" for column in _SEARCHED)
            add(f"({found})", *[word.lower()] * len(_SEARCHED))
        return " AND ".join(terms), values


def _named(column: str, name: str) -> tuple[str, *tuple[object, ...]]:
    if not name:
        return (f"{column} IS NULL",)
    if "*" in name or "?" in name:
        return f"{column} GLOB ?", name.replace("[", "[[]")
    return f"{column} = ?", name


def _of_model(name: str) -> tuple[str, *tuple[object, ...]]:
    provider, colon, model = name.partition(":")
    if not name:
        return ("coalesce(model, requested_model) IS NULL",)
    answered, *given = _named("model", name)
    asked, *_ = _named("requested_model", name)
    either = f"{answered} OR {asked}"
    if not colon:
        return f"({either})", *given, *given
    # The names of models hold colons, too: `llama3:8b`.
    by, *of_provider = _named("actual_provider", provider)
    its, *of_model = _named("model", model)
    return f"({either} OR ({by} AND {its}))", *given, *given, *of_provider, *of_model
