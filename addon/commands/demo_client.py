"""The agent of `detour demo`: the official openai client, led by its environment alone.

It says what happens to it in lines of JSON on standard output; `demo` shows them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import openai

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

MODEL = "gpt-5.1"
MOST_TURNS = 3

_WRITE_FILE: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "write_file",
        "description": "Write a text file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}


def main() -> None:
    """Hold the conversation that the first argument begins, until the model asks for no tool."""
    client = openai.OpenAI(max_retries=0)
    tell("client", version=openai.__version__, url=str(client.base_url))
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": sys.argv[1]}]
    for _ in range(MOST_TURNS):
        calls = ask(client, messages)
        if not calls:
            return
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})  # pyright: ignore[reportArgumentType] - put together from the stream
        for call in calls:
            tell("tool", name=call["function"]["name"], arguments=call["function"]["arguments"])
            messages.append(
                {"role": "tool", "tool_call_id": call["id"], "content": "The file is written."}
            )


def ask(client: openai.OpenAI, messages: list[ChatCompletionMessageParam]) -> list[dict[str, Any]]:
    """Ask once, tell every piece of the answer as it comes, and return the calls it makes."""
    tell("request", model=MODEL)
    started = time.perf_counter()
    first: float | None = None
    chunks = 0
    calls: list[dict[str, Any]] = []
    for chunk in client.chat.completions.create(
        model=MODEL, messages=messages, tools=[_WRITE_FILE], stream=True
    ):
        chunks += 1
        first = first or time.perf_counter() - started
        for choice in chunk.choices:
            if choice.delta.content:
                tell("text", text=choice.delta.content)
            for part in choice.delta.tool_calls or ():
                if part.index == len(calls):
                    calls.append(part.model_dump(include={"id", "type", "function"}))
                elif part.function:
                    calls[part.index]["function"]["arguments"] += part.function.arguments or ""
    tell("answer", chunks=chunks, first_byte_ms=round(1000 * (first or 0)))
    return calls


def tell(event: str, **details: object) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
