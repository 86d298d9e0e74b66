"""The script in the Responses API's words: one response, or the events of its life.

Page followed: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED
from addon.embedded.openai_models import reasons
from addon.embedded.prefix import estimate_tokens
from addon.embedded.responses.reasoning_state import seal
from addon.embedded.scenario import EVENT_STREAM, Frame, Script, pieces
from addon.wire.codec import encode
from addon.wire.sse import frame

type Event = dict[str, Any]
type Item = dict[str, Any]

_FRAGMENT = 9
_REFUSED = "I cannot help with that."
_INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "length": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "content_filter": "content_filter",
}
_CONTENT = (
    "response.output_text.delta",
    "response.refusal.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
)
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Fields of the request that the response repeats, with their defaults."""


@dataclass(frozen=True)
class ResponsesAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    conversation: list[Item]
    namespaces: dict[str, tuple[str, str]]
    """Namespace and name by the flat name that the script calls a tool by."""
    script: Script
    secret: bytes
    turn: int

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        reason = _INCOMPLETE.get(self.script.stop)
        return {
            **self._response("incomplete" if reason else "completed"),
            "completed_at": None if reason else CREATED + 1,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": self.output(),
            "usage": self._usage(),
        }

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        for number, event in enumerate(self._events()):
            yield _frame(event, number)

    def broken_off(self, kind: str) -> bytes:
        """Write the event that ends a stream with an error."""
        message = "The server had an error while processing your request."
        failed: Item = {
            **self._response("failed"),
            "error": {"code": kind, "message": message},
            "output": [],
            "usage": None,
        }
        event: Event = {"type": "response.failed", "response": failed}
        return _frame(event, self.script.directives.ends_after).data

    def output(self) -> list[Item]:
        """Return the finished items."""
        items: list[Item] = []
        if self.script.thinking is not None and not self._is_plain:
            items.append(self._reasoning(self.script.thinking))
        message = self._message()
        if message["content"] or not self.script.calls:
            items.append(message)
        items += [self._call(index) for index in range(len(self.script.calls))]
        return items

    @property
    def _is_plain(self) -> bool:
        """Whether the model never shows that it thinks."""
        return not reasons(self.request["model"]) and "reasoning" not in self.request

    def _reasoning(self, thinking: str) -> Item:
        wish = self.request.get("reasoning", {})
        shown = wish.get("summary") or wish.get("generate_summary")
        item: Item = {
            "type": "reasoning",
            "id": unique_name("rs_", self.turn),
            "summary": [{"type": "summary_text", "text": thinking}] if shown else [],
        }
        if "reasoning.encrypted_content" in self.request.get("include", []):
            item["encrypted_content"] = seal(self.secret, self.request["model"], self.turn)
        return item

    def _message(self) -> Item:
        content: list[Item] = []
        if self.script.text:
            content.append(
                {
                    "type": "output_text",
                    "text": self.script.text,
                    "annotations": [],
                    "logprobs": [],
                }
            )
        if self.script.stop == "refusal":
            content.append({"type": "refusal", "refusal": _REFUSED})
        return {
            "type": "message",
            "id": unique_name("msg_", self.turn),
            "status": "incomplete" if self.script.stop in _INCOMPLETE else "completed",
            "role": "assistant",
            "content": content,
        }

    def _call(self, index: int) -> Item:
        call = self.script.calls[index]
        space, name = self.namespaces.get(call.name, ("", call.name))
        custom = isinstance(call.arguments, str)
        item: Item = {
            "type": "custom_tool_call" if custom else "function_call",
            "id": unique_name("ctc_" if custom else "fc_", self.turn, index),
            "call_id": unique_name("call_", self.turn, index),
            "name": name,
            "status": "completed",
        }
        if space:
            item["namespace"] = space
        if custom:
            item["input"] = call.arguments
        else:
            item["arguments"] = json.dumps(call.arguments, ensure_ascii=False)
        return item

    def _response(self, status: str) -> dict[str, Any]:
        text = self.request.get("text", {})
        return {
            "id": unique_name("resp_", self.turn),
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self.request["model"],
            **{name: self.request.get(name, default) for name, default in _ECHOED.items()},
            "reasoning": {"effort": None, "summary": None, **self.request.get("reasoning", {})},
            "service_tier": "default",
            "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
        }

    def _events(self) -> Iterator[Event]:
        opening: Item = {**self._response("in_progress"), "output": [], "usage": None}
        yield {"type": "response.created", "response": opening}
        yield {"type": "response.in_progress", "response": opening}
        for index, item in enumerate(self.output()):
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": _opened(item),
            }
            place = {"item_id": item["id"], "output_index": index}
            for event in self._inside(item):
                yield {"type": event.pop("type"), **place, **event}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        closing = self.plain()
        yield {"type": f"response.{closing['status']}", "response": closing}

    def _inside(self, item: Item) -> Iterator[Event]:
        match item["type"]:
            case "reasoning":
                for index, part in enumerate(item["summary"]):
                    yield from _summary(index, part)
            case "message":
                for index, part in enumerate(item["content"]):
                    yield from self._part(index, part)
            case "function_call":
                yield from _fragments(
                    "response.function_call_arguments", "arguments", item["arguments"]
                )
            case _:
                yield from _fragments("response.custom_tool_call_input", "input", item["input"])

    def _part(self, index: int, part: Item) -> Iterator[Event]:
        field = "text" if part["type"] == "output_text" else "refusal"
        name = f"response.{part['type']}"
        more: dict[str, Any] = {"logprobs": []} if field == "text" else {}
        place = {"content_index": index}
        yield {"type": "response.content_part.added", **place, "part": {**part, field: ""}}
        for piece in pieces(part[field], self.script.directives.events):
            yield {"type": f"{name}.delta", **place, "delta": piece, **more}
        yield {"type": f"{name}.done", **place, field: part[field], **more}
        yield {"type": "response.content_part.done", **place, "part": part}

    def _usage(self) -> dict[str, Any]:
        counted = [self.conversation, self.request.get("instructions"), self.request.get("tools")]
        prompt, answer = estimate_tokens(counted), self.script.output_tokens
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answer,
            "output_tokens_details": {"reasoning_tokens": self.script.thinking_tokens},
            "total_tokens": prompt + answer,
        }


def _frame(event: Event, number: int) -> Frame:
    kind: str = event["type"]
    numbered = {"type": kind, "sequence_number": number, **event}
    return Frame(frame(encode(numbered), kind.encode()), kind in _CONTENT)


def _opened(item: Item) -> Item:
    """Return an item as it looks before anything came."""
    match item["type"]:
        case "reasoning":
            return {"type": "reasoning", "id": item["id"], "summary": []}
        case "message":
            return {**item, "status": "in_progress", "content": []}
        case "function_call":
            return {**item, "status": "in_progress", "arguments": ""}
        case _:
            return {**item, "status": "in_progress", "input": ""}


def _summary(index: int, part: Item) -> Iterator[Event]:
    place = {"summary_index": index}
    empty = {**part, "text": ""}
    yield {"type": "response.reasoning_summary_part.added", **place, "part": empty}
    for piece in pieces(part["text"], None):
        yield {"type": "response.reasoning_summary_text.delta", **place, "delta": piece}
    yield {"type": "response.reasoning_summary_text.done", **place, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


def _fragments(name: str, field: str, value: str) -> Iterator[Event]:
    for at in range(0, len(value), _FRAGMENT):
        yield {"type": f"{name}.delta", "delta": value[at : at + _FRAGMENT]}
    yield {"type": f"{name}.done", field: value}
