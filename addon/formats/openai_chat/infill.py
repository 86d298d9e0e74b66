"""Filling in between two texts: a completion with a `suffix`, for those who do so in their own way.

Follows https://api-docs.deepseek.com/api/create-completion, https://docs.mistral.ai/api/endpoint/fim
and `/infill` of https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, which
takes no `suffix` at the address that OpenAI has for completions. Ollama does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from addon.formats.base import RenderedBody
from addon.formats.openai_chat.legacy_completions import reworded
from addon.neutral import ClientRequestError, Loss, ProviderResponseError, UnsupportedFeature
from addon.wire.codec import decode_object, encode
from addon.wire.sse import COMMENT, SseDecoder, frame


class Way(NamedTuple):
    """How one provider is asked to fill in."""

    base_url: Callable[[str], str]
    """Makes the base URL of the one for Chat."""
    path: str
    fields: Mapping[str, str]
    """Its names of the fields that it knows, by OpenAI's."""


_FIELDS = {name: name for name in ("stream", "temperature", "top_p")}
_PENALTIES = {name: name for name in ("frequency_penalty", "presence_penalty")}
_TEXTS = {name: name for name in ("model", "prompt", "suffix", "max_tokens", "stop")}


def _root(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix("/v1").removesuffix("/beta")


WAYS: dict[str, Way] = {
    "deepseek": Way(
        _root,
        "/beta/completions",
        {
            **_FIELDS,
            **_PENALTIES,
            **_TEXTS,
            "echo": "echo",
            "logprobs": "logprobs",
            "stream_options": "stream_options",
        },
    ),
    "mistral": Way(
        str,
        "/fim/completions",
        {
            **_FIELDS,
            **_TEXTS,
            "metadata": "metadata",
            "min_tokens": "min_tokens",
            "seed": "random_seed",
        },
    ),
    "llama.cpp": Way(
        _root,
        "/infill",
        {
            **_FIELDS,
            **_PENALTIES,
            "model": "model",
            "prompt": "input_prefix",
            "suffix": "input_suffix",
            "input_extra": "input_extra",
            "max_tokens": "n_predict",
            "seed": "seed",
            "stop": "stop",
        },
    ),
}
"""By dialect."""
_ESSENTIAL = {
    "n": "it gives one answer",
    "echo": "it does not repeat the prompt",
    "logprobs": "it does not tell them",
}
"""What cannot be left out silently, and why it cannot be had."""


def has_suffix(body: bytes) -> bool:
    """Tell whether a request asks for what is between two texts."""
    return b'"suffix"' in body and bool((decode_object(body) or {}).get("suffix"))


def render_infill(body: bytes, model: str, way: Way) -> RenderedBody:
    """Write a request for a completion with a suffix in a provider's words.

    Raises:
        ClientRequestError: It is not what the format allows.
        UnsupportedFeature: It asks for what the provider cannot do.
    """
    document = decode_object(body)
    if document is None:
        raise ClientRequestError("The body is not a JSON object.")
    document = {key: value for key, value in document.items() if value is not None}
    prompt = document.get("prompt", "")
    if isinstance(prompt, list) and len(cast("list[Any]", prompt)) == 1:
        prompt = document["prompt"] = cast("list[Any]", prompt)[0]
    if not isinstance(prompt, str):
        raise UnsupportedFeature("prompt", "it fills in one text, not several, nor tokens")
    if document.get("best_of") == document.get("n", 1):
        del document["best_of"]
    if document.get("n") == 1:
        del document["n"]
    for name, reason in _ESSENTIAL.items():
        if name not in way.fields and (found := document.pop(name, False)) is not False:
            raise UnsupportedFeature(name, f"{reason} (asked for: {found})")
    if isinstance(document.get("stop"), str):
        document["stop"] = [document["stop"]]
    if "stream_options" not in way.fields:
        document.pop("stream_options", None)  # its answers tell of usage in any case
    written = {
        way.fields[name]: value
        for name, value in {**document, "model": model, "prompt": prompt}.items()
        if name in way.fields
    }
    losses = tuple(
        Loss(name, "the provider has no such field where it fills in", "dropped")
        for name in document
        if name not in way.fields
    )
    headers = (("content-type", "application/json"),)
    return RenderedBody(path=way.path, headers=headers, body=encode(written), losses=losses)


class InfillAnswer:
    """Writes an answer, in whoever's words it comes, as a completion of OpenAI's."""

    def __init__(self, body: bytes) -> None:
        """Begin.

        Args:
            body: The agent's request.
        """
        document = decode_object(body) or {}
        self._model = str(document.get("model", ""))
        options = cast("dict[str, Any]", document.get("stream_options") or {})
        self._tells_usage = bool(options.get("include_usage"))
        self._decoder = SseDecoder()

    def whole(self, answer: bytes) -> bytes:
        """Take a whole answer.

        Raises:
            ProviderResponseError: It is none.
        """
        document = decode_object(answer)
        if document is None or not ("choices" in document or "content" in document):
            raise ProviderResponseError("the answer is no completion")
        if "choices" not in document:
            return encode({**self._chunk(document), "usage": _usage(document)})
        return encode(_openai(document))

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of a stream and return what the agent gets for them."""
        written = b"".join(self._said(event.data) for event in self._decoder.feed(data))
        return written or (COMMENT if data.startswith(b":") else b"")

    def _said(self, data: bytes) -> bytes:
        document = decode_object(data)
        if document is None or not ("choices" in document or "content" in document):
            return frame(data)  # the end, or an error
        if "choices" in document:
            return frame(encode(_openai(document)))
        said = frame(encode(self._chunk(document)))
        if not document.get("stop"):
            return said
        if self._tells_usage:
            last = self._chunk(document) | {"choices": (), "usage": _usage(document)}
            said += frame(encode(last))
        return said + frame(b"[DONE]")

    def _chunk(self, document: dict[str, Any]) -> dict[str, Any]:
        """Write what llama.cpp says as a piece of a completion, or as the whole."""
        reason = None
        if document.get("stop"):
            limited = document.get("stop_type") == "limit" or document.get("stopped_limit")
            reason = "length" if limited else "stop"
        choice = {
            "text": document.get("content") or "",
            "index": 0,
            "logprobs": None,
            "finish_reason": reason,
        }
        return {
            "id": "cmpl-infill",
            "object": "text_completion",
            "created": 0,
            "model": document.get("model") or self._model,
            "choices": [choice],
        }


def _usage(document: dict[str, Any]) -> dict[str, int]:
    asked = int(document.get("tokens_evaluated") or 0)
    said = int(document.get("tokens_predicted") or 0)
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
    }


def _openai(document: dict[str, Any]) -> dict[str, Any]:
    """Write a completion, or a chat's answer, as a completion."""
    choices = cast("list[dict[str, Any]]", document["choices"])
    holder = next((name for name in ("message", "delta") for one in choices if name in one), None)
    return document if holder is None else reworded(document, holder)
