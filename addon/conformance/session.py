"""One agent talking to one provider through the proxy, streamed or plain."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from addon.conformance.agent import Agent, Call
from addon.conformance.conversation import Misshapen, Question, Reply, Turn, UserTurn
from addon.conformance.events import read_events

LONGEST = 120.0
"""Seconds that one answer may take."""


class Failed(Exception):
    """What the agent saw is not what it should have seen."""


class NotApplicable(Exception):
    """The scenario makes no sense for this agent and provider."""


class Refused(Failed):
    """The answer was an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"status {status}: {message[:300]}")
        self.status = status
        self.message = message


@dataclass
class Session:
    """What a scenario works with."""

    agent: Agent
    client: httpx2.AsyncClient
    streamed: bool
    directed: bool
    """Whether the provider is the embedded one, which takes directives."""
    provider_format: str
    """The format that the provider speaks; blank where it is not known."""
    received: Callable[[], bytes] = bytes
    """Returns the body that the embedded provider received last for this session."""
    mark: str = ""
    """Stands in every prompt, so that the provider's requests can be told apart."""
    pieces: list[bytes] = field(default_factory=list[bytes])
    """The last stream as it arrived."""

    def prompt(self, words: str, directives: str) -> str:
        """Return the prompt: directives for the embedded provider, words for a real one."""
        return f"{directives} {self.mark}" if self.directed else words

    async def say(self, text: str) -> Reply:
        """Ask one question of one turn."""
        return await self.ask(Question([UserTurn(text)]))

    async def go_on(self, question: Question, *turns: Turn) -> tuple[Question, Reply]:
        """Ask with further turns; return what was asked and the answer."""
        longer = replace(question, turns=[*question.turns, *turns])
        return longer, await self.ask(longer)

    async def ask(self, question: Question) -> Reply:
        """Ask, and read the answer strictly.

        Raises:
            Refused: The answer was an error.
            Misshapen: It breaks the agent's format.
        """
        call = self.agent.ask(question, stream=self.streamed)
        status, body = await self._send(call)
        if status != 200:
            raise Refused(status, self.agent.read_error(_decode(body)))
        if self.streamed:
            return self.agent.read_stream(read_events(body))
        return self.agent.read(_decode(body))

    async def count(self, question: Question) -> int:
        """Count the tokens of a question.

        Raises:
            Refused: The answer was an error.
        """
        status, body = await self._send(self.agent.count(question))
        if status != 200:
            raise Refused(status, self.agent.read_error(_decode(body)))
        return self.agent.read_count(_decode(body))

    async def _send(self, call: Call) -> tuple[int, bytes]:
        self.pieces = []
        try:
            async with self.client.stream(
                "POST", call.url, headers=call.headers, json=call.body
            ) as response:
                async for piece in response.aiter_bytes():
                    self.pieces.append(piece)
                return response.status_code, b"".join(self.pieces)
        except httpx2.TransportError as error:
            raise Failed(f"the connection broke: {error!r}") from error


def _decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(body)
    except ValueError:
        raise Misshapen(f"the answer is not JSON: {body[:80]!r}") from None
