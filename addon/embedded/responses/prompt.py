"""What decides the answer to a Responses request."""

from __future__ import annotations

from typing import Any, cast

from addon.embedded.openai_models import reasons
from addon.embedded.responses.items import OUTPUTS, Item, is_message
from addon.embedded.responses.validation import format_of, functions_of
from addon.embedded.scenario import Prompt, Tool

_ANSWERS = frozenset(OUTPUTS.values())


def read_prompt(
    request: dict[str, Any], conversation: list[Item]
) -> tuple[Prompt, dict[str, tuple[str, str]]]:
    """Take out of a checked request what decides the answer.

    Returns:
        The prompt, and namespace and name of each tool by the flat name that the prompt knows.
    """
    turns_since, text = _last_text(conversation)
    form = format_of(request)
    added = [
        tool
        for item in conversation
        if item.get("type") == "additional_tools"
        for tool in item["tools"]
    ]
    found = functions_of([*request.get("tools", []), *added])
    flat = {f"{space}__{tool['name']}" if space else tool["name"]: (space, tool)
            for space, tool in found}  # fmt: skip
    tools = [
        Tool(name, tool.get("parameters") or {}, tool["type"] == "custom")
        for name, (_, tool) in flat.items()
    ]
    tools, choice = _choose(tools, request.get("tool_choice", "auto"))
    effort = request.get("reasoning", {}).get("effort")
    prompt = Prompt(
        text=text,
        turns_since=turns_since,
        answers_tool=conversation[-1].get("type") in _ANSWERS,
        tools=tools,
        choice=choice,
        parallel=request.get("parallel_tool_calls", True),
        schema=form["schema"] if form["type"] == "json_schema" else None,
        json_object=form["type"] == "json_object",
        thinks=reasons(request["model"]) and effort != "none",
        max_tokens=request.get("max_output_tokens"),
        stop_sequences=[],
    )
    return prompt, {name: (space, tool["name"]) for name, (space, tool) in flat.items()}


def _last_text(conversation: list[Item]) -> tuple[int, str]:
    """Return the last text of the user, and how many turns of the assistant stand behind it."""
    turns_since = 0
    answering = False
    for item in reversed(conversation):
        kind = item.get("type", "message")
        if is_message(item, "user"):
            answering = False
            if text := _text_of(item["content"]):
                return turns_since, text
        elif kind in _ANSWERS or is_message(item, "system", "developer"):
            answering = False
        elif not answering:
            answering = True
            turns_since += 1
    return turns_since, ""


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, Any]]", content)
    return "\n".join(part["text"] for part in parts if part["type"] == "input_text")


def _choose(tools: list[Tool], choice: object) -> tuple[list[Tool], str]:
    if isinstance(choice, str):
        return tools, "any" if choice == "required" else choice
    chosen = cast("dict[str, Any]", choice)
    if chosen["type"] == "allowed_tools":
        names = [one.get("name") for one in chosen["tools"]]
        kept = [tool for tool in tools if tool.name in names]
        return kept, "any" if chosen["mode"] == "required" else "auto"
    return tools, chosen.get("name", "auto")
