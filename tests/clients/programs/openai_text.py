"""The openai SDK, synchronous: words, pictures, files, reasoning, structured output."""

from __future__ import annotations

from typing import Any, Literal

import openai
import pydantic
from cases import case, run_cases

MODEL = "gpt-5.1"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"


class Step(pydantic.BaseModel):
    title: str
    minutes: int
    done: bool


class Plan(pydantic.BaseModel):
    kind: Literal["short", "long"]
    steps: list[Step]
    remark: str | None


def user(content: str | list[dict[str, Any]]) -> list[Any]:
    return [{"role": "user", "content": content}]


def facts(completion: Any) -> dict[str, Any]:
    (choice,) = completion.choices
    return {
        "object": completion.object,
        "model": completion.model,
        "text": choice.message.content,
        "thoughts": getattr(choice.message, "reasoning_content", None),
        "refusal": choice.message.refusal,
        "finish_reason": choice.finish_reason,
        "usage": completion.usage.to_dict() if completion.usage else None,
    }


def listen(stream: Any) -> dict[str, Any]:
    """Read a stream as agents do: deltas, one finish reason, and usage where it comes."""
    pieces: list[str] = []
    thoughts: list[str] = []
    reasons: list[str] = []
    identifiers: set[str] = set()
    usage: Any = None
    for chunk in stream:
        identifiers.add(chunk.id)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            if choice.delta.content:
                pieces.append(choice.delta.content)
            if thought := getattr(choice.delta, "reasoning_content", None):
                thoughts.append(thought)
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
    return {
        "pieces": pieces,
        "thoughts": "".join(thoughts),
        "finish_reasons": reasons,
        "ids": len(identifiers),
        "usage": usage.to_dict() if usage else None,
    }


@case
def create(client: openai.OpenAI, mark: str) -> Any:
    completion = client.chat.completions.create(
        model=MODEL, messages=user(mark + "[[say Good day to you]]")
    )
    return {**facts(completion), "id": completion.id, "request_id": completion._request_id}


@case
def stream(client: openai.OpenAI, mark: str) -> Any:
    return listen(
        client.chat.completions.create(
            model=MODEL, messages=user(mark + "[[say Good day to you]]"), stream=True
        )
    )


@case
def stream_with_usage(client: openai.OpenAI, mark: str) -> Any:
    return listen(
        client.chat.completions.create(
            model=MODEL,
            messages=user(mark + "[[say Good day to you]]"),
            stream=True,
            stream_options={"include_usage": True},
        )
    )


@case
def stream_helper(client: openai.OpenAI, mark: str) -> Any:
    kinds: list[str] = []
    with client.chat.completions.stream(
        model=MODEL, messages=user(mark + "[[say Good day to you]]")
    ) as events:
        for event in events:
            if not kinds or kinds[-1] != event.type:
                kinds.append(event.type)
        return {**facts(events.get_final_completion()), "kinds": kinds}


@case
def parse(client: openai.OpenAI, mark: str) -> Any:
    completion = client.chat.completions.parse(
        model=MODEL, messages=user(mark + "Plan my day."), response_format=Plan
    )
    plan = completion.choices[0].message.parsed
    return {"parsed": isinstance(plan, Plan), "plan": plan and plan.model_dump()}


@case
def parse_stream(client: openai.OpenAI, mark: str) -> Any:
    with client.chat.completions.stream(
        model=MODEL, messages=user(mark + "Plan my day."), response_format=Plan
    ) as events:
        for _ in events:
            pass
        plan = events.get_final_completion().choices[0].message.parsed
    return {"parsed": isinstance(plan, Plan), "plan": plan and plan.model_dump()}


@case
def json_object(client: openai.OpenAI, mark: str) -> Any:
    return facts(
        client.chat.completions.create(
            model=MODEL,
            messages=user(mark + 'Answer as JSON. [[say {"a": 1}]]'),
            response_format={"type": "json_object"},
        )
    )


@case
def image_inline(client: openai.OpenAI, mark: str) -> Any:
    parts = [
        {"type": "text", "text": mark + "[[say A pixel]]"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
    ]
    return facts(client.chat.completions.create(model=MODEL, messages=user(parts)))


@case
def image_address(client: openai.OpenAI, mark: str) -> Any:
    parts = [
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "text", "text": mark + "[[say A cat]]"},
    ]
    return facts(client.chat.completions.create(model=MODEL, messages=user(parts)))


@case
def pdf(client: openai.OpenAI, mark: str) -> Any:
    parts = [
        {"type": "text", "text": mark + "[[say An empty page]]"},
        {"type": "file", "file": {"filename": "page.pdf", "file_data": PDF}},
    ]
    return facts(client.chat.completions.create(model=MODEL, messages=user(parts)))


def instruct(client: openai.OpenAI, mark: str, model: str) -> Any:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Speak English."},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "developer", "content": "From now on, be polite."},
        {"role": "user", "content": mark + "[[say Good day]]"},
    ]
    return facts(client.chat.completions.create(model=model, messages=messages))


@case
def instructions(client: openai.OpenAI, mark: str) -> Any:
    return instruct(client, mark, MODEL)


@case
def instructions_obeyed(client: openai.OpenAI, mark: str) -> Any:
    return instruct(client, mark, "o3")


@case
def reasoning(client: openai.OpenAI, mark: str) -> Any:
    return facts(
        client.chat.completions.create(
            model=MODEL,
            messages=user(mark + "[[think Let me see]] [[say 42]]"),
            reasoning_effort="high",
        )
    )


@case
def reasoning_stream(client: openai.OpenAI, mark: str) -> Any:
    return listen(
        client.chat.completions.create(
            model=MODEL,
            messages=user(mark + "[[think Let me see]] [[say 42]]"),
            reasoning_effort="high",
            stream=True,
            stream_options={"include_usage": True},
        )
    )


@case
def limit(client: openai.OpenAI, mark: str) -> Any:
    return facts(
        client.chat.completions.create(
            model="gpt-4.1",
            messages=user(mark + "[[say one two three four five six seven]]"),
            max_completion_tokens=3,
            temperature=0.5,
        )
    )


@case
def stop(client: openai.OpenAI, mark: str) -> Any:
    return facts(
        client.chat.completions.create(
            model=MODEL, messages=user(mark + "[[say one two three]]"), stop=["three", "four"]
        )
    )


@case
def refusal(client: openai.OpenAI, mark: str) -> Any:
    return facts(
        client.chat.completions.create(
            model=MODEL, messages=user(mark + "[[say Here you]] [[stop refusal]]")
        )
    )


@case
def compressed(client: openai.OpenAI, mark: str) -> Any:
    return listen(
        client.chat.completions.create(
            model=MODEL, messages=user(mark + "[[gzip]] [[say Good day to you]]"), stream=True
        )
    )


if __name__ == "__main__":
    run_cases(openai.OpenAI(max_retries=0, timeout=20))
