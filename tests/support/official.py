"""The official SDKs as judges: they read our bytes exactly as an agent would."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from openai import ContentFilterFinishReasonError, LengthFinishReasonError
from openai.lib.streaming.chat import ChatCompletionStreamState

QUESTION: list[Any] = [{"role": "user", "content": "x"}]


def _client(status: int, content_type: str, body: bytes) -> httpx2.Client:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": content_type}, content=body)

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def read_chat_stream(body: bytes) -> Any:
    """Return the openai SDK's completion of a Chat stream.

    Raises:
        openai.APIError: The stream ends in an error.
    """
    client = openai.OpenAI(
        api_key="k", max_retries=0, http_client=_client(200, "text/event-stream", body)
    )
    state = ChatCompletionStreamState()
    for chunk in client.chat.completions.create(model="m", messages=QUESTION, stream=True):
        # Raised by design for an answer that was cut short; what was said is kept all the same.
        with contextlib.suppress(LengthFinishReasonError, ContentFilterFinishReasonError):
            state.handle_chunk(chunk)
    return state.current_completion_snapshot


def read_chat_answer(body: bytes) -> Any:
    """Return the openai SDK's completion of a whole Chat answer."""
    client = openai.OpenAI(
        api_key="k", max_retries=0, http_client=_client(200, "application/json", body)
    )
    return client.chat.completions.create(model="m", messages=QUESTION)


def read_anthropic_stream(body: bytes) -> Any:
    """Return the anthropic SDK's message of a Messages stream.

    Raises:
        anthropic.APIStatusError: The stream ends in an error.
    """
    client = anthropic.Anthropic(
        api_key="k", max_retries=0, http_client=_client(200, "text/event-stream", body)
    )
    with client.messages.stream(model="m", max_tokens=9, messages=QUESTION) as stream:
        for _ in stream:
            pass
        return stream.get_final_message()


def read_anthropic_answer(body: bytes) -> Any:
    """Return the anthropic SDK's message of a whole answer."""
    client = anthropic.Anthropic(
        api_key="k", max_retries=0, http_client=_client(200, "application/json", body)
    )
    return client.messages.create(model="m", max_tokens=9, messages=QUESTION)


class _GoogleClient:
    """Google's client with canned answers; making one takes long, so one serves all."""

    def __init__(self) -> None:
        genai = pytest.importorskip("google.genai")
        try:
            import httpx as library  # what versions before 3 are built on
        except ModuleNotFoundError:
            library = httpx2
        self.body = b""
        self.content_type = ""

        def answer(_request: Any) -> Any:
            headers = {"content-type": self.content_type}
            return library.Response(200, headers=headers, content=self.body)

        transport = library.MockTransport(answer)
        options = genai.types.HttpOptions(httpx_client=library.Client(transport=transport))
        self.models = genai.Client(api_key="k", http_options=options).models


@functools.cache
def _google_client() -> _GoogleClient:
    return _GoogleClient()


def read_gemini_stream(body: bytes) -> list[Any]:
    """Return the chunks that Google's client makes of a stream of server-sent events.

    Raises:
        google.genai.errors.APIError: The stream ends in an error.
    """
    client = _google_client()
    client.body, client.content_type = body, "text/event-stream"
    return list(client.models.generate_content_stream(model="m", contents="x"))


def read_gemini_answer(body: bytes) -> list[Any]:
    """Return the response that Google's client makes of a whole answer, as one chunk."""
    client = _google_client()
    client.body, client.content_type = body, "application/json"
    return [client.models.generate_content(model="m", contents="x")]


def gemini_facts(chunks: list[Any]) -> dict[str, Any]:
    """Pick from the responses of Google's client what an agent acts on."""
    candidates = [candidate for chunk in chunks for candidate in chunk.candidates or ()]
    parts = [
        part
        for candidate in candidates
        for part in (candidate.content and candidate.content.parts) or ()
    ]
    calls = [part.function_call for part in parts if part.function_call]
    usages = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    return {
        "text": "".join(part.text for part in parts if part.text and not part.thought),
        "thoughts": "".join(part.text for part in parts if part.text and part.thought),
        "calls": [(call.id, call.name, call.args) for call in calls],
        "signatures": [part.thought_signature for part in parts if part.thought_signature],
        "grounding": [
            candidate.grounding_metadata for candidate in candidates if candidate.grounding_metadata
        ],
        "finish_reason": [
            candidate.finish_reason for candidate in candidates if candidate.finish_reason
        ],
        "usage": usages[-1].total_token_count if usages else None,
    }


def read_responses_stream(body: bytes) -> Any:
    """Return the openai SDK's response of a Responses stream, put together by its strict reader.

    Raises:
        openai.APIError: The stream ends in an error.
    """
    client = openai.OpenAI(
        api_key="k", max_retries=0, http_client=_client(200, "text/event-stream", body)
    )
    with client.responses.stream(model="m", input="x") as stream:
        last = None
        for number, event in enumerate(stream):
            assert event.sequence_number == number
            last = event
        assert last is not None
        if last.type == "response.completed":
            final = stream.get_final_response()
            assert final.output_text == last.response.output_text
            return final
        # The SDK has no final response for an answer that was cut short.
        assert last.type == "response.incomplete", last.type
        return last.response


def read_responses_answer(body: bytes) -> Any:
    """Return the openai SDK's response of a whole answer."""
    client = openai.OpenAI(
        api_key="k", max_retries=0, http_client=_client(200, "application/json", body)
    )
    return client.responses.create(model="m", input="x")


def chat_facts(completion: Any) -> dict[str, Any]:
    """Pick from the openai SDK's completion what an agent acts on."""
    choice = completion.choices[0]
    message = choice.message
    return {
        "text": message.content or "",
        "thoughts": getattr(message, "reasoning_content", None) or "",
        "refusal": message.refusal or "",
        "calls": [_chat_call(call) for call in message.tool_calls or ()],
        "finish_reason": choice.finish_reason,
        "usage": completion.usage and completion.usage.total_tokens,
    }


def _chat_call(call: Any) -> tuple[str, str, str]:
    if call.type == "custom":
        custom = dict(call.custom)  # the accumulator leaves it a plain dict
        return call.id, custom["name"], custom["input"]
    return call.id, call.function.name, call.function.arguments or ""


def anthropic_facts(message: Any) -> dict[str, Any]:
    """Pick from the anthropic SDK's message what an agent acts on.

    Arguments of an answer that hit its limit may be half a JSON value; the SDK guesses at them.
    """
    cut_short = message.stop_reason == "max_tokens"
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "thoughts": "".join(
            block.thinking for block in message.content if block.type == "thinking"
        ),
        "calls": [
            (block.id, block.name, None if cut_short else block.input)
            for block in message.content
            if block.type == "tool_use"
        ],
        "finish_reason": message.stop_reason,
        "usage": (message.usage.input_tokens, message.usage.output_tokens),
    }


def responses_facts(response: Any) -> dict[str, Any]:
    """Pick from the openai SDK's response what an agent acts on."""
    items = [item.model_dump(exclude_none=True) for item in response.output]
    reason = response.incomplete_details and response.incomplete_details.reason
    return {
        "items": items,
        "finish_reason": (response.status, reason),
        "usage": response.usage and response.usage.total_tokens,
    }
