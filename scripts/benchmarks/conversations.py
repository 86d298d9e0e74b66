"""Made-up requests of coding agents, the same on every run, in all formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import Any, Literal

AGENT_MODEL = "gpt-5.1"
CLAUDE = "claude-sonnet-4-5"

_SENTENCES = (
    "The worker reads its settings once and keeps them for as long as it lives.",
    'def load(path: Path) -> Settings:\n    """Read settings."""\n    return parse(path)\n',
    "Größe und Alter stehen in der Tabelle; 价格 is the column that the report sums up.",
    '  File "app/store.py", line 214, in fetch\n    raise KeyError(name)\n',
    "Run the tests again after the change, and look at the slowest ten of them.",
)
_TOOL_NAMES = ("read_file", "write_file", "list_folder", "search", "run", "patch", "fetch", "plan")


@dataclass(frozen=True)
class Conversation:
    """How much an agent sends."""

    name: str
    messages: int
    """Messages after the system prompt: question, tool call, result, question, ..."""
    tools: int
    characters: int
    """Length of one message's text; the system prompt is four times as long."""
    opening: str = ""
    """What the first text of the request begins with; with another one, all of it is new."""
    closing: str = ""
    """What the last message ends with; with another one, that message is new."""

    def texts(self) -> Iterator[str]:
        """Write the texts of the messages."""
        for number in range(self.messages):
            opening = "" if number else self.opening
            closing = self.closing if number == self.messages - 1 else ""
            yield opening + prose(self.characters, number) + closing


type New = Literal["all", "one"]
"""What of a request came with none before: all of it, or its last message."""

SMALL = Conversation("small", 1, 1, 200)
TYPICAL = Conversation("typical", 30, 8, 450)
LONG = Conversation("long", 300, 8, 640)
HUGE = Conversation("huge", 3000, 8, 640)


def another(conversation: Conversation, new: New) -> Conversation:
    """Return a conversation like this, of which nobody has seen so much."""
    words = f"({next(_serial)}) "
    if new == "all":
        return replace(conversation, opening=words)
    return replace(conversation, closing=words)


_serial = count()


def openai_chat(conversation: Conversation, *, stream: bool = True, text: str = "") -> bytes:
    """Write a request as the official openai SDK does; `text` begins the system prompt."""
    system = conversation.opening + text + prose(conversation.characters * 4)
    messages = [
        {"role": "system", "content": system},
        *(_chat_message(number, said) for number, said in enumerate(conversation.texts())),
    ]
    body: dict[str, Any] = {"messages": messages, "model": AGENT_MODEL, "temperature": 1}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body["tools"] = [
        {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}
        for name, about, schema in _tools(conversation.tools)
    ]
    return _encode(body)


def anthropic(conversation: Conversation, *, stream: bool = True) -> bytes:
    """Write the same request as the official anthropic SDK does."""
    body: dict[str, Any] = {
        "max_tokens": 32000,
        "messages": [
            _anthropic_message(number, said) for number, said in enumerate(conversation.texts())
        ],
        "model": CLAUDE,
        "system": [{"type": "text", "text": prose(conversation.characters * 4)}],
    }
    if stream:
        body["stream"] = True
    body["tools"] = [
        {"name": name, "description": about, "input_schema": schema}
        for name, about, schema in _tools(conversation.tools)
    ]
    return _encode(body)


def prose(characters: int, start: int = 0) -> str:
    """Return text of about the given length, with line breaks, quotes and letters beyond ASCII."""
    pieces: list[str] = []
    length = 0
    for sentence in islice(cycle(_SENTENCES), start % len(_SENTENCES), None):
        if length >= characters:
            break
        pieces.append(sentence)
        length += len(sentence) + 1
    return " ".join(pieces)[:characters]


def openai_responses(conversation: Conversation) -> bytes:
    """Write the same request as the official openai SDK does for Responses."""
    items = [_responses_item(number, said) for number, said in enumerate(conversation.texts())]
    return _encode(
        {
            "input": items,
            "instructions": prose(conversation.characters * 4),
            "model": AGENT_MODEL,
            "stream": True,
            "tools": [
                {"type": "function", "name": name, "description": about, "parameters": schema}
                for name, about, schema in _tools(conversation.tools)
            ],
        }
    )


def gemini(conversation: Conversation) -> bytes:
    """Write the same request as Google's SDK does."""
    declarations = [
        {"name": name, "description": about, "parametersJsonSchema": schema}
        for name, about, schema in _tools(conversation.tools)
    ]
    return _encode(
        {
            "contents": [
                _gemini_content(number, said) for number, said in enumerate(conversation.texts())
            ],
            "systemInstruction": {"parts": [{"text": prose(conversation.characters * 4)}]},
            "tools": [{"functionDeclarations": declarations}],
        }
    )


def call_id(prefix: str, number: int) -> str:
    """Return an id as random as those that providers give to calls."""
    return f"{prefix}{number * 7919:06d}Xq4TzR8vLmB2wYkN"


def _responses_item(number: int, text: str) -> dict[str, Any]:
    match number % 3:
        case 0:
            content = [{"type": "input_text", "text": text}]
            return {"type": "message", "role": "user", "content": content}
        case 1:
            return {
                "type": "function_call",
                "call_id": call_id("call_", number),
                "name": _tool_name(number),
                "arguments": json.dumps({"path": text}),
            }
        case _:
            call = call_id("call_", number - 1)
            return {"type": "function_call_output", "call_id": call, "output": text}


def _gemini_content(number: int, text: str) -> dict[str, Any]:
    match number % 3:
        case 0:
            return {"role": "user", "parts": [{"text": text}]}
        case 1:
            call = {"name": _tool_name(number), "args": {"path": text}}
            return {"role": "model", "parts": [{"functionCall": call}]}
        case _:
            response = {"name": _tool_name(number - 1), "response": {"output": text}}
            return {"role": "user", "parts": [{"functionResponse": response}]}


def _chat_message(number: int, text: str) -> dict[str, Any]:
    match number % 3:
        case 0:
            return {"role": "user", "content": text}
        case 1:
            function = {"name": _tool_name(number), "arguments": json.dumps({"path": text})}
            call = {"id": call_id("call_", number), "type": "function", "function": function}
            return {"role": "assistant", "content": None, "tool_calls": [call]}
        case _:
            return {"role": "tool", "tool_call_id": call_id("call_", number - 1), "content": text}


def _anthropic_message(number: int, text: str) -> dict[str, Any]:
    match number % 3:
        case 0:
            return {"role": "user", "content": text}
        case 1:
            name = _tool_name(number)
            call = {"id": call_id("toolu_01", number), "name": name, "input": {"path": text}}
            return {"role": "assistant", "content": [{"type": "tool_use", **call}]}
        case _:
            result = {"tool_use_id": call_id("toolu_01", number - 1), "content": text}
            return {"role": "user", "content": [{"type": "tool_result", **result}]}


def _tool_name(number: int) -> str:
    return _TOOL_NAMES[number // 3 % len(_TOOL_NAMES)]


def _tools(count: int) -> list[tuple[str, str, dict[str, Any]]]:
    schema = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path within the working folder."},
            "content": {"type": "string", "description": "What to write, without a fence."},
            "lines": {"type": "array", "items": {"type": "integer"}},
            "mode": {"type": "string", "enum": ["append", "replace", "create"]},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    return [(name, prose(220, number), schema) for number, name in enumerate(_TOOL_NAMES[:count])]


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
