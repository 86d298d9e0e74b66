"""Who made a piece of opaque state, and who may be shown it again.

Signatures belong to the model that gave them: Anthropic's to a model and an account, Gemini's to a
model and a route, OpenAI's to an organisation. Another provider refuses them, or would learn what
is none of its business.
"""

from __future__ import annotations

import re

from addon.formats.base import FormatName
from addon.neutral import OpaqueState
from addon.providers import Destination

HOMES: dict[FormatName, str] = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}
"""Whom agents of a format talk to without Detour: the maker of state that Detour never saw."""

_VERSION = re.compile(r"(-\d{8}|-\d{4}-\d\d-\d\d|-latest|-preview.*|-exp.*|@.*)$")


def origin_of(destination: Destination) -> str:
    """Name the maker of what a destination answers."""
    return f"{destination.provider.id}:{model_family(destination.model)}"


def model_family(model: str) -> str:
    """Return what all names of one model have in common."""
    return _VERSION.sub("", model.rsplit("/", 1)[-1].lower())


def provider_of(origin: str) -> str:
    """Return the provider's id."""
    return origin.partition(":")[0]


def fits(state: OpaqueState, destination: Destination) -> bool:
    """Tell whether the destination made a state itself."""
    return state.format == destination.format and state.origin == origin_of(destination)
