"""Fit an agent's own request to a Claude of another generation, in place.

An agent writes for the model that it names. Where a rule names another one, some of its settings
may be refused (see `models`); they are changed, everything else stays as it is.
"""

from __future__ import annotations

from typing import Any

from addon.formats.anthropic.models import ClaudeModel
from addon.formats.anthropic.request_parsing import parse_reasoning, parse_request
from addon.formats.anthropic.thinking import (
    MINIMUM_BUDGET,
    Thinking,
    loop_lacks_thoughts,
    render_thinking,
)
from addon.formats.anthropic.turns import system_block
from addon.neutral import LossList
from addon.wire.codec import encode
from addon.wire.json_edit import Splice, items, members, splice
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.unread import Unread

type Changes = dict[str, bytes | None]
type Wire = dict[str, Any]


def fit_to_model(body: bytes, wire: Wire, model: ClaudeModel, losses: LossList) -> Changes:
    """Return what to change among the members of a request.

    Args:
        body: The request.
        wire: The same, decoded.
        model: The abilities of the model that it goes to.
        losses: Receives what the model cannot do.
    """
    changes: Changes = {}
    _fit_thinking(body, wire, model, changes, losses)
    _fit_limit(wire, model, changes, losses)
    _fit_sampling(wire, model, changes, losses)
    _fit_choice(wire, model, changes, losses)
    _fit_messages(body, wire, model, changes, losses)
    return changes


def _fit_thinking(
    body: bytes, wire: Wire, model: ClaudeModel, changes: Changes, losses: LossList
) -> None:
    thinking = mapping(wire.get("thinking"))
    configuration = mapping(wire.get("output_config"))
    effort = configuration.get("effort")
    if _takes_thinking(thinking, text(effort), model) and (not effort or effort in model.efforts):
        return
    chosen = render_thinking(parse_reasoning(wire, Unread()), model, losses)
    if chosen.budget and loop_lacks_thoughts(parse_request(body).messages):
        losses.dropped("thinking", "the thoughts before the open tool calls are gone")
        chosen = Thinking()
    chosen = _within_limit(chosen, wire, model, losses)
    if chosen.thinking is None:
        changes["thinking"] = None
        if "context_management" in wire:
            losses.dropped("context_management", "its edits are for a model that thinks")
            changes["context_management"] = None
    else:
        display = {"display": thinking["display"]} if thinking.get("display") else {}
        shown = display if chosen.active else {}
        changes["thinking"] = encode({**chosen.thinking, **shown})
    rest = {key: value for key, value in configuration.items() if key != "effort"}
    if chosen.effort is not None:
        rest["effort"] = chosen.effort
    changes["output_config"] = encode(rest) if rest else None


def _within_limit(chosen: Thinking, wire: Wire, model: ClaudeModel, losses: LossList) -> Thinking:
    """Keep a thinking budget below the limit of the whole answer."""
    limit = min(integer(wire.get("max_tokens")) or 0, model.max_output_tokens)
    if chosen.budget < limit or not chosen.budget:
        return chosen
    if limit // 2 < MINIMUM_BUDGET:
        losses.dropped("thinking", "max_tokens leaves no room for it")
        return Thinking()
    losses.approximated("thinking.budget_tokens", "half of max_tokens")
    return Thinking({"type": "enabled", "budget_tokens": limit // 2}, chosen.effort)


def _takes_thinking(thinking: Wire, effort: str, model: ClaudeModel) -> bool:
    match thinking.get("type"):
        case None:
            return True
        case "enabled":
            return model.thinking == "budget"
        case "adaptive":
            return model.thinking == "adaptive"
        case "between_tools":
            return model.between_tools_thinking
        case _:
            high = effort in ("xhigh", "max")
            return model.thinking != "none" and (
                model.can_disable_thinking == "always"
                or (model.can_disable_thinking == "up_to_high_effort" and not high)
            )


def _fit_limit(wire: Wire, model: ClaudeModel, changes: Changes, losses: LossList) -> None:
    limit = integer(wire.get("max_tokens"))
    if limit is not None and limit > model.max_output_tokens:
        losses.approximated("max_tokens", f"the model writes at most {model.max_output_tokens}")
        changes["max_tokens"] = encode(model.max_output_tokens)


def _fit_sampling(wire: Wire, model: ClaudeModel, changes: Changes, losses: LossList) -> None:
    if model.sampling:
        return
    for name in ("temperature", "top_p", "top_k"):
        if name in wire:
            changes[name] = None
            if wire[name] not in (None, 1) or name == "top_k":  # 1 is the default of the others
                losses.dropped(name, "the model refuses it")


def _fit_choice(wire: Wire, model: ClaudeModel, changes: Changes, losses: LossList) -> None:
    choice = mapping(wire.get("tool_choice"))
    if choice.get("type") in ("any", "tool") and not model.forced_tool_choice:
        losses.approximated("tool_choice", "the model cannot be forced to call a tool")
        rest = {key: value for key, value in choice.items() if key not in ("type", "name")}
        changes["tool_choice"] = encode({"type": "auto", **rest})


def _fit_messages(
    body: bytes, wire: Wire, model: ClaudeModel, changes: Changes, losses: LossList
) -> None:
    """Put late system messages into the user's turn, where the model does not obey them."""
    messages = sequence(wire.get("messages"))
    late = [mapping(message).get("role") == "system" for message in messages]
    if model.mid_system or not any(late):
        return
    losses.approximated("messages.role", "a late system message became text in a user turn")
    member = next(found for found in members(body) if found.key == "messages")
    array = body[member.value_start : member.value_end]
    changes["messages"] = splice(
        array,
        [
            Splice(start, end, encode({"role": "user", "content": _as_user(mapping(message))}))
            for message, is_late, (start, end) in zip(messages, late, items(array), strict=True)
            if is_late
        ],
    )


def _as_user(message: Wire) -> list[Wire]:
    content = message.get("content")
    if isinstance(content, str):
        return [system_block(content)]
    return [
        {**block, **system_block(words)}
        for block in map(mapping, sequence(content))
        if (words := text(block.get("text"))).strip()
    ]
