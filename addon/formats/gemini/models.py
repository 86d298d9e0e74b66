"""What each Gemini generation accepts.

The API answers 400 to what a generation does not know. Facts of 2026-11 from
https://ai.google.dev/gemini-api/docs/models, the catalogue of the Vercel AI SDK and live probes
published by pydantic-ai.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from addon.neutral import Effort

type ThinkingStyle = Literal["none", "budget", "level"]

LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")
MINIMAL_TO_HIGH: tuple[Effort, ...] = ("minimal", "low", "medium", "high")


class GeminiModel(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """The abilities of one generation."""

    thinking: ThinkingStyle = "level"
    levels: tuple[Effort, ...] = LOW_TO_HIGH
    """Values of `thinkingLevel`, ascending."""
    budgets: tuple[int, int] = (0, 24_576)
    """Least and greatest `thinkingBudget`; a least of 0 means that thinking can be switched off."""
    shortest_budget: int = 1
    """Least `thinkingBudget` that is not 0."""
    max_output_tokens: int = 65_536
    call_ids: bool = True
    """Whether calls and their results carry an id."""
    signed_calls: bool = True
    """Whether the first call of each step must carry a thought signature."""
    media_in_results: bool = True
    """Whether a function response may hold pictures and documents."""
    public_urls: bool = True
    """Whether the model reads any public https address."""
    sampling: bool = False
    """Whether `temperature`, `topP` and `topK` have an effect."""
    penalties: bool = False
    """Whether presence and frequency penalties are accepted."""
    search_with_functions: bool = True
    """Whether Google Search and functions may be offered together."""
    json_with_functions: bool = True
    """Whether a response schema and functions may stand together."""
    validated_calls: bool = True
    """Whether the calling mode `VALIDATED` exists."""
    suspends: bool = True
    """Whether very long answers come in several (`CONTINUATION`)."""
    system_instruction: bool = True
    """Whether instructions have a place of their own."""


_OLDEST = GeminiModel(
    thinking="none",
    max_output_tokens=8192,
    call_ids=False,
    signed_calls=False,
    media_in_results=False,
    public_urls=False,
    sampling=True,
    penalties=True,
    search_with_functions=False,
    json_with_functions=False,
    validated_calls=False,
    suspends=False,
)
_GEMINI_2_5 = msgspec.structs.replace(
    _OLDEST, thinking="budget", max_output_tokens=65_536, penalties=False, validated_calls=True
)
_GEMMA = msgspec.structs.replace(_OLDEST, system_instruction=False)
_NEWEST = GeminiModel()

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?-?(.*)")


VERTEX = "vertex"
"""Dialect of Vertex AI, which serves the same models and accepts a little more."""


def gemini_model(name: str, dialect: str = "google") -> GeminiModel:
    """Return the abilities of a model by its name at any place.

    Prefixes (`models/`, `publishers/google/models/`) and suffixes (dates, `-preview`) do not
    matter. A name that is not known is taken for the newest generation.
    """
    model = _generation(name)
    if dialect != VERTEX:
        return model
    # Seen in the catalogue of the Vercel AI SDK: only Vertex lets 2.5 have penalties.
    penalties = model.penalties or model.thinking == "budget"
    return msgspec.structs.replace(model, public_urls=True, penalties=penalties)


def _generation(name: str) -> GeminiModel:
    bare = name.rsplit("/", 1)[-1].lower()
    if bare.startswith(("gemma", "learnlm")):
        return _GEMMA
    match = _VERSION.fullmatch(bare)
    if match is None:
        return _alias(bare)
    version = (int(match[1]), int(match[2] or 0))
    if version < (2, 5):
        return _OLDEST
    if version < (3, 0):
        return _gemini_2_5(match[3])
    return _gemini_3(version, match[3])


def _alias(name: str) -> GeminiModel:
    """`gemini-flash-latest` and its like move on; assume what all current models accept."""
    if "flash-lite" in name:
        return msgspec.structs.replace(_NEWEST, levels=MINIMAL_TO_HIGH)
    return _NEWEST


def _gemini_2_5(family: str) -> GeminiModel:
    if family.startswith("pro"):
        return msgspec.structs.replace(_GEMINI_2_5, budgets=(128, 32_768))
    if "image" in family or "tts" in family:
        return msgspec.structs.replace(_GEMINI_2_5, thinking="none", max_output_tokens=32_768)
    if family.startswith("flash-lite"):
        return msgspec.structs.replace(_GEMINI_2_5, shortest_budget=512)
    return _GEMINI_2_5


def _gemini_3(version: tuple[int, int], family: str) -> GeminiModel:
    return msgspec.structs.replace(
        _NEWEST,
        levels=_levels(version, family),
        max_output_tokens=1_048_576 if version >= (4, 0) else 65_536,
        suspends=version >= (4, 0),
        sampling=version < ((3, 5) if family.startswith("flash-lite") else (3, 6)),
    )


def _levels(version: tuple[int, int], family: str) -> tuple[Effort, ...]:
    if family.startswith("hydrogen"):
        return (*LOW_TO_HIGH, "xhigh")
    if family.startswith("flash-lite") or (family.startswith("flash") and version < (3, 7)):
        return MINIMAL_TO_HIGH
    if family.startswith("pro") and version == (3, 0):
        return ("low", "high")
    return LOW_TO_HIGH
