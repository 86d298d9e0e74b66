"""An agent that speaks Gemini's generateContent.

Page followed: https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

from typing import Any

from addon.conformance.agent import AGENT_KEY, Call, Feature, demand, field
from addon.conformance.conversation import Misshapen, Question, Reply, ToolCall, Turn, UserTurn
from addon.conformance.events import Event

_URL = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash"
_HEADERS = {"x-goog-api-key": AGENT_KEY}
_STOPS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}
_KINDS = {"text", "functionCall", "inlineData", "executableCode", "codeExecutionResult"}


class GeminiAgent:
    """Sends all parts back as they came."""

    name = "gemini"
    features: frozenset[Feature] = frozenset({"stop", "json_mode", "image_result", "count"})

    def ask(self, question: Question, *, stream: bool) -> Call:
        """Write a request."""
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return Call(f"{_URL}:{method}", _HEADERS, _body(question))

    def count(self, question: Question) -> Call:
        """Write a request that counts tokens."""
        whole = {"model": "models/gemini-3.8-flash", **_body(question)}
        return Call(f"{_URL}:countTokens", _HEADERS, {"generateContentRequest": whole})

    def read_count(self, body: Any) -> int:  # noqa: ANN401 - a decoded answer
        """Read the answer to it."""
        return field(body, "totalTokens")

    def read(self, body: Any) -> Reply:  # noqa: ANN401 - a decoded answer
        """Read a plain answer."""
        candidate = _candidate(body)
        content: dict[str, Any] = field(candidate, "content")
        finish = field(candidate, "finishReason")
        return _reply(content.get("parts", []), finish, field(body, "usageMetadata"))

    def read_stream(self, events: list[Event]) -> Reply:
        """Read a whole stream."""
        parts: list[dict[str, Any]] = []
        finish: str | None = None
        usage: dict[str, Any] = {}
        for number, event in enumerate(events):
            demand(not event.name, "Gemini's events have no names")
            if "error" in event.data:
                demand(number == len(events) - 1, "something follows an error")
                return Reply(error=self.read_error(event.data))
            usage = event.data.get("usageMetadata") or usage
            if not event.data.get("candidates"):
                continue
            candidate = _candidate(event.data)
            demand(not finish, "content follows finishReason")
            content: dict[str, Any] = candidate.get("content") or {}
            parts += content.get("parts", [])
            finish = candidate.get("finishReason")
        if not finish:
            raise Misshapen("the stream ends without finishReason and without an error")
        return _reply(parts, finish, usage)

    def read_error(self, body: Any) -> str:  # noqa: ANN401 - a decoded answer
        """Read an error answer."""
        error = field(body, "error")
        demand({"code", "message", "status"} <= error.keys(), "an error lacks a field")
        demand(isinstance(error["code"], int), "the error's code is no number")
        return error["message"]


def _body(question: Question) -> dict[str, Any]:
    body: dict[str, Any] = {"contents": [_content(turn) for turn in question.turns]}
    if question.system:
        body["systemInstruction"] = {"parts": [{"text": question.system}]}
    if question.tools:
        functions = [
            {
                "name": tool.name,
                "description": tool.description,
                "parametersJsonSchema": tool.schema,
            }
            for tool in question.tools
        ]
        body["tools"] = [{"functionDeclarations": functions}]
    if question.must_call:
        body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
    generation: dict[str, Any] = {"maxOutputTokens": question.max_tokens}
    if question.schema:
        generation["responseJsonSchema"] = question.schema
    if question.schema or question.json_mode:
        generation["responseMimeType"] = "application/json"
    if question.stop:
        generation["stopSequences"] = [question.stop]
    if question.thinks:
        generation["thinkingConfig"] = {"includeThoughts": True, "thinkingLevel": "MEDIUM"}
    return {**body, "generationConfig": generation}


def _content(turn: Turn) -> dict[str, Any]:
    if isinstance(turn, Reply):
        return turn.native[0]
    parts: list[dict[str, Any]] = []
    if isinstance(turn, UserTurn):
        parts.append({"text": turn.text})
        if turn.image:
            parts.append(_media("image/png", turn.image))
        if turn.document:
            parts.append(_media("application/pdf", turn.document))
        return {"role": "user", "parts": parts}
    for result in turn:
        response: dict[str, Any] = {"name": result.call.name, "response": {"output": result.text}}
        if result.call.id:
            response["id"] = result.call.id
        if result.image:
            response["parts"] = [_media("image/png", result.image)]
        parts.append({"functionResponse": response})
    return {"role": "user", "parts": parts}


def _media(kind: str, data: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


def _candidate(body: Any) -> dict[str, Any]:  # noqa: ANN401 - a decoded answer
    demand(len(field(body, "candidates")) == 1, "not exactly one candidate")
    candidate = body["candidates"][0]
    if candidate.get("content"):
        demand(field(candidate, "content", "role") == "model", "the content's role is not model")
    return candidate


def _reply(parts: list[dict[str, Any]], finish: str, usage: dict[str, Any]) -> Reply:
    reply = Reply(stop=_STOPS.get(finish, finish), native=[{"role": "model", "parts": parts}])
    for part in parts:
        demand(len(part.keys() & _KINDS) == 1, f"a part of {sorted(part)}")
        if "functionCall" in part:
            call = part["functionCall"]
            arguments = call.get("args", {})
            demand(isinstance(arguments, dict), "a call's args are no object")
            reply.calls.append(ToolCall(call.get("id", ""), field(call, "name"), arguments))
        elif part.get("thought"):
            reply.thinking += part.get("text", "")
        else:
            reply.text += part.get("text", "")
    if reply.calls and reply.stop == "stop":
        reply.stop = "tool_calls"
    reply.input_tokens = field(usage, "promptTokenCount")
    thoughts = usage.get("thoughtsTokenCount", 0)
    reply.output_tokens = usage.get("candidatesTokenCount", 0) + thoughts
    total = reply.input_tokens + reply.output_tokens
    demand(field(usage, "totalTokenCount") == total, "totalTokenCount is not the sum")
    return reply
