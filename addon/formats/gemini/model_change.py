"""Fit an agent's own request to a Gemini of another generation, in place.

An agent writes for the model that it names. Where a rule names another one, some of its settings
may be refused (see `models`); they are changed, everything else stays as it is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.gemini.models import GeminiModel
from addon.formats.gemini.names import field, snake_case
from addon.formats.gemini.request_parsing import parse_reasoning
from addon.formats.gemini.thinking import render_thinking
from addon.neutral import LossList
from addon.wire.codec import encode
from addon.wire.json_edit import edit_object, members
from addon.wire.reading import integer, mapping, number, sequence, text
from addon.wire.unread import Unread

type Changes = dict[str, bytes | None]
type Wire = dict[str, Any]


def fit_to_model(body: bytes, wire: Wire, model: GeminiModel, losses: LossList) -> bytes:
    """Return a request with the settings that a model takes.

    Args:
        body: The request.
        wire: The same, decoded.
        model: The abilities of the model that it goes to.
        losses: Receives what the model cannot do.
    """
    key = _key(wire, "generationConfig")
    generation = mapping(wire.get(key))
    changes: Changes = {}
    _fit_thinking(generation, model, changes, losses)
    _fit_limit(generation, model, changes, losses)
    _fit_sampling(generation, model, changes, losses)
    if not changes:
        return body
    place = next(member for member in members(body) if member.key == key)
    span = body[place.value_start : place.value_end]
    return edit_object(body, {key: edit_object(span, changes)})


def needs_another_shape(wire: Wire, model: GeminiModel) -> bool:
    """Tell whether more than settings would have to change: the request is to be written anew."""
    tools = [mapping(tool) for tool in sequence(wire.get("tools"))]
    functions = any(field(tool, "functionDeclarations") for tool in tools)
    searches = any(key for tool in tools for key in tool if "unction" not in key)
    generation = mapping(field(wire, "generationConfig"))
    shaped = text(field(generation, "responseMimeType")) not in ("", "text/plain")
    return (
        (functions and searches and not model.search_with_functions)
        or (functions and shaped and not model.json_with_functions)
        or (not model.system_instruction and bool(field(wire, "systemInstruction")))
        or (not model.media_in_results and _has_media_in_results(wire))
    )


def _has_media_in_results(wire: Wire) -> bool:
    contents = map(mapping, sequence(wire.get("contents")))
    parts = (mapping(part) for content in contents for part in sequence(content.get("parts")))
    return any(mapping(field(part, "functionResponse")).get("parts") for part in parts)


def _fit_thinking(generation: Wire, model: GeminiModel, changes: Changes, losses: LossList) -> None:
    key = _key(generation, "thinkingConfig")
    wire = mapping(generation.get(key))
    if not wire or _takes_thinking(wire, model):
        return
    wanted = parse_reasoning(wire, Unread())
    if wanted is not None:  # shown only to those who ask for it, unlike in other formats
        wanted = msgspec.structs.replace(wanted, visible=wanted.visible is True)
    chosen = render_thinking(wanted, model, losses)
    changes[key] = encode(chosen) if chosen else None


def _takes_thinking(wire: Wire, model: GeminiModel) -> bool:
    if model.thinking == "none":
        return False
    level = field(wire, "thinkingLevel")
    budget = integer(field(wire, "thinkingBudget"))
    if level is not None:
        return model.thinking == "level" and str(level).lower() in model.levels
    if budget is None or budget == -1:
        return True
    least, greatest = model.budgets
    if model.thinking == "level":
        return budget > 0
    return least <= budget <= greatest and (not budget or budget >= model.shortest_budget)


def _fit_limit(generation: Wire, model: GeminiModel, changes: Changes, losses: LossList) -> None:
    key = _key(generation, "maxOutputTokens")
    limit = integer(generation.get(key))
    if limit is not None and limit > model.max_output_tokens:
        losses.approximated(key, f"the model writes at most {model.max_output_tokens} tokens")
        changes[key] = encode(model.max_output_tokens)


def _fit_sampling(generation: Wire, model: GeminiModel, changes: Changes, losses: LossList) -> None:
    for name, taken, neutral in (
        ("temperature", model.sampling, 1),
        ("topP", model.sampling, 1),
        ("topK", model.sampling, None),
        ("presencePenalty", model.penalties, 0),
        ("frequencyPenalty", model.penalties, 0),
    ):
        key = _key(generation, name)
        if taken or key not in generation:
            continue
        changes[key] = None
        if number(generation[key]) not in (None, neutral):
            losses.dropped(key, "the model has no such setting")


def _key(wire: Wire, name: str) -> str:
    """Return the name of a field as the client writes it."""
    return name if name in wire else snake_case(name)
