"""An agent that speaks WebSocket through the proxy."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.proxy import AGENT_KEY, Proxy, agent_context

URL = "wss://api.openai.com/v1/responses"
logging.getLogger("websockets").setLevel(logging.INFO)
ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def create(text: str | None = None, **fields: Any) -> dict[str, Any]:
    """Write a `response.create` with one message of the user."""
    items = [] if text is None else [{"type": "message", "role": "user", "content": text}]
    return {"type": "response.create", "model": "gpt-5.1", "input": items, **fields}


class Agent:
    """Sends and receives messages."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: dict[str, Any]) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        message = await self.connection.recv()
        assert isinstance(message, str)
        return json.loads(message)

    async def respond(self, message: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Receive the events of one response; send what asks for it before, if given."""
        if message is not None:
            await self.send(message)
        events = [await self.receive()]
        while events[-1]["type"] not in ENDS:
            events.append(await self.receive())
        return events


@contextlib.asynccontextmanager
async def socket_agent(
    proxy: Proxy, url: str = URL, agent: str = "", **options: Any
) -> AsyncIterator[Agent]:
    """Open a socket through the proxy."""
    async with connect(
        url,
        proxy=proxy.url(agent),
        ssl=agent_context(),
        additional_headers={"authorization": f"Bearer {AGENT_KEY}"},
        user_agent_header="codex_exec/0.169.0",
        max_size=None,
        **options,
    ) as connection:
        yield Agent(connection)


def text_of(events: list[dict[str, Any]]) -> str:
    """Join the words of a response."""
    return "".join(
        event["delta"] for event in events if event["type"] == "response.output_text.delta"
    )
