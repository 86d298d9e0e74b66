"""Whether the messages of a Messages request hang together.

Consecutive messages of one role count as one turn, as they do for the API.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from addon.embedded.anthropic.models import Claude
from addon.embedded.prefix import blocks_of, chain, is_authentic, is_bound
from addon.embedded.refusal import Refusal

_USER_BLOCKS = frozenset(
    {"text", "image", "document", "search_result", "tool_result", "container_upload"}
)
_ASSISTANT_BLOCKS = frozenset(
    {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
    }
)
_THINKING = ("thinking", "redacted_thinking")
REDACTED_PREFIX = "embedded-redacted:"
"""How the data of a redacted block begins that this provider wrote."""

type Block = dict[str, Any]


@dataclass
class Turn:
    """Neighbouring messages of one role."""

    role: str
    index: int
    """Place of the first of them among the messages."""
    blocks: list[Block]


def turns_of(messages: list[dict[str, Any]]) -> list[Turn]:
    """Merge neighbouring messages of one role."""
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        blocks = blocks_of(message["content"])
        if turns and turns[-1].role == message["role"]:
            turns[-1].blocks.extend(blocks)
        else:
            turns.append(Turn(message["role"], index, list(blocks)))
    return turns


def check_conversation(
    request: dict[str, Any], model: Claude, newest_version: bool, secret: bytes
) -> None:
    """Check all messages.

    Raises:
        Refusal: What the API would answer.
    """
    messages: list[dict[str, Any]] = request["messages"]
    for index, message in enumerate(messages):
        _check_message(message, index, index == len(messages) - 1, newest_version)
    _check_system_messages(messages, request["model"], model)
    turns = turns_of([message for message in messages if message["role"] != "system"])
    _check_tool_pairs(turns, request)
    _check_last_turn(turns[-1] if turns else None, model, request)
    _check_signatures(request, model, secret)
    if request.get("thinking", {}).get("type") == "enabled":
        _check_tool_loop_thinks(turns)


def _check_message(message: dict[str, Any], index: int, last: bool, newest_version: bool) -> None:
    role = message["role"]
    blocks = blocks_of(message["content"])
    if not blocks and not (last and role == "assistant"):
        if role == "user":
            raise Refusal(f"messages.{index}: user messages must have non-empty content")
        raise Refusal(
            f"messages.{index}: all messages must have non-empty content except for the optional "
            "final assistant message"
        )
    for place, block in enumerate(blocks):
        path = f"messages.{index}.content.{place}"
        _check_place(block, role, path, newest_version)
        _check_block(block, path, newest_version and role == "user")


def _check_place(block: Block, role: str, path: str, newest_version: bool) -> None:
    kind = block["type"]
    allowed = {"user": _USER_BLOCKS, "assistant": _ASSISTANT_BLOCKS, "system": {"text"}}[role]
    if kind in allowed or (kind == "document" and role == "assistant" and not newest_version):
        return
    owner = "user" if kind in _USER_BLOCKS else "assistant"
    raise Refusal(f"{path}: `{kind}` blocks can only be in `{owner}` messages")


def _check_block(block: Block, path: str, no_citations: bool) -> None:
    match block["type"]:
        case "text":
            _check_text(block["text"])
            if no_citations and block.get("citations"):
                raise Refusal(f"{path}.text.citations: not supported in user messages")
        case "image" | "document":
            _check_source(block["source"], f"{path}.{block['type']}.source")
        case "tool_result":
            inner = blocks_of(block.get("content"))
            for part in inner:
                _check_block(part, f"{path}.tool_result.content", no_citations)
            if block.get("is_error") and any(part["type"] != "text" for part in inner):
                raise Refusal(f"{path}.tool_result: all content must be type `text` if is_error")
        case "search_result":
            for part in block["content"]:
                _check_text(part["text"])
        case _:
            pass


def _check_text(text: str) -> None:
    if not text:
        raise Refusal("messages: text content blocks must be non-empty")
    if not text.strip():
        raise Refusal("messages: text content blocks must contain non-whitespace text")


def _check_source(source: dict[str, Any], path: str) -> None:
    match source["type"]:
        case "base64":
            try:
                content = base64.b64decode(source["data"], validate=True)
            except (binascii.Error, ValueError):
                raise Refusal(f"{path}.base64.data: invalid base64 data") from None
            if not content:
                raise Refusal(f"{path}.base64.data: must not be empty")
        case "url":
            if not source["url"].startswith("https://"):
                raise Refusal(f"{path}.url.url: Only HTTPS URLs are supported.")
        case "text":
            if not source["data"]:
                raise Refusal(f"{path}.text.data: must not be empty")
        case "content":
            for block in blocks_of(source["content"]):
                if block.get("type") not in ("text", "image"):
                    raise Refusal(f"{path}.content: only text and image blocks are supported")
        case _:
            raise Refusal(f"{path}.file_id: File not found: {source['file_id']}", status=404)


def _check_system_messages(messages: list[dict[str, Any]], name: str, model: Claude) -> None:
    for index, message in enumerate(messages):
        if message["role"] != "system":
            continue
        if not model.system_messages:
            raise Refusal(f"messages.{index}: role 'system' is not supported on {name}")
        before = [other["role"] for other in messages[:index] if other["role"] != "system"]
        after = [other["role"] for other in messages[index + 1 :] if other["role"] != "system"]
        if before[-1:] != ["user"] or after[:1] == ["user"]:
            raise Refusal(
                f"messages.{index}: a `system` message must follow a user turn and be the last "
                "message or directly precede an assistant turn"
            )


def _check_tool_pairs(turns: list[Turn], request: dict[str, Any]) -> None:
    if not request.get("tools") and any(
        block["type"] in ("tool_use", "tool_result") for turn in turns for block in turn.blocks
    ):
        raise Refusal(
            "tools: required when `tool_use` or `tool_result` blocks are present in the messages"
        )
    asked: list[str] = []
    for position, turn in enumerate(turns):
        if turn.role == "user":
            _check_results(turn, asked)
            asked = []
            continue
        asked = [block["id"] for block in turn.blocks if block["type"] == "tool_use"]
        if len(set(asked)) < len(asked):
            raise Refusal(f"messages.{turn.index}: `tool_use` ids must be unique")
        if asked and position == len(turns) - 1:
            raise _unanswered(turn.index, asked)


def _check_results(turn: Turn, asked: list[str]) -> None:
    answered: list[str] = []
    others_seen = False
    for block in turn.blocks:
        if block["type"] != "tool_result":
            others_seen = True
            continue
        answer = block["tool_use_id"]
        if answer not in asked:
            raise Refusal(
                f"messages.{turn.index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{answer}. Each `tool_result` block must have a corresponding `tool_use` block in "
                "the previous message."
            )
        if answer in answered:
            raise Refusal(
                f"messages.{turn.index}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {answer}"
            )
        if others_seen:
            raise _unanswered(turn.index - 1, [answer])
        answered.append(answer)
    missing = [name for name in asked if name not in answered]
    if missing:
        raise _unanswered(turn.index - 1, missing)


def _unanswered(index: int, names: list[str]) -> Refusal:
    return Refusal(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(names)}. Each `tool_use` block must have a corresponding `tool_result` "
        "block in the next message."
    )


def _check_last_turn(turn: Turn | None, model: Claude, request: dict[str, Any]) -> None:
    if turn is None:
        raise Refusal("messages: at least one user message is required")
    if turn.role != "assistant":
        return
    if not model.prefill:
        raise Refusal(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    if request.get("thinking", {}).get("type") == "enabled":
        raise Refusal("messages: prefill is not supported when thinking is enabled")
    last = turn.blocks[-1] if turn.blocks else None
    if last and last["type"] == "text" and last["text"] != last["text"].rstrip():
        raise Refusal("messages: final assistant content cannot end with trailing whitespace")


def _check_signatures(request: dict[str, Any], model: Claude, secret: bytes) -> None:
    links = chain(request)
    behind = len(request.get("tools") or []) + len(blocks_of(request.get("system")))
    dropping = request.get("thinking", {}).get("block_binding", {})
    for index, message in enumerate(request["messages"]):
        for place, block in enumerate(blocks_of(message["content"])):
            path = f"messages.{index}.content.{place}"
            if block["type"] == "redacted_thinking":
                if not block["data"].startswith(REDACTED_PREFIX):
                    raise Refusal(f"{path}: Invalid `data` in `redacted_thinking` block")
            elif block["type"] == "thinking":
                if not is_authentic(secret, block["thinking"], block["signature"]):
                    raise Refusal(f"{path}: Invalid `signature` in `thinking` block")
                prefix = links[behind - 1].digest if behind else b""
                if (
                    model.bound_thinking
                    and dropping.get("prefix_mismatch_behavior") != "drop_block"
                    and not is_bound(secret, block["signature"], prefix)
                ):
                    raise Refusal(
                        f"{path}: Invalid `signature` in `thinking` block. The block is bound to a "
                        "different conversation"
                    )
            behind += 1


def _check_tool_loop_thinks(turns: list[Turn]) -> None:
    """Demand the thinking that began the tool loop which is now going on."""
    loop: list[Turn] = []
    for turn in reversed(turns):
        if turn.role == "assistant":
            loop.append(turn)
        elif not turn.blocks or turn.blocks[0]["type"] != "tool_result":
            break
    if not loop or turns[-1].role != "user":
        return
    first = loop[-1].blocks[0]
    calls_tools = any(block["type"] == "tool_use" for turn in loop for block in turn.blocks)
    if calls_tools and first["type"] not in _THINKING:
        raise Refusal(
            f"messages.{loop[-1].index}.content.0.type: Expected `thinking` or "
            f"`redacted_thinking`, but found `{first['type']}`. When `thinking` is enabled, a "
            "final `assistant` message must start with a thinking block (preceeding the lastmost "
            "set of `tool_use` and `tool_result` blocks)."
        )
