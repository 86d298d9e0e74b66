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
from msgspec.structs import replace

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
    """For input that was written to the cache for an hour; None: as for a shorter time."""
    reasoning: float | None = None
    """For output that was thought; None: as other output."""
    until: int | None = None
    """The most input tokens that are sold at this price; None: any number."""

    def of(self, usage: Usage) -> float:
        """Return what an answer of known counts costs."""
        read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        hour = min(usage.billing.cache_write_1h_tokens, written) if usage.billing else 0
        thought = min(usage.reasoning_tokens or 0, usage.output_tokens or 0)
        write = self.input if self.cache_write is None else self.cache_write
        million = (
            max((usage.input_tokens or 0) - read - written, 0) * self.input
            + read * (self.input if self.cache_read is None else self.cache_read)
            + (written - hour) * write
            + hour * (write if self.cache_write_1h is None else self.cache_write_1h)
            + ((usage.output_tokens or 0) - thought) * self.output
            + thought * (self.output if self.reasoning is None else self.reasoning)
        )
        return million / 1_000_000


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
    tiers: dict[str, tuple[Price, ...]] = {}
    """Likewise for service tiers that have prices of their own."""
    any_tier: bool = False
    """Whether `prices` hold in every service tier, and everywhere."""
    regions: dict[str, float] = {}
    """What prices are multiplied by where the answer was to be made in some region."""
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
        """Return what an answer cost in US dollars; None where price or tokens are unknown.

        What the provider itself says it charges is believed.
        """
        if usage.beside is not None:
            own, beside = self.cost(replace(usage, beside=None)), self.cost(usage.beside)
            return None if own is None or beside is None else own + beside
        billing = usage.billing
        if billing is not None and billing.cost_usd is not None:
            return billing.cost_usd
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        price = self._price(usage.input_tokens, billing.tier if billing is not None else None)
        if price is None:
            return None
        region = billing.region if billing is not None and not self.any_tier else None
        return price.of(usage) * self.regions.get(region or "", 1)

    def _price(self, length: int, tier: str | None) -> Price | None:
        prices = self.prices if tier is None or self.any_tier else self.tiers.get(tier, ())
        price: Price | None = None
        for step in prices:
            if step.start == 0 or length > step.start:
                price = step
        return None if price is None or length > (price.until or length) else price


class _Table(msgspec.Struct, frozen=True):
    as_of: str
    models: dict[str, dict[str, ModelFacts]]


_read_table = msgspec.json.Decoder(_Table).decode


@functools.cache
def _table() -> _Table:
    return _read_table(_PATH.read_bytes())


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
