"""Completions, from before Chat: `POST /v1/completions`, said in the words of Chat and back.

Follows https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from typing import Any, cast

from addon.neutral import ClientRequestError, Loss, ProviderResponseError, UnsupportedFeature
from addon.wire.codec import decode_object, encode
from addon.wire.sse import COMMENT, SseDecoder, frame

_REFUSED = {
    "suffix": "models of Chat fill in nothing between two texts",
    "logprobs": "Chat tells them in another way",
    "echo": "models of Chat do not repeat the prompt",
}


def chat_request(body: bytes) -> bytes:
    """Write a request for a completion as one for a chat, with the prompt as the user's message.

    Raises:
        ClientRequestError: It is not what the format allows.
        UnsupportedFeature: It asks for what Chat cannot do.
    """
    document = decode_object(body)
    if document is None:
        raise ClientRequestError("The body is not a JSON object.")
    for name, reason in _REFUSED.items():
        value = document.pop(name, None)
        if value or type(value) is int:  # `logprobs: 0` asks for those of the words themselves
            raise UnsupportedFeature(name, reason)
    document.pop("best_of", None)
    prompt = document.pop("prompt", None)
    if isinstance(prompt, list) and len(cast("list[Any]", prompt)) == 1:
        prompt = cast("list[Any]", prompt)[0]
    if not isinstance(prompt, str):
        raise UnsupportedFeature("prompt", "a chat is about one text, not several, nor tokens")
    return encode({**document, "messages": [{"role": "user", "content": prompt}]})


def losses_of(body: bytes) -> tuple[Loss, ...]:
    """Name what `chat_request` leaves out of a request that it can write."""
    document = decode_object(body) or {}
    best_of = document.get("best_of")
    if best_of in (None, document.get("n") or 1):
        return ()
    return (Loss("best_of", "models of Chat do not choose among several answers", "dropped"),)


def completion(answer: bytes) -> bytes:
    """Write the answer of a chat as a completion.

    Raises:
        ProviderResponseError: It is none.
    """
    document = decode_object(answer)
    if document is None or "choices" not in document:
        raise ProviderResponseError("the answer is no chat completion")
    return encode(reworded(document, "message"))


class CompletionStream:
    """Writes the stream of a chat as one of a completion."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the stream and return what the agent gets for them."""
        written: list[bytes] = []
        for event in self._decoder.feed(data):
            chunk = decode_object(event.data)
            if chunk is not None and "choices" in chunk:
                written.append(frame(encode(reworded(chunk, "delta"))))
            else:
                written.append(frame(event.data))
        return b"".join(written) or (COMMENT if data.startswith(b":") else b"")


def reworded(document: dict[str, Any], holder: str) -> dict[str, Any]:
    """Write what a chat says, in the `message` or `delta` of each choice, as a completion."""
    choices = [
        {
            "text": cast("dict[str, Any]", choice.get(holder) or {}).get("content") or "",
            "index": choice.get("index", 0),
            "logprobs": None,
            "finish_reason": choice.get("finish_reason"),
        }
        for choice in cast("list[dict[str, Any]]", document["choices"])
    ]
    return {**document, "object": "text_completion", "choices": choices}
