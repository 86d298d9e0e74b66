"""How the providers that offer Responses differ from OpenAI.

Facts of 2026-11 from the providers' documentation and from recorded answers; where nothing is
known, only what every one of them must understand is sent.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's rendition of the format."""

    store: bool = False
    """Whether `store` is known; it is always sent as false, for the history is the agent's."""
    encrypted: bool = False
    """Whether thoughts come as `encrypted_content`, and go back so."""
    open_thoughts: bool = False
    """Whether thoughts go back as plain words."""
    custom_tools: bool = False
    web_search: bool = False
    code_interpreter: dict[str, Any] | None = None
    """What the tool that runs code holds beside its type; None: there is none."""
    strict: bool = True
    """Whether `strict` may stand in a tool."""
    verbosity: bool = False
    user_name: str | None = "user"
    """The field for who is behind a call; None: there is none."""
    summaries: bool = False
    """Whether a summary of the thoughts has to be asked for."""
    least_output: int = 1
    """The smallest `max_output_tokens`."""
    service_tiers: tuple[str, ...] = ()
    keeps_responses: bool = False
    """Whether responses can be gone on from, looked at and deleted by their id."""
    keeps_conversations: bool = False
    """Whether there are conversations, and responses made in the background."""


_OPENAI = Dialect(
    store=True,
    encrypted=True,
    custom_tools=True,
    web_search=True,
    code_interpreter={"container": {"type": "auto"}},
    verbosity=True,
    user_name="safety_identifier",
    summaries=True,
    least_output=16,
    service_tiers=("auto", "default", "flex", "scale", "priority", "fast"),
    keeps_responses=True,
    keeps_conversations=True,
)

_DIALECTS: dict[str, Dialect] = {
    "openai": _OPENAI,
    "azure": msgspec.structs.replace(_OPENAI, user_name="user", service_tiers=()),
    "xai": Dialect(
        store=True,
        encrypted=True,
        web_search=True,
        code_interpreter={},
        strict=False,
        keeps_responses=True,
    ),
    "qwen": Dialect(keeps_responses=True),
    "openrouter": Dialect(store=True, encrypted=True, summaries=True),
    "deepseek": Dialect(open_thoughts=True, strict=False),
}

_OTHER = Dialect()


def dialect(name: str) -> Dialect:
    """Return a provider's dialect by its id."""
    return _DIALECTS.get(name, _OTHER)
