"""The script in Chat's words: one completion, or its chunks.

Page followed: https://platform.openai.com/docs/api-reference/chat/streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, broken_off
from addon.embedded.prefix import estimate_tokens
from addon.embedded.scenario import EVENT_STREAM, Frame, Prompt, Script, Tool, pieces
from addon.wire.codec import encode
from addon.wire.sse import frame

type Event = dict[str, Any]

_LAST = b"data: [DONE]\n\n"
_FRAGMENT = 9
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_CONTENT = ("content", "tool_calls", "function_call")
_REFUSED = "I cannot help with that."


@dataclass(frozen=True)
class ChatAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    script: Script
    turn: int

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.script.text or None,
            "refusal": self._refusal(),
        }
        if self.script.thinking is not None:
            message["reasoning_content"] = self.script.thinking
        calls = self._calls()
        if calls and self._legacy:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        choice = {"message": message, "logprobs": None, "finish_reason": self._finish_reason()}
        return {
            **self._head("chat.completion"),
            "choices": [{"index": index, **choice} for index in range(self._count)],
            "usage": self._usage(),
        }

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        for event in self._events():
            yield Frame(frame(encode(event)), _is_delta(event))
        yield Frame(_LAST, is_delta=False)

    def broken_off(self, kind: str) -> bytes:
        """Write the chunk that ends a stream with an error."""
        return broken_off(kind)

    def _events(self) -> Iterator[Event]:
        for index in range(self._count):
            for delta in self._deltas():
                yield self._chunk(index, delta, None)
            yield self._chunk(index, {}, self._finish_reason())
        if self._with_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    @property
    def _count(self) -> int:
        return self.request.get("n", 1)

    @property
    def _legacy(self) -> bool:
        return "functions" in self.request

    @property
    def _with_usage(self) -> bool:
        return bool(self.request.get("stream_options", {}).get("include_usage"))

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": unique_name("chatcmpl-", self.turn),
            "object": kind,
            "created": CREATED,
            "model": self.request["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_embedded",
        }

    def _chunk(self, index: int, delta: dict[str, Any], finish_reason: str | None) -> Event:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._with_usage else {}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **usage}

    def _deltas(self) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": None if self.script.calls else "", "refusal": None}
        for piece in pieces(self.script.thinking or "", None):
            yield {"reasoning_content": piece}
        for piece in pieces(self.script.text, self.script.directives.events):
            yield {"content": piece}
        if refusal := self._refusal():
            yield {"refusal": refusal}
        for index, call in enumerate(self._calls()):
            field = "input" if call["type"] == "custom" else "arguments"
            opening = {**call[call["type"]], field: ""}
            arguments = call[call["type"]][field]
            fragments = [
                arguments[at : at + _FRAGMENT] for at in range(0, len(arguments), _FRAGMENT)
            ]
            if self._legacy:
                yield {"function_call": opening}
                for fragment in fragments:
                    yield {"function_call": {field: fragment}}
                return
            yield {"tool_calls": [{"index": index, **call, call["type"]: opening}]}
            for fragment in fragments:
                yield {"tool_calls": [{"index": index, call["type"]: {field: fragment}}]}

    def _calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        for index, call in enumerate(self.script.calls):
            name = unique_name("call_", self.turn, index)
            if isinstance(call.arguments, str):
                body = {"custom": {"name": call.name, "input": call.arguments}}
                calls.append({"id": name, "type": "custom", **body})
            else:
                arguments = json.dumps(call.arguments, ensure_ascii=False)
                body = {"function": {"name": call.name, "arguments": arguments}}
                calls.append({"id": name, "type": "function", **body})
        return calls

    def _finish_reason(self) -> str:
        if self._legacy and self.script.calls:
            return "function_call"
        return _FINISH_REASONS.get(self.script.stop, self.script.stop)

    def _refusal(self) -> str | None:
        return _REFUSED if self.script.stop == "refusal" else None

    def _usage(self) -> dict[str, Any]:
        prompt = estimate_tokens([self.request["messages"], self.request.get("tools")])
        completion = self.script.output_tokens * self._count
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.script.thinking_tokens,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def _is_delta(event: Event) -> bool:
    for choice in cast("list[dict[str, dict[str, Any]]]", event["choices"]):
        return any(choice["delta"].get(key) for key in _CONTENT)
    return False


def read_prompt(request: dict[str, Any]) -> Prompt:
    """Take out of a checked request what decides the answer."""
    messages = cast("list[dict[str, Any]]", request["messages"])
    turns_since = 0
    text = ""
    for message in reversed(messages):
        if message["role"] == "assistant":
            turns_since += 1
        elif message["role"] == "user":
            text = _text_of(message["content"])
            if text:
                break
    form = request.get("response_format", {"type": "text"})
    limits = [request[key] for key in ("max_tokens", "max_completion_tokens") if key in request]
    stop = request.get("stop", [])
    tools, choice = _tools_of(request)
    return Prompt(
        text=text,
        turns_since=turns_since,
        answers_tool=messages[-1]["role"] in ("tool", "function"),
        tools=tools,
        choice=choice,
        parallel=request.get("parallel_tool_calls", True) and "functions" not in request,
        schema=form["json_schema"].get("schema") if form["type"] == "json_schema" else None,
        json_object=form["type"] == "json_object",
        thinks=False,
        max_tokens=limits[0] if limits else None,
        stop_sequences=[stop] if isinstance(stop, str) else stop,
    )


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, Any]]", content)
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def _tools_of(request: dict[str, Any]) -> tuple[list[Tool], str]:
    if "functions" in request:
        tools = [Tool(one["name"], one.get("parameters") or {}) for one in request["functions"]]
        choice = request.get("function_call", "auto")
        return tools, choice if isinstance(choice, str) else choice["name"]
    tools = [
        Tool(one[one["type"]]["name"], one[one["type"]].get("parameters") or {}, "custom" in one)
        for one in request.get("tools", [])
    ]
    choice = request.get("tool_choice", "auto")
    if isinstance(choice, str):
        return tools, "any" if choice == "required" else choice
    chosen = cast("dict[str, Any]", choice)
    if chosen["type"] != "allowed_tools":
        return tools, chosen[chosen["type"]]["name"]
    allowed = chosen["allowed_tools"]
    names = [one[one["type"]]["name"] for one in allowed["tools"]]
    kept = [tool for tool in tools if tool.name in names]
    return kept, "any" if allowed["mode"] == "required" else "auto"
