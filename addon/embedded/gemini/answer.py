"""The script in Gemini's words: one response, or its chunks.

Page followed: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from addon.embedded.gemini.conversation import turns_of
from addon.embedded.gemini.models import Gemini
from addon.embedded.gemini.schemas import as_json_schema, lower_types
from addon.embedded.gemini.signatures import sign_call, sign_text
from addon.embedded.gemini.statuses import error_body, stream_refusal
from addon.embedded.identifiers import unique_name
from addon.embedded.prefix import estimate_tokens
from addon.embedded.scenario import EVENT_STREAM, Frame, Prompt, Script, Tool, pieces
from addon.wire.codec import encode

type Event = dict[str, Any]

_JSON_STREAM = "application/json; charset=UTF-8"
_FINISH_REASONS = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "stop": "STOP",
    "tool_calls": "STOP",
    "max_tokens": "MAX_TOKENS",
    "length": "MAX_TOKENS",
    "refusal": "SAFETY",
    "content_filter": "SAFETY",
}
"""The words of the other formats, should a prompt use them."""
_NUMBERS = {
    "finishReason": ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION"),
    "modality": ("MODALITY_UNSPECIFIED", "TEXT"),
}
"""Enumerations of an answer by number, for clients that ask for numbers."""


@dataclass(frozen=True)
class Manner:
    """How the client wants to be answered."""

    events: bool
    """Whether a stream comes as server-sent events rather than as one JSON array."""
    numbers: bool
    """Whether enumerations are told by their numbers (`$alt=json;enum-encoding=int`)."""


@dataclass(frozen=True)
class GeminiAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    name: str
    model: Gemini
    script: Script
    manner: Manner
    secret: bytes
    turn: int

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM if self.manner.events else _JSON_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        parts: list[dict[str, Any]] = []
        if self._thought:
            parts.append({"text": self._thought, "thought": True})
        if self.script.text:
            parts.append({"text": self.script.text, **self._text_signature()})
        parts += self._calls()
        candidates = [
            self._candidate(parts, self._finish_reason(), index) for index in range(self._count)
        ]
        return self._response(candidates, self._usage(finished=True))

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        events = list(self._events())
        for number, (event, is_delta) in enumerate(events):
            body = encode(event)
            if self.manner.events:
                yield Frame(b"data: " + body + b"\r\n\r\n", is_delta)
            else:
                opening = b"[" if number == 0 else b",\r\n"
                closing = b"\n]\n" if number == len(events) - 1 else b""
                yield Frame(opening + body + closing, is_delta)

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error."""
        body = encode(error_body(stream_refusal(kind)))
        return b"data: " + body + b"\r\n\r\n" if self.manner.events else b",\r\n" + body + b"\n]\n"

    def _events(self) -> Iterator[tuple[Event, bool]]:
        for index in range(self._count):
            for piece in pieces(self._thought or "", None):
                yield self._chunk([{"text": piece, "thought": True}], index), False
            for piece in pieces(self.script.text, self.script.directives.events):
                yield self._chunk([{"text": piece}], index), True
            for call in self._calls():
                yield self._chunk([call], index), True
            signature = self._text_signature() if self.script.text else {}
            candidate = self._candidate([{"text": "", **signature}], self._finish_reason(), index)
            yield self._response([candidate], self._usage(finished=True)), False

    @property
    def _count(self) -> int:
        return self.request.get("generationConfig", {}).get("candidateCount", 1)

    @property
    def _thought(self) -> str | None:
        thinking = self.request.get("generationConfig", {}).get("thinkingConfig", {})
        return self.script.thinking if thinking.get("includeThoughts") else None

    def _calls(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for index, call in enumerate(self.script.calls):
            wire: dict[str, Any] = {"name": call.name, "args": call.arguments}
            if self.model.call_ids:
                wire["id"] = unique_name("", self.turn, index).lower()[:8]
            part: dict[str, Any] = {"functionCall": wire}
            if self.model.signs and index == 0:
                part["thoughtSignature"] = sign_call(self.secret, self.name, wire)
            parts.append(part)
        return parts

    def _text_signature(self) -> dict[str, str]:
        """Sign the text that ends an answer; calls are signed by themselves."""
        if not self.model.signs or self.script.calls:
            return {}
        return {"thoughtSignature": sign_text(self.secret, self.name, self.script.text)}

    def _chunk(self, parts: list[dict[str, Any]], index: int) -> Event:
        candidate = self._candidate(parts, None, index)
        return self._response([candidate], self._usage(finished=False))

    def _candidate(
        self, parts: list[dict[str, Any]], finish_reason: str | None, index: int
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": index}
        if finish_reason:
            candidate["finishReason"] = self._enumerated("finishReason", finish_reason)
        return candidate

    def _response(self, candidates: list[dict[str, Any]], usage: dict[str, Any]) -> Event:
        return {
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": self.name,
            "responseId": unique_name("", "response", self.turn),
        }

    def _usage(self, *, finished: bool) -> dict[str, Any]:
        prompt = estimate_tokens([self.request.get(key) for key in _COUNTED])
        thoughts = self.script.thinking_tokens
        answer = (self.script.output_tokens - thoughts) * self._count if finished else 0
        modality = self._enumerated("modality", "TEXT")
        usage: dict[str, Any] = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": answer,
            "totalTokenCount": prompt + answer + thoughts,
            "promptTokensDetails": [{"modality": modality, "tokenCount": prompt}],
        }
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        return usage

    def _finish_reason(self) -> str:
        return _FINISH_REASONS.get(self.script.stop, self.script.stop)

    def _enumerated(self, name: str, value: str) -> str | int:
        if self.manner.numbers and value in _NUMBERS[name]:
            return _NUMBERS[name].index(value)
        return value


_COUNTED = ("contents", "systemInstruction", "tools")


def read_prompt(request: dict[str, Any], model: Gemini) -> Prompt:
    """Take out of a checked request what decides the answer."""
    turns = turns_of(request["contents"])
    turns_since = 0
    text = ""
    for turn in reversed(turns):
        if turn.role == "model":
            turns_since += 1
        elif text := "\n".join(turn.holding("text")):
            break
    generation = request.get("generationConfig", {})
    thinking = generation.get("thinkingConfig", {})
    schema = lower_types(generation.get("responseJsonSchema"))
    if "responseSchema" in generation:
        schema = as_json_schema(generation["responseSchema"])
    tools, choice = _tools_of(request)
    return Prompt(
        text=text,
        turns_since=turns_since,
        answers_tool="functionResponse" in turns[-1].parts[-1],
        tools=tools,
        choice=choice,
        parallel=True,
        schema=schema,
        json_object=generation.get("responseMimeType") == "application/json" and schema is None,
        thinks=model.budgets is not None and thinking.get("thinkingBudget") != 0,
        max_tokens=generation.get("maxOutputTokens"),
        stop_sequences=generation.get("stopSequences", []),
    )


def _tools_of(request: dict[str, Any]) -> tuple[list[Tool], str]:
    functions = [
        function
        for tool in request.get("tools", [])
        for function in tool.get("functionDeclarations", [])
    ]
    tools = [Tool(function["name"], _parameters(function)) for function in functions]
    calling = request.get("toolConfig", {}).get("functionCallingConfig", {})
    mode, allowed = calling.get("mode"), calling.get("allowedFunctionNames")
    if allowed:
        tools = [tool for tool in tools if tool.name in allowed]
    if mode == "ANY":
        return tools, allowed[0] if allowed and len(allowed) == 1 else "any"
    return tools, "none" if mode == "NONE" else "auto"


def _parameters(function: dict[str, Any]) -> dict[str, Any]:
    if "parameters" in function:
        return as_json_schema(function["parameters"])
    return function.get("parametersJsonSchema") or {}
