"""The openai SDK, synchronous: everything that can go wrong."""

from __future__ import annotations

import time
from typing import Any

import openai
from cases import case, facts_of, run_cases

MODEL = "gpt-5.1"


def ask(client: openai.OpenAI, text: str, **more: Any) -> Any:
    request = {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}
    answer = client.chat.completions.create(**request)
    return answer if more.get("stream") else answer.to_dict()


def listen(client: openai.OpenAI, text: str) -> Any:
    """Read a stream until it fails; say what was read before and whether it seemed complete."""
    said, reasons = "", []
    try:
        for chunk in ask(client, text, stream=True):
            for choice in chunk.choices:
                said += choice.delta.content or ""
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
    except openai.OpenAIError as error:
        return {"said": said, "finish_reasons": reasons, **facts_of(error)}
    return {"said": said, "finish_reasons": reasons, "error": None}


@case
def authentication(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark, model="gpt-unauthorized")


@case
def authentication_streamed(client: openai.OpenAI, mark: str) -> Any:
    return list(ask(client, mark, model="gpt-unauthorized", stream=True))


@case
def permission(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 403 permission_error Not for you]]")


@case
def not_found(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 404 not_found_error model: claude-x]]")


@case
def too_large(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 413 request_too_large Too large]]")


@case
def rate_limit(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 429 rate_limit_error Slow down]] [[retry-after 7]]")


@case
def internal(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 500 api_error Oh dear]]")


@case
def overloaded(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 529 overloaded_error Overloaded]]")


@case
def overloaded_streamed(client: openai.OpenAI, mark: str) -> Any:
    return listen(client, mark + "[[error 529 overloaded_error Overloaded]]")


@case
def gateway(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[html 502]]")


@case
def bad_request(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[error 400 invalid_request_error messages: no good]]")


@case
def context_length(client: openai.OpenAI, mark: str) -> Any:
    message = "prompt is too long: 1200000 tokens > 1000000 maximum"
    return ask(client, mark + f"[[error 400 invalid_request_error {message}]]")


@case
def ill_formed(client: openai.OpenAI, mark: str) -> Any:
    messages = [{"role": "nobody", "content": mark}]
    return ask(client, mark, messages=messages)


@case
def audio(client: openai.OpenAI, mark: str) -> Any:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    text = {"type": "text", "text": mark}
    return ask(client, mark, messages=[{"role": "user", "content": [text, sound]}])


@case
def blocked(client: openai.OpenAI, mark: str) -> Any:
    return client.embeddings.create(model="text-embedding-3-small", input=mark)


@case
def in_stream(client: openai.OpenAI, mark: str) -> Any:
    return listen(client, mark + "[[events 30]] [[error-in-stream overloaded_error 20]]")


@case
def cut(client: openai.OpenAI, mark: str) -> Any:
    return listen(client, mark + "[[events 30]] [[cut 20]]")


@case
def reset(client: openai.OpenAI, mark: str) -> Any:
    return listen(client, mark + "[[events 30]] [[reset 20]]")


@case
def ended_early(client: openai.OpenAI, mark: str) -> Any:
    return listen(client, mark + "[[events 30]] [[end 20]]")


@case
def cut_plain(client: openai.OpenAI, mark: str) -> Any:
    return ask(client, mark + "[[say one two three]] [[cut 1]]")


@case
def retried(client: openai.OpenAI, mark: str) -> Any:
    """The SDK's own retry waits as long as the provider says, and then succeeds."""
    started = time.monotonic()
    patient = client.with_options(max_retries=1)
    wanted = "[[error 429 rate_limit_error 1 Slow down]] [[retry-after 1]] [[say Well]]"
    completion = ask(patient, mark + wanted)
    return {
        "text": completion["choices"][0]["message"]["content"],
        "seconds": time.monotonic() - started,
    }


if __name__ == "__main__":
    run_cases(openai.OpenAI(max_retries=0, timeout=20))
