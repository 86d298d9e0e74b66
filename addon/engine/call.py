"""What the engine is asked to do, how its answer begins, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import override

import msgspec

from addon.engine.chain import Attempt, Chain
from addon.engine.tape import Tape
from addon.formats import FORMATS
from addon.formats.base import Continuation, FormatName, Headers, Reply, RequestLine
from addon.neutral import ErrorInfo, FinishReason, Loss, Usage
from addon.providers import Destination, Timeouts
from addon.translation import Recorder, RenderedRequest

KEEP_ALIVE = 15.0
"""Seconds of silence after which a streaming agent is sent a comment, unless told otherwise."""


class Head(msgspec.Struct, frozen=True):
    """How an answer begins; the body follows as bytes."""

    status: int
    headers: Headers


class Outcome(msgspec.Struct):
    """What came of a call; filled while the answer runs, complete when it has ended."""

    status: int | None = None
    """Status that the agent got."""
    error: ErrorInfo | None = None
    """Why the call failed, also when the agent was told so within a stream."""
    losses: tuple[Loss, ...] = ()
    """What of the answer the agent's format could not express."""
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str | None = None
    """The provider's name of the model that answered, where known."""
    request_id: str | None = None
    """The provider's name for the call."""
    response_id: str | None = None
    """The provider's name for the answer."""
    attempts: tuple[Attempt, ...] = ()
    """What was tried, the answering target last; empty where there is nothing else to try."""
    destination: Destination | None = None
    """Where the call went, last of all."""
    request_losses: tuple[Loss, ...] = ()
    """What of the request the provider's format could not express."""
    started: float | None = None
    """When the call began, by the clock of the event loop."""
    first_byte: float | None = None
    """Seconds until the provider's answer began."""
    first_token: float | None = None
    """Seconds until the first piece of the answer itself went to the agent."""
    duration: float | None = None
    """Seconds until the answer had ended."""
    tape: Tape | None = None
    """Keeps what providers send, as it comes, for people who look into the call."""
    when_concluded: Callable[[], None] | None = None
    """Is called once all of this is known, before the last piece of the answer goes out."""
    concluded: bool = False
    """Whether all of this is known: the answer was not broken off by the agent, or by Detour."""


class Call(msgspec.Struct, kw_only=True):
    """One call to a provider on behalf of an agent."""

    agent_format: FormatName
    line: RequestLine
    """Path and query that the agent called."""
    body: bytes
    """The agent's body, unpacked, with the rule's edits applied."""
    rendered: RenderedRequest
    """The same for the provider; holds no key."""
    destination: Destination
    key_headers: Headers = ()
    """The provider's key, as the headers that carry it."""
    agent_headers: Headers = ()
    """Headers of the agent's request; only what `headers` lets through reaches the provider."""
    stream: bool = False
    """Whether the agent wants the answer as a stream."""
    shape: Reply | None = None
    """What shapes the answer, where it is not the body alone that says so."""
    recorder: Recorder | None = None
    """Keeps of the answer what the provider will want to see again."""
    keep_alive: float = KEEP_ALIVE
    estimate: int | None = None
    """For a call that asks for a count of tokens: about how many there are; else None."""
    carried: bool = False
    """Whether the answer goes to the agent as it is, whatever it holds."""
    following: tuple[bytes, ...] = ()
    """Further bodies to send one after the other, where one request cannot hold all."""
    join: Callable[[Sequence[bytes]], bytes] | None = None
    """Makes the agent's answer of the provider's answers, the first and those to `following`.

    Raises `ProviderResponseError`: they cannot be read.
    """
    chain: Chain | None = None
    """What to try where this fails before the agent has got anything."""
    outcome: Outcome = msgspec.field(default_factory=Outcome)

    @property
    def timeouts(self) -> Timeouts:
        """How long this provider may take."""
        return self.destination.provider.timeouts

    @property
    def flows(self) -> bool:
        """Whether the answer may reach the agent piece by piece."""
        return self.stream or self.carried

    @property
    def reply(self) -> Reply:
        """What the agent's request says about the answer it expects."""
        return self.shape or FORMATS[self.agent_format].reply(self.body, self.line)

    @property
    def continuation(self) -> Continuation | None:
        """What goes on with an answer that the provider suspends; None for agents who do it."""
        destination = self.destination
        if destination.format == self.agent_format:
            return None
        return FORMATS[destination.format].continuation(self.rendered.body, destination.model)

    @property
    def dialect(self) -> str:
        """Whose rendition of the format the provider speaks."""
        return self.destination.provider.dialect

    @override
    def __repr__(self) -> str:
        """Name the call without its key."""
        destination = self.destination
        return f"<Call {self.agent_format} -> {destination.provider.id}:{destination.model}>"
