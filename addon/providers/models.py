"""What is known of models: sizes, prices, abilities.

The table `models.json` holds what the providers' pages said on the day it names; rules.yaml can add
to it and correct it, model by model. What stands in neither is unknown, which is not the same as
nothing: an unknown price is never 0.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal, get_args

import msgspec

from addon.neutral import Usage

type Ability = Literal["tools", "images", "files", "json_schema", "reasoning"]

ABILITIES: tuple[Ability, ...] = get_args(Ability.__value__)

_PATH = Path(__file__).with_name("models.json")
_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
_SAME_TABLE = {"glm": "zai"}
"""Providers that sell the models of another one's table."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens."""

    start: int = msgspec.field(name="from", default=0)
    """The price applies to requests with more input tokens than that."""
    input: float
    output: float
    cache_read: float | None = None
    """For input that came from the provider's cache; None: as other input."""
    cache_write: float | None = None
    """For input that was written to the cache; None: as other input."""
    cache_write_1h: float | None = None


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One model of one provider; None where it is not known."""

    title: str | None = None
    """What people call it."""
    context: int | None = None
    """Most input tokens."""
    max_output: int | None = None
    """Most output tokens."""
    prices: tuple[Price, ...] = ()
    """By the length of the request, the shortest first; empty: unknown."""
    features: frozenset[Ability] | None = None
    kind: Literal["chat", "embedding"] = "chat"
    responses_only: bool = False
    """Whether OpenAI offers it in the Responses API alone."""
    ends: str | None = None
    """The day on which the provider takes it away, `YYYY-MM-DD`."""

    def over(self, other: ModelFacts | None) -> ModelFacts:
        """Return these facts, and the other's where these say nothing."""
        if other is None:
            return self
        values = ((field, getattr(self, field.name)) for field in msgspec.structs.fields(self))
        said = {field.name: value for field, value in values if value != field.default}
        return msgspec.structs.replace(other, **said)

    def cost(self, usage: Usage) -> float | None:
        """Return what an answer cost in US dollars; None where price or tokens are unknown."""
        if not self.prices or usage.input_tokens is None or usage.output_tokens is None:
            return None
        price = self.prices[0]
        for tier in self.prices[1:]:
            if usage.input_tokens > tier.start:
                price = tier
        read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        fresh = max(usage.input_tokens - read - written, 0)
        million = (
            fresh * price.input
            + read * (price.input if price.cache_read is None else price.cache_read)
            + written * (price.input if price.cache_write is None else price.cache_write)
            + usage.output_tokens * price.output
        )
        return million / 1_000_000


class _Table(msgspec.Struct, frozen=True):
    as_of: str
    models: dict[str, dict[str, ModelFacts]]


@functools.cache
def _table() -> _Table:
    return msgspec.json.decode(_PATH.read_bytes(), type=_Table)


def table_date() -> str:
    """Return the day of the table, `YYYY-MM-DD`."""
    return _table().as_of


def known_models(provider: str) -> dict[str, ModelFacts]:
    """Return the table's models of a built-in provider, by name."""
    return _table().models.get(_SAME_TABLE.get(provider, provider), {})


def model_facts(provider: str, model: str) -> ModelFacts | None:
    """Look a model up, also one whose name carries the date of its release."""
    models = known_models(provider)
    found = models.get(model) or models.get(_DATED.sub("", model))
    if found is None and "/" in model:  # an aggregator names the maker before the model
        maker, _, name = model.partition("/")
        if provider == "openrouter":
            return model_facts(_MAKERS.get(maker, maker), name.replace(".", "-")) or model_facts(
                _MAKERS.get(maker, maker), name
            )
    return found


_MAKERS = {"z-ai": "zai", "x-ai": "xai", "moonshotai": "moonshot", "mistralai": "mistral"}
"""How OpenRouter names makers, where that is not how they are named here."""
