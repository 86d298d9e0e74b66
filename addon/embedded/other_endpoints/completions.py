"""Legacy completions, also those that fill in the middle.

Page followed: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, broken_off, checked
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.other_endpoints.inputs import Texts, texts_of, texts_or_tokens
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import EVENT_STREAM, Frame, Script, pieces, script_of
from addon.embedded.shapes import (
    Shape,
    boolean,
    each,
    integer,
    mapping,
    nullable,
    number,
    record,
    string_or,
    text,
)
from addon.wire.codec import encode
from addon.wire.sse import frame

_LAST = b"data: [DONE]\n\n"
_OPTIONAL: dict[str, Shape] = {
    "best_of": integer(0, 20),
    "echo": boolean,
    "frequency_penalty": number(-2, 2),
    "logit_bias": mapping,
    "logprobs": integer(0, 5),
    "max_tokens": integer(0),
    "n": integer(1, 128),
    "presence_penalty": number(-2, 2),
    "seed": integer(),
    "stop": string_or(each(text(), most=4)),
    "stream": boolean,
    "stream_options": record({}, {"include_usage": boolean, "include_obfuscation": boolean}),
    "suffix": text(),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "user": text(),
}
_REQUEST = record(
    {"model": text(shortest=1)},
    {"prompt": nullable(texts_or_tokens)}
    | {name: nullable(shape) for name, shape in _OPTIONAL.items()},
)


def complete(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/completions`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_json(request), _REQUEST)
    check_model(body["model"], "completions")
    if "stream_options" in body and not body.get("stream"):
        raise Refusal(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    wanted: int = body.get("n", 1)
    if body.get("best_of", wanted) < wanted:
        raise Refusal("You requested that the server return more choices than it will generate.")
    if body.get("best_of", wanted) > wanted and body.get("stream"):
        raise Refusal("'best_of' greater than 'n' cannot be streamed.", param="best_of")
    if body.get("suffix") and body.get("echo"):
        raise Refusal("'echo' is not allowed with 'suffix'.", param="echo")
    prompts = texts_of(body.get("prompt", "<|endoftext|>"))
    stop = body.get("stop", [])
    script = script_of(
        next((one for one in prompts if isinstance(one, str)), ""),
        max_tokens=body.get("max_tokens"),
        stop_sequences=[stop] if isinstance(stop, str) else stop,
    )
    answer = CompletionAnswer(body, prompts, script, turn)
    return Performance(answer, script, bool(body.get("stream")))


@dataclass(frozen=True)
class CompletionAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    prompts: list[Texts]
    script: Script
    turn: int

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        choices = [
            self._choice(index, self._text(prompt), self._reason())
            for index, prompt in self._numbered()
        ]
        return {**self._head(), "choices": choices, "usage": self._usage()}

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        usage = {"usage": None} if self._with_usage else {}
        for index, prompt in self._numbered():
            for piece in pieces(self._text(prompt), self.script.directives.events):
                choices = [self._choice(index, piece, None)]
                chunk = {**self._head(), "choices": choices, **usage}
                yield Frame(frame(encode(chunk)), is_delta=True)
            choices = [self._choice(index, "", self._reason())]
            chunk = {**self._head(), "choices": choices, **usage}
            yield Frame(frame(encode(chunk)), is_delta=False)
        if self._with_usage:
            last: dict[str, Any] = {**self._head(), "choices": [], "usage": self._usage()}
            yield Frame(frame(encode(last)), is_delta=False)
        yield Frame(_LAST, is_delta=False)

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error."""
        return broken_off(kind)

    @property
    def _with_usage(self) -> bool:
        return bool(self.request.get("stream_options", {}).get("include_usage"))

    def _numbered(self) -> Iterator[tuple[int, Texts]]:
        repeated = self.request.get("n", 1)
        return enumerate(prompt for prompt in self.prompts for _ in range(repeated))

    def _head(self) -> dict[str, Any]:
        return {
            "id": unique_name("cmpl-", self.turn),
            "object": "text_completion",
            "created": CREATED,
            "model": self.request["model"],
            "system_fingerprint": "fp_embedded",
        }

    def _choice(self, index: int, words: str, reason: str | None) -> dict[str, Any]:
        logprobs = None
        if "logprobs" in self.request and words:
            tokens = pieces(words, None)
            logprobs = {
                "tokens": tokens,
                "token_logprobs": [-0.1 for _ in tokens],
                "top_logprobs": [{token: -0.1} for token in tokens],
                "text_offset": [sum(map(len, tokens[:at])) for at in range(len(tokens))],
            }
        return {"text": words, "index": index, "logprobs": logprobs, "finish_reason": reason}

    def _text(self, prompt: Texts) -> str:
        echoed = prompt if self.request.get("echo") and isinstance(prompt, str) else ""
        return echoed + self.script.text

    def _reason(self) -> str:
        return {"max_tokens": "length", "refusal": "content_filter"}.get(self.script.stop, "stop")

    def _usage(self) -> dict[str, int]:
        asked = estimate_tokens([self.prompts, self.request.get("suffix")])
        said = self.script.output_tokens * len(list(self._numbered()))
        return {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
        }
