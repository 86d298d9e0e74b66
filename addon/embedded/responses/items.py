"""Whether the items of a Responses request hang together."""

from __future__ import annotations

from typing import Any

from addon.embedded.openai_values import check_data_url
from addon.embedded.refusal import Refusal
from addon.embedded.responses.reasoning_state import check_seal
from addon.embedded.responses.store import ResponseStore

type Item = dict[str, Any]

OUTPUTS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
"""Calls that the client answers, and how."""
_CALLS = {output: call for call, output in OUTPUTS.items()}
_SPOKEN = {"function_call": "function call", "custom_tool_call": "custom tool call"}


def is_message(item: Item, *roles: str) -> bool:
    """Tell whether an item is a message of one of the roles."""
    return item.get("type", "message") == "message" and item["role"] in roles


def check_items(items: list[Item], model: str, store: ResponseStore, secret: bytes | None) -> None:
    """Check a conversation, references resolved.

    Raises:
        Refusal: What the API would answer.
    """
    if not items:
        raise Refusal(
            "Missing required parameter: 'input'.", param="input", code="missing_required_parameter"
        )
    _check_identities(items)
    _check_calls(items)
    for position, item in enumerate(items):
        param = f"input[{position}]"
        kind = item.get("type", "message")
        if kind == "reasoning":
            _check_reasoning(item, items[position + 1 : position + 2], model, store, secret)
        elif needed := store.needed.get(item.get("id") or ""):
            _check_needed(item, needed, items)
        if kind == "message":
            _check_parts(item["content"], f"{param}.content")
        if kind in _CALLS:
            _check_parts(item["output"], f"{param}.output")


def _check_identities(items: list[Item]) -> None:
    seen: set[str] = set()
    for item in items:
        name = item.get("id")
        if name and name in seen:
            raise Refusal(
                f"Duplicate item found with id {name}. Remove duplicate items from your input and "
                "try again.",
                param="input",
            )
        if name:
            seen.add(name)


def _check_calls(items: list[Item]) -> None:
    waiting: dict[str, str] = {}
    for item in items:
        kind = item.get("type", "message")
        if kind in OUTPUTS:
            if item["call_id"] in waiting:
                raise Refusal(f"Duplicate call_id {item['call_id']} in input.", param="input")
            waiting[item["call_id"]] = kind
        elif kind in _CALLS:
            call_id: str = item["call_id"]
            if waiting.pop(call_id, None) != _CALLS[kind]:
                spoken = _SPOKEN[_CALLS[kind]]
                raise Refusal(
                    f"No tool call found for {spoken} output with call_id {call_id}.",
                    param="input",
                )
    for call_id, kind in waiting.items():
        raise Refusal(f"No tool output found for {_SPOKEN[kind]} {call_id}.", param="input")


def _check_reasoning(
    item: Item, following: list[Item], model: str, store: ResponseStore, secret: bytes | None
) -> None:
    name: str = item.get("id") or "rs_unknown"
    sealed = item.get("encrypted_content")
    if sealed is None:
        store.resolve(name)
    elif secret is not None:
        check_seal(secret, model, name, sealed)
    follows = following[0] if following else {"type": "nothing"}
    kind = follows.get("type", "message")
    if kind in _CALLS or kind == "nothing" or is_message(follows, "user", "system", "developer"):
        raise Refusal(
            f"Item '{name}' of type 'reasoning' was provided without its required following item.",
            param="input",
        )


def _check_needed(item: Item, needed: str, items: list[Item]) -> None:
    if not any(other.get("id") == needed for other in items):
        raise Refusal(
            f"Item '{item['id']}' of type '{item['type']}' was provided without its required "
            f"'reasoning' item: '{needed}'.",
            param="input",
        )


def _check_parts(content: str | list[Item], param: str) -> None:
    if isinstance(content, str):
        return
    for index, part in enumerate(content):
        place = f"{param}[{index}]"
        if part["type"] == "input_image":
            _check_one_of(part, ("image_url", "file_id"), place)
            url = part.get("image_url")
            if url and not url.startswith(("https://", "http://")):
                check_data_url(url, f"{place}.image_url", ("data:image/",))
        elif part["type"] == "input_file":
            _check_one_of(part, ("file_data", "file_url", "file_id"), place)
            if part.get("file_data"):
                check_data_url(part["file_data"], f"{place}.file_data", ("data:",))


def _check_one_of(part: Item, fields: tuple[str, ...], param: str) -> None:
    given = [name for name in fields if part.get(name)]
    if len(given) != 1:
        raise Refusal(
            f"Invalid '{param}': exactly one of {', '.join(fields)} must be given, "
            f"but got {given or 'none'}.",
            param=param,
            code="invalid_value",
        )
