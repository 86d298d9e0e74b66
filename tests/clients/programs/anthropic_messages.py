"""The anthropic SDK, synchronous."""

from __future__ import annotations

from typing import Any

import anthropic
from cases import case, run_cases

MODEL = "claude-opus-4-6"
TOOL: Any = {
    "name": "look_up",
    "description": "Look a word up.",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}},
}


def request(text: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": MODEL, "max_tokens": 500, "messages": messages, **more}


def facts(message: Any) -> dict[str, Any]:
    return {
        "model": message.model,
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "stop_reason": message.stop_reason,
        "calls": [
            [block.name, block.input] for block in message.content if block.type == "tool_use"
        ],
        "output_tokens": message.usage.output_tokens,
    }


@case
def create(client: anthropic.Anthropic, mark: str) -> Any:
    return facts(client.messages.create(**request(mark + "[[say Good day]]", system="Be brief.")))


@case
def stream(client: anthropic.Anthropic, mark: str) -> Any:
    with client.messages.stream(**request(mark + "[[say Good day to you]]")) as events:
        pieces = list(events.text_stream)
        return {**facts(events.get_final_message()), "pieces": pieces}


@case
def thinking(client: anthropic.Anthropic, mark: str) -> Any:
    wish = request(mark + "[[think Let me see]] [[say 42]]", max_tokens=3000)
    wish["thinking"] = {"type": "adaptive", "display": "summarized"}
    kinds: list[str] = []
    with client.messages.stream(**wish) as events:
        for block in events.get_final_message().content:
            kinds.append(f"{block.type}: {getattr(block, block.type)}")
    return kinds


@case
def tools(client: anthropic.Anthropic, mark: str) -> Any:
    wanted = '[[tool look_up {"word": "a"}]] [[tool look_up {"word": "b"}]] [[then]] [[say Found]]'
    messages: list[Any] = [{"role": "user", "content": mark + wanted}]
    turns: list[dict[str, Any]] = []
    for _ in range(2):
        with client.messages.stream(
            model=MODEL, max_tokens=500, messages=messages, tools=[TOOL]
        ) as events:
            message = events.get_final_message()
        turns.append(facts(message))
        messages.append({"role": "assistant", "content": message.content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "it"}
            for block in message.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})
    return turns


@case
def rate_limit(client: anthropic.Anthropic, mark: str) -> Any:
    wanted = "[[error 429 rate_limit_error Slow down]] [[retry-after 7]]"
    return facts(client.messages.create(**request(mark + wanted)))


@case
def cut(client: anthropic.Anthropic, mark: str) -> Any:
    with client.messages.stream(**request(mark + "[[events 30]] [[cut 20]]")) as events:
        return facts(events.get_final_message())


if __name__ == "__main__":
    run_cases(anthropic.Anthropic(api_key="sk-of-the-agent", max_retries=0, timeout=20))
