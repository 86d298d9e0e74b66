"""Where a call can go, and who answers there."""

from __future__ import annotations

from collections.abc import Container
from typing import Literal, override

import msgspec

from addon.formats import FORMATS
from addon.formats.base import FormatName, Headers
from addon.neutral import UnsupportedFeature
from addon.providers.models import ModelFacts, model_facts
from addon.providers.secret import Secret

type AuthScheme = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key"]

AUTH_SCHEME_OF_FORMAT: dict[FormatName, AuthScheme] = {
    "openai-chat": "bearer",
    "openai-responses": "bearer",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
}
"""How the owner of each format wants the key; others may differ, see `Provider.auth`."""

NO_KEY = "none"
"""What `api_key` is set to where no key is to be sent."""

AGENT_KEY = "pass"
"""What `api_key` is set to where the agent's own key is to be sent."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long a provider may take, in seconds."""

    connect: float = 10
    """Until the connection stands, TLS included."""
    first_byte: float = 300
    """From the request's last byte to the answer's first."""
    idle: float = 300
    """Between two pieces of an answer."""
    total: float = 3600
    """For the whole call."""


class Concurrency(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls a provider may get at a time."""

    running: int
    waiting: int = 100
    """How many more wait for their turn; those beyond fail as if it were overloaded."""


class ModelServer(msgspec.Struct, frozen=True):
    """A server that has some of a provider's models, where it has several."""

    title: str
    """Whose program it is, such as `Ollama`."""
    base_url: str
    """Like `Provider.base_urls`, for Chat Completions."""
    dialect: str
    """Like `Provider.dialect`."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One place that answers calls."""

    id: str
    title: str
    base_urls: dict[FormatName, str]
    """What the official SDK of each format takes as its base URL; the provider's best format first.

    With `/v1` for the OpenAI formats, without a version for `anthropic` and `gemini`.
    """
    auth: dict[FormatName, AuthScheme] = {}
    """Where the key goes, for formats in which the provider differs from the format's owner."""
    api_key: Secret | None = None
    """The key that rules.yaml gives, expanded; `none` sends no key; None: see `key_variables`."""
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold the key, the usual one first."""
    asks_store: bool = True
    """Whether the key store may have its key; not where a rule names another account's."""
    models: tuple[str, ...] = ()
    """Some of its models, the best allround one first; others are fine too."""
    servers: dict[str, ModelServer] = {}
    """Where each model is, by its name, if the provider is several servers on one machine."""
    own_facts: dict[str, ModelFacts] = {}
    """What rules.yaml or the server itself says of models; it goes before the table."""
    enabled: bool = True
    """Whether calls may go there."""
    regions: dict[str, dict[FormatName, str]] = {}
    """Other base URLs of the same provider, by the name of the region or plan."""
    query: str = ""
    """What every URL ends in after its question mark, such as `api-version=2026-05-01`."""
    base_url_example: str = ""
    """For a provider where every customer has an address of his own: what it looks like."""
    timeouts: Timeouts = Timeouts()
    concurrency: Concurrency | None = None
    """None: as many calls as there are."""
    dialect: str = ""
    """Whose rendition of a format it speaks, a provider id; its own id where empty."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Headers that every call to it gets; they may hold secrets."""

    def __post_init__(self) -> None:
        if not self.dialect:
            msgspec.structs.force_setattr(self, "dialect", self.id)

    def at(self, model: str) -> Provider:
        """Return the provider as it is where it has one of its models."""
        server = self.servers.get(model)
        if server is None:
            return self
        urls: dict[FormatName, str] = {"openai-chat": server.base_url}
        return msgspec.structs.replace(self, base_urls=urls, dialect=server.dialect)

    def facts(self, model: str) -> ModelFacts | None:
        """Return what is known of one of its models."""
        own = self.own_facts.get(model)
        known = model_facts(self.dialect, model)
        return known if own is None else own.over(known)

    @property
    def passes_key(self) -> bool:
        """Whether it gets the agent's own key."""
        return self.api_key is not None and self.api_key.reveal() == AGENT_KEY

    @property
    def default_model(self) -> str | None:
        """The model to try the provider with."""
        return self.models[0] if self.models else None

    def format_for(
        self, agent_format: FormatName, implemented: Container[str] = FORMATS
    ) -> FormatName:
        """Choose the format in which to call the provider.

        The agent's own where the provider offers it, so that nothing needs translating (decision
        D3), else the provider's best one that Detour speaks.

        Args:
            agent_format: The format that the agent speaks.
            implemented: Names of the formats that Detour speaks.

        Raises:
            UnsupportedFeature: Detour speaks none of the provider's formats.
        """
        if agent_format in self.base_urls:
            return agent_format
        for name in self.base_urls:
            if name in implemented:
                return name
        offered = ", ".join(self.base_urls)
        raise UnsupportedFeature(self.id, f"it offers {offered}, which Detour does not speak")

    def auth_headers(self, format: FormatName, key: str | None) -> Headers:
        """Return the headers that only this provider may see: its key and those rules.yaml adds.

        They replace headers of the same name. With None for `key` no key is sent.
        """
        extra = tuple((name, value.reveal()) for name, value in self.headers)
        if key is None:
            return extra
        match self.auth.get(format, AUTH_SCHEME_OF_FORMAT[format]):
            case "bearer":
                return (("authorization", f"Bearer {key}"), *extra)
            case scheme:
                return ((scheme, key), *extra)

    @override
    def __repr__(self) -> str:
        """Name the provider without what it keeps secret."""
        return f"<Provider {self.id}>"


class Destination(msgspec.Struct, frozen=True):
    """Where one call goes."""

    provider: Provider
    format: FormatName
    base_url: str
    model: str
    """The provider's name of the model."""
