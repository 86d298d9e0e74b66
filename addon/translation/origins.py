"""Who made a piece of opaque state, and who may be shown it again.

Signatures belong to the model that gave them: Anthropic's to a model and an account, Gemini's to a
model and a route, OpenAI's to an organisation. Another provider refuses them, or would learn what
is none of its business. Newer Claude models also refuse a thought that was had under another system
prompt or with other tools, as agents have that hand over to one another or that go on from a
response without repeating its instructions.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from addon.formats import FORMATS
from addon.formats.base import FormatName
from addon.neutral import OpaqueState, Request
from addon.providers import Destination
from addon.wire.codec import encode

HOMES: dict[FormatName, str] = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}
"""Whom agents of a format talk to without Detour: the maker of state that Detour never saw."""

_VERSION = re.compile(r"(-\d{8}|-\d{4}-\d\d-\d\d|-latest|-preview.*|-exp.*|@.*)$")


def origin_of(destination: Destination, request: Request | None = None) -> str:
    """Name the maker of what a destination answers to a request."""
    origin = f"{destination.provider.id}:{model_family(destination.model)}"
    if request is None or not FORMATS[destination.format].binds_state(destination.model):
        return origin
    ground = encode((request.system, request.tools))
    return f"{origin}#{hashlib.blake2b(ground, digest_size=9).hexdigest()}"


@lru_cache(maxsize=1024)
def model_family(model: str) -> str:
    """Return what all names of one model have in common."""
    return _VERSION.sub("", model.rsplit("/", 1)[-1].lower())


class Maker(NamedTuple):
    """Who answers a request."""

    format: FormatName
    origin: str

    def made(self, state: OpaqueState) -> bool:
        """Tell whether a state comes from here, and may go back."""
        return state.format == self.format and state.origin == self.origin
