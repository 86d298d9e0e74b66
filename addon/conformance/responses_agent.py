"""An agent that speaks Responses and keeps its history itself, as Codex does.

Page followed: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

import json
from typing import Any

from addon.conformance.agent import AGENT_KEY, Call, Feature, demand, field
from addon.conformance.conversation import Misshapen, Question, Reply, ToolCall, Turn, UserTurn
from addon.conformance.events import Event

_URL = "https://api.openai.com/v1/responses"
_FINAL = ("response.completed", "response.incomplete", "response.failed")
_PIECES = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "summary",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}
"""What the deltas of an item add up to, as the finished item must show it."""


class ResponsesAgent:
    """Asks for sealed reasoning and sends all items back."""

    name = "openai-responses"
    features: frozenset[Feature] = frozenset(
        {"json_mode", "custom_tool", "image_result", "keep_alive", "count"}
    )

    def ask(self, question: Question, *, stream: bool) -> Call:
        """Write a request."""
        body = _body(question)
        body |= {
            "max_output_tokens": max(question.max_tokens, 16),
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if stream:
            body["stream"] = True
        return Call(_URL, _HEADERS, body)

    def count(self, question: Question) -> Call:
        """Write a request that counts tokens."""
        return Call(f"{_URL}/input_tokens", _HEADERS, _body(question))

    def read_count(self, body: Any) -> int:  # noqa: ANN401 - a decoded answer
        """Read the answer to it."""
        return field(body, "input_tokens")

    def read(self, body: Any) -> Reply:  # noqa: ANN401 - a decoded answer
        """Read a plain answer."""
        demand(field(body, "object") == "response", "`object` is not response")
        for name in ("id", "created_at", "model", "parallel_tool_calls", "tool_choice", "tools"):
            field(body, name)
        return _reply(body)

    def read_stream(self, events: list[Event]) -> Reply:
        """Read a whole stream."""
        demand(events, "the stream is empty")
        life = _Life()
        for number, event in enumerate(events):
            kind = field(event.data, "type")
            demand(event.name == kind, f"event {event.name!r} carries {kind!r}")
            demand(event.data.get("sequence_number") == number, "sequence_number is not dense")
            demand((number == 0) == (kind == "response.created"), f"{kind} is out of place")
            if kind in _FINAL:
                demand(number == len(events) - 1, f"something follows {kind}")
                return life.finish(kind, field(event.data, "response"))
            life.go_on(kind, event.data)
        raise Misshapen("the stream ends without response.completed, incomplete or failed")

    def read_error(self, body: Any) -> str:  # noqa: ANN401 - a decoded answer
        """Read an error answer."""
        error = field(body, "error")
        demand({"message", "type", "param", "code"} <= error.keys(), "an error lacks a field")
        return error["message"]


_HEADERS = {"authorization": f"Bearer {AGENT_KEY}"}


class _Life:
    """A response as its events tell it."""

    def __init__(self) -> None:
        self._identifier = ""
        self._added: dict[int, dict[str, Any]] = {}
        self._done: dict[int, dict[str, Any]] = {}
        self._told: dict[tuple[int, str], str] = {}
        self._parts: set[tuple[int, int]] = set()

    def go_on(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "error":
            return  # the official client raises here; Codex waits for response.failed
        if kind in ("response.created", "response.in_progress"):
            identifier = field(event, "response", "id")
            demand(self._identifier in ("", identifier), "the response's id changes")
            self._identifier = identifier
            return
        index: int = field(event, "output_index")
        if kind == "response.output_item.added":
            demand(index == len(self._added), "output indexes are not dense")
            self._added[index] = field(event, "item")
            return
        demand(index in self._added, f"{kind} of an item that was never added")
        demand(index not in self._done, f"{kind} of an item that is done")
        if kind == "response.output_item.done":
            self._finish_item(index, field(event, "item"))
            return
        demand(field(event, "item_id") == self._added[index]["id"], "item_id is another item's")
        if kind == "response.content_part.added":
            self._parts.add((index, field(event, "content_index")))
        if kind in _PIECES:
            if "content_index" in event:
                place = (index, event["content_index"])
                demand(place in self._parts, "a delta of a part that was never added")
            key = (index, _PIECES[kind])
            self._told[key] = self._told.get(key, "") + field(event, "delta")

    def finish(self, kind: str, response: dict[str, Any]) -> Reply:
        demand(field(response, "id") == self._identifier, "the response's id changes")
        demand(f"response.{response['status']}" == kind, f"{kind} says {response['status']}")
        if kind == "response.failed":
            return Reply(error=field(response, "error", "message"))
        demand(self._added.keys() == self._done.keys(), "an item is never done")
        done = [self._done[index] for index in sorted(self._done)]
        demand(field(response, "output") == done, "the last output is not what the items were")
        return _reply(response)

    def _finish_item(self, index: int, item: dict[str, Any]) -> None:
        begun = self._added[index]
        for name in ("type", "id", "call_id"):
            demand(begun.get(name) == item.get(name), f"an item's {name} changes")
        whole = {
            "text": "".join(part.get("text", "") for part in item.get("content") or ()),
            "refusal": "".join(part.get("refusal", "") for part in item.get("content") or ()),
            "summary": "".join(part["text"] for part in item.get("summary") or ()),
            "arguments": item.get("arguments"),
            "input": item.get("input"),
        }
        for name, text in whole.items():
            told = self._told.get((index, name))
            demand(told is None or told == text, f"the deltas are not the item's {name}")
        self._done[index] = item


def _body(question: Question) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for turn in question.turns:
        items += _items(turn)
    body: dict[str, Any] = {"model": "gpt-5.1", "input": items}
    if question.system:
        body["instructions"] = question.system
    tools: list[dict[str, Any]] = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.schema,
            "strict": False,
        }
        for tool in question.tools
    ]
    if question.custom_tool:
        tools.append({"type": "custom", "name": question.custom_tool})
    if tools:
        body["tools"] = tools
    if question.must_call:
        body["tool_choice"] = "required"
    if question.schema:
        form = {"type": "json_schema", "name": "answer", "schema": question.schema, "strict": True}
        body["text"] = {"format": form}
    if question.json_mode:
        body["text"] = {"format": {"type": "json_object"}}
    if question.thinks:
        body["reasoning"] = {"effort": "medium", "summary": "auto"}
    return body


def _items(turn: Turn) -> list[dict[str, Any]]:
    if isinstance(turn, Reply):
        return turn.native
    if isinstance(turn, UserTurn):
        content: list[dict[str, Any]] = [{"type": "input_text", "text": turn.text}]
        if turn.image:
            content.append(_image(turn.image))
        if turn.document:
            data = f"data:application/pdf;base64,{turn.document}"
            content.append({"type": "input_file", "filename": "a.pdf", "file_data": data})
        return [{"role": "user", "content": content}]
    items: list[dict[str, Any]] = []
    for result in turn:
        custom = isinstance(result.call.arguments, str)
        output: Any = result.text
        if result.image:
            output = [{"type": "input_text", "text": result.text}, _image(result.image)]
        kind = "custom_tool_call_output" if custom else "function_call_output"
        items.append({"type": kind, "call_id": result.call.id, "output": output})
    return items


def _image(data: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": f"data:image/png;base64,{data}"}


def _reply(response: dict[str, Any]) -> Reply:
    reply = Reply(native=field(response, "output"))
    refused = False
    for item in reply.native:
        match field(item, "type"):
            case "message":
                for part in field(item, "content"):
                    refused |= part["type"] == "refusal"
                    reply.text += part["refusal"] if part["type"] == "refusal" else part["text"]
            case "reasoning":
                reply.thinking += "".join(part["text"] for part in field(item, "summary"))
            case "function_call":
                try:
                    arguments = json.loads(field(item, "arguments"))
                except ValueError:
                    raise Misshapen("a call's arguments are not JSON") from None
                reply.calls.append(ToolCall(field(item, "call_id"), item["name"], arguments))
            case "custom_tool_call":
                reply.calls.append(ToolCall(field(item, "call_id"), item["name"], item["input"]))
            case _:
                pass
    usage = field(response, "usage")
    reply.input_tokens = field(usage, "input_tokens")
    reply.output_tokens = field(usage, "output_tokens")
    total = reply.input_tokens + reply.output_tokens
    demand(field(usage, "total_tokens") == total, "total_tokens is not the sum")
    field(usage, "input_tokens_details", "cached_tokens")
    field(usage, "output_tokens_details", "reasoning_tokens")
    reply.stop = "tool_calls" if reply.calls else "content_filter" if refused else "stop"
    if response["status"] == "incomplete":
        reason = field(response, "incomplete_details", "reason")
        reply.stop = "length" if reason == "max_output_tokens" else reason
    return reply
