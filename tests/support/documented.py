"""Requests that name every documented field once, made from the official SDKs' own types.

Each is a small valid request and one documented field more, or one more kind of message, item, part
or tool. What the next release of an SDK adds is tried by itself.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Iterator
from typing import Any

from anthropic.types.beta import message_create_params as anthropic_beta
from openai.types.chat import completion_create_params as openai_chat
from openai.types.responses import response_create_params as openai_responses
from typing_extensions import is_typeddict

type Body = dict[str, Any]

DEEPEST = 7
"""Levels of nesting within one field; recursive types end here."""

_QUESTION = {"role": "user", "content": "Look."}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
_WORDS = {
    "url": "https://example.com/a.png",
    "image_url": "https://example.com/a.png",
    "file_url": "https://example.com/a.pdf",
    "file_uri": "https://example.com/a.png",
    "file_data": f"data:application/pdf;base64,{_PICTURE}",
    "data": _PICTURE,
    "mime_type": "image/png",
    "arguments": '{"a":1}',
    "model": "asked-for",
}
"""What a string of this name has to look like."""
_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_NAMED_TOOL = {"type": "function", "name": "look"}
_SCHEMAS = (
    "parameters",
    "schema",
    "input_schema",
    "parameters_json_schema",
    "response_json_schema",
)


def samples(kind: Any, name: str = "", depth: int = 0) -> list[Any]:
    """Return one value for each alternative of a type, the fullest of its kind."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if name in _SCHEMAS:
        return [_SCHEMA]
    if origin in (typing.Required, typing.NotRequired, typing.Annotated):
        return samples(arguments[0], name, depth)
    if origin is typing.Literal:
        return [arguments[-1]]  # the first one is mostly the default
    if origin is typing.Union or type(kind).__name__ == "UnionType":
        return [value for inner in arguments for value in samples(inner, name, depth)]
    if is_typeddict(kind):
        return [] if depth > DEEPEST else _objects(kind, depth)
    if origin in (list, collections.abc.Sequence, collections.abc.Iterable, tuple):
        return [[value] for value in samples(arguments[0], name, depth)]
    if origin is dict or origin is collections.abc.Mapping or kind is dict:
        return [_NAMED_TOOL if name == "tools" else {"a": "b"}]
    return _scalar(kind, name)


def _scalar(kind: Any, name: str) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, str):
        members = list(getattr(kind, "__members__", {}).values())
        return [str(members[-1].value) if members else _WORDS.get(name, f"{name or 'some'} words")]
    scalars: dict[Any, Any] = {bool: True, int: 7, float: 0.5, object: {"a": "b"}}
    if name == "top_k":
        return [40]
    return [scalars[kind]] if kind in scalars else []


def _objects(kind: Any, depth: int) -> list[Body]:
    """Return an object with all its fields, and one more for each further alternative of one."""
    fields = {
        field: found
        for field, inner in typing.get_type_hints(kind, include_extras=True).items()
        if (found := samples(inner, field, depth + 1))
    }
    first = {field: found[0] for field, found in fields.items()}
    others = ({**first, field: other} for field, found in fields.items() for other in found[1:])
    return [first, *others]


def documented_requests(source: str) -> Iterator[tuple[str, Body]]:
    """Return requests of one format, each under the name of the field that it tries."""
    yield from _FORMATS[source]()


def _tried(kind: Any, least: Body, name: str) -> Iterator[tuple[str, Body]]:
    """Add the fields of a type to a small request one by one."""
    for field, inner in typing.get_type_hints(kind, include_extras=True).items():
        for value in samples(inner, field):
            given = least.get(field)
            if isinstance(given, list) and isinstance(value, list):
                value = [*(item for item in given if not _repeats(item, value)), *value]
            yield f"{name}{field}", {**least, field: value}


def _repeats(item: Body, values: list[Body]) -> bool:
    """Tell whether an item of the small request has to go: a call's id can be used once."""
    given = item.get("call_id")
    return given is not None and any(
        value.get("call_id") == given and str(value.get("type")).endswith("_call")
        for value in values
        if isinstance(value, dict)
    )


def _chat() -> Iterator[tuple[str, Body]]:
    history = [_QUESTION, {"role": "assistant", "content": None, "tool_calls": [_CALL]}]
    tool = {"type": "function", "function": {"name": "look", "parameters": _SCHEMA}}
    least = {"model": "asked-for", "messages": history, "tools": [tool]}
    yield from _tried(openai_chat.CompletionCreateParamsBase, least, "")


def _responses() -> Iterator[tuple[str, Body]]:
    call = {"type": "function_call", "call_id": "call_id words", "name": "look", "arguments": "{}"}
    tool = {"type": "function", "name": "look", "parameters": _SCHEMA, "strict": False}
    least = {"model": "asked-for", "input": [_QUESTION, call], "tools": [tool]}
    yield from _tried(openai_responses.ResponseCreateParamsBase, least, "")


def _anthropic() -> Iterator[tuple[str, Body]]:
    call = {"type": "tool_use", "id": "tool_use_id words", "name": "look", "input": {}}
    tool = {"name": "look", "input_schema": _SCHEMA}
    least = {
        "model": "asked-for",
        "max_tokens": 99,
        "messages": [_QUESTION, {"role": "assistant", "content": [call]}],
        "tools": [tool],
    }
    yield from _tried(anthropic_beta.MessageCreateParamsBase, least, "")


def _gemini() -> Iterator[tuple[str, Body]]:
    from google.genai import types  # takes a second: only those who ask for it wait

    question = {"role": "user", "parts": [{"text": "Look."}]}
    call = {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}}]}
    least: Body = {
        "contents": [question, call],
        "tools": [{"functionDeclarations": [{"name": "look"}]}],
    }
    for name, part in _tried(types.PartDict, {}, "contents.parts."):
        yield name, {**least, "contents": [question, call, {"role": "user", "parts": [part]}]}
        yield name, {**least, "contents": [question, {"role": "model", "parts": [part]}, question]}
    for name, tool in _tried(types.ToolDict, {}, "tools."):
        yield name, {**least, "tools": [*least["tools"], tool]}
    for field, kind in (
        ("generationConfig", types.GenerationConfigDict),
        ("toolConfig", types.ToolConfigDict),
        ("systemInstruction", types.ContentDict),
    ):
        for name, value in _tried(kind, {}, f"{field}."):
            yield name, {**least, field: value}
    yield "safetySettings", {**least, "safetySettings": samples(types.SafetySettingDict)}
    for field in ("cachedContent", "serviceTier", "labels", "store", "continuationToken"):
        yield field, {**least, field: "words"}


_FORMATS = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
