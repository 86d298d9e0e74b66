"""An agent that speaks Chat Completions.

Page followed: https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

import json
from typing import Any

from addon.conformance.agent import AGENT_KEY, Call, Feature, demand, field
from addon.conformance.conversation import Misshapen, Question, Reply, ToolCall, Turn, UserTurn
from addon.conformance.events import Event

_URL = "https://api.openai.com/v1/chat/completions"
_FINISH = ("stop", "length", "tool_calls", "content_filter")


class ChatAgent:
    """Sends its history back without thoughts, as most agents of this format do."""

    name = "openai-chat"
    features: frozenset[Feature] = frozenset({"stop", "json_mode", "custom_tool", "keep_alive"})

    def ask(self, question: Question, *, stream: bool) -> Call:
        """Write a request."""
        messages: list[dict[str, Any]] = []
        if question.system:
            messages.append({"role": "system", "content": question.system})
        for turn in question.turns:
            messages += _messages(turn)
        body: dict[str, Any] = {"model": "gpt-5.1", "messages": messages}
        body["max_completion_tokens"] = question.max_tokens
        tools: list[dict[str, Any]] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                },
            }
            for tool in question.tools
        ]
        if question.custom_tool:
            tools.append({"type": "custom", "custom": {"name": question.custom_tool}})
        if tools:
            body["tools"] = tools
        if question.must_call:
            body["tool_choice"] = "required"
        if question.schema:
            wanted = {"name": "answer", "schema": question.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        if question.json_mode:
            body["response_format"] = {"type": "json_object"}
        if question.stop:
            body["stop"] = [question.stop]
        if question.thinks:
            body["reasoning_effort"] = "medium"
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return Call(_URL, {"authorization": f"Bearer {AGENT_KEY}"}, body)

    def count(self, question: Question) -> Call:
        """Chat cannot count tokens."""
        raise NotImplementedError

    def read_count(self, body: Any) -> int:  # noqa: ANN401 - a decoded answer
        """Chat cannot count tokens."""
        raise NotImplementedError

    def read(self, body: Any) -> Reply:  # noqa: ANN401 - a decoded answer
        """Read a plain answer."""
        demand(field(body, "object") == "chat.completion", "`object` is not chat.completion")
        demand(len(field(body, "choices")) == 1, "not exactly one choice")
        choice = field(body, "choices", 0)
        demand(choice.get("index") == 0, "the choice's index is not 0")
        demand("content" in field(choice, "message"), "`message.content` is missing")
        return _reply(choice["message"], field(choice, "finish_reason"), field(body, "usage"))

    def read_stream(self, events: list[Event]) -> Reply:
        """Read a whole stream."""
        message: dict[str, Any] = {"role": "assistant", "content": None}
        finish: str | None = None
        usage: dict[str, Any] = {}
        names: set[tuple[str, str]] = set()
        for number, event in enumerate(events):
            if event.data == "[DONE]":
                demand(number == len(events) - 1, "something follows [DONE]")
                demand(finish, "no finish_reason before [DONE]")
                demand(usage, "no usage although it was asked for")
                return _reply(message, finish or "", usage)
            if "error" in event.data:
                demand(number == len(events) - 1, "something follows an error")
                return Reply(error=str(field(event.data, "error", "message")))
            chunk = event.data
            demand(field(chunk, "object") == "chat.completion.chunk", "a chunk of another object")
            names.add((field(chunk, "id"), field(chunk, "model")))
            demand(len(names) == 1, "id or model change within the stream")
            if chunk.get("usage"):
                demand(not usage, "usage comes twice")
                usage = chunk["usage"]
            for choice in field(chunk, "choices"):
                demand(not finish, "a choice goes on after its finish_reason")
                _add(message, field(choice, "delta"))
                finish = choice.get("finish_reason") or finish
        raise Misshapen("the stream ends without [DONE] and without an error")

    def read_error(self, body: Any) -> str:  # noqa: ANN401 - a decoded answer
        """Read an error answer."""
        error = field(body, "error")
        demand({"message", "type", "param", "code"} <= error.keys(), "an error lacks a field")
        return error["message"]


def _messages(turn: Turn) -> list[dict[str, Any]]:
    if isinstance(turn, Reply):
        return turn.native
    if isinstance(turn, UserTurn):
        content: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
        if turn.image:
            url = f"data:image/png;base64,{turn.image}"
            content.append({"type": "image_url", "image_url": {"url": url}})
        if turn.document:
            data = f"data:application/pdf;base64,{turn.document}"
            content.append({"type": "file", "file": {"filename": "a.pdf", "file_data": data}})
        return [{"role": "user", "content": content if len(content) > 1 else turn.text}]
    return [
        {"role": "tool", "tool_call_id": result.call.id, "content": result.text} for result in turn
    ]


def _add(message: dict[str, Any], delta: dict[str, Any]) -> None:
    """Put a delta to what came before, by the rules that the official client has."""
    for name in ("content", "reasoning_content", "refusal"):
        if delta.get(name) is not None:
            message[name] = (message.get(name) or "") + delta[name]
    for part in delta.get("tool_calls") or ():
        calls: list[dict[str, Any]] = message.setdefault("tool_calls", [])
        index: int = field(part, "index")
        demand(index <= len(calls), "tool calls leave an index out")
        if index == len(calls):
            whole = bool(part.get("id") and part.get("type"))
            demand(whole, "a tool call begins without id or type")
            calls.append({"id": part["id"], "type": part["type"], part["type"]: {}})
        elif part.get("id"):
            raise Misshapen("a tool call's id comes twice")
        call = calls[index]
        body: dict[str, str] = call[call["type"]]
        pieces: dict[str, str | None] = part.get(call["type"]) or {}
        for name, piece in pieces.items():
            demand(name != "name" or name not in body, "a tool call's name comes twice")
            body[name] = body.get(name, "") + (piece or "")


def _reply(message: dict[str, Any], finish: str, usage: dict[str, Any]) -> Reply:
    demand(finish in _FINISH, f"finish_reason is {finish!r}")
    calls = [_call(call) for call in message.get("tool_calls") or ()]
    demand(bool(calls) == (finish == "tool_calls"), f"{finish} with {len(calls)} calls")
    total = field(usage, "prompt_tokens") + field(usage, "completion_tokens")
    demand(field(usage, "total_tokens") == total, "total_tokens is not the sum")
    thinking: str = message.get("reasoning_content") or ""
    kept = {name: message[name] for name in ("role", "content", "tool_calls") if name in message}
    return Reply(
        text=message.get("content") or message.get("refusal") or "",
        thinking=thinking,
        calls=calls,
        stop=finish,
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage["completion_tokens"],
        native=[kept],
    )


def _call(call: dict[str, Any]) -> ToolCall:
    if field(call, "type") == "custom":
        return ToolCall(field(call, "id"), field(call, "custom", "name"), call["custom"]["input"])
    try:
        arguments = json.loads(field(call, "function", "arguments"))
    except ValueError:
        raise Misshapen("a tool call's arguments are not JSON") from None
    return ToolCall(field(call, "id"), field(call, "function", "name"), arguments)
