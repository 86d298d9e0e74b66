"""Print every piece of a streamed answer, one a line, at the moment it arrives.

Arguments: which client, and the prompt.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

MODEL = "gpt-5.1"


def request(prompt: str) -> dict[str, Any]:
    """Write the request that LangChain makes of its own accord, usage included."""
    messages = [{"role": "user", "content": prompt}]
    usage = {"include_usage": True}
    return {"model": MODEL, "messages": messages, "stream": True, "stream_options": usage}


def say(text: str | None) -> None:
    if text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def openai_sync(prompt: str) -> None:
    import openai

    client = openai.OpenAI(max_retries=0, timeout=20)
    for chunk in client.chat.completions.create(**request(prompt)):
        for choice in chunk.choices:
            say(choice.delta.content)


def openai_async(prompt: str) -> None:
    import openai

    async def listen() -> None:
        async with openai.AsyncOpenAI(max_retries=0, timeout=20) as client:
            async for chunk in await client.chat.completions.create(**request(prompt)):
                for choice in chunk.choices:
                    say(choice.delta.content)

    asyncio.run(listen())


def langchain(prompt: str) -> None:
    from langchain_openai import ChatOpenAI

    for chunk in ChatOpenAI(model=MODEL, max_retries=0, timeout=20).stream(prompt):
        say(str(chunk.content))


CLIENTS: dict[str, Callable[[str], None]] = {
    "openai_sync": openai_sync,
    "openai_async": openai_async,
    "langchain": langchain,
}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](sys.argv[2])
