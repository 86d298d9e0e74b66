"""The openai SDK, asynchronous, all cases at once on one client."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pydantic
from cases import case, run_async_cases

MODEL = "gpt-5.1"
TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}},
}


class Answer(pydantic.BaseModel):
    value: int
    unit: str


def request(text: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


async def read(client: openai.AsyncOpenAI, text: str, **more: Any) -> str:
    stream = await client.chat.completions.create(**request(text, **more), stream=True)
    pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    return "".join(pieces)


@case
async def create(client: openai.AsyncOpenAI, mark: str) -> Any:
    completion = await client.chat.completions.create(**request(mark + "[[say Good day]]"))
    return completion.choices[0].message.content


@case
async def stream(client: openai.AsyncOpenAI, mark: str) -> Any:
    return await read(client, mark + "[[say Good day]]")


@case
async def stream_helper(client: openai.AsyncOpenAI, mark: str) -> Any:
    async with client.chat.completions.stream(**request(mark + "[[say Good day]]")) as events:
        completion = await events.get_final_completion()
    return completion.choices[0].message.content


@case
async def parse(client: openai.AsyncOpenAI, mark: str) -> Any:
    completion = await client.chat.completions.parse(
        **request(mark + "How much?"), response_format=Answer
    )
    return isinstance(completion.choices[0].message.parsed, Answer)


@case
async def tools(client: openai.AsyncOpenAI, mark: str) -> Any:
    messages: list[Any] = [
        {"role": "user", "content": mark + "[[tool look_up]] [[then]] [[say Found]]"}
    ]
    first = await client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    message = first.choices[0].message
    (call,) = message.tool_calls or ()
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "it"}]
    second = await client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    return second.choices[0].message.content


@case
async def many(client: openai.AsyncOpenAI, mark: str) -> Any:
    """Answers to calls that run at the same time do not get mixed up."""
    texts = [f"answer number {number} of many" for number in range(10)]
    got = await asyncio.gather(
        *(read(client, f"{mark} [[slow 0.005]] [[say {text}]]") for text in texts)
    )
    return got == texts


@case
async def left(client: openai.AsyncOpenAI, mark: str) -> Any:
    """Leave in the middle of a stream that would take a minute."""
    wanted = mark + "[[slow 1]] [[events 60]]"
    answer = await client.chat.completions.create(**request(wanted), stream=True)
    async for _ in answer:
        break
    await answer.close()
    return True


@case
async def error(client: openai.AsyncOpenAI, mark: str) -> Any:
    return await read(client, mark + "[[error 529 overloaded_error Overloaded]]")


@case
async def cut(client: openai.AsyncOpenAI, mark: str) -> Any:
    return await read(client, mark + "[[events 30]] [[cut 20]]")


async def main() -> None:
    async with openai.AsyncOpenAI(max_retries=0, timeout=20) as client:
        await run_async_cases(client)


if __name__ == "__main__":
    asyncio.run(main())
