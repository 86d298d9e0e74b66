"""What the Gemini API refuses with 400, as a checker of request bodies.

Google's own types judge the names and types of fields; beside them stand the rules on the
conversation, which only the API itself enforces.
"""

from __future__ import annotations

import functools
from typing import Any

import pydantic
import pytest


@functools.cache
def _body_type() -> pydantic.TypeAdapter[Any]:
    types = pytest.importorskip("google.genai").types
    fields: dict[str, Any] = {
        "systemInstruction": (types.Content | None, None),
        "contents": (list[types.Content], ...),
        "tools": (list[types.Tool] | None, None),
        "toolConfig": (types.ToolConfig | None, None),
        "generationConfig": (types.GenerationConfig | None, None),
        "serviceTier": (types.ServiceTier | None, None),
    }
    model = pydantic.create_model(
        "Body",
        __config__=pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        **fields,
    )
    return pydantic.TypeAdapter(model)


def check_gemini_request(wire: dict[str, Any], *, generation: int) -> None:
    """Raise `AssertionError` or `ValidationError` for a body that the API would refuse.

    Args:
        wire: The body.
        generation: Major version of the model: 2 or 3.
    """
    _body_type().validate_python(wire)
    contents = wire["contents"]
    assert contents, "no contents"
    assert contents[0]["role"] == contents[-1]["role"] == "user", "the user begins and ends"
    calls: list[dict[str, Any]] = []
    for before, content in zip([None, *contents], contents, strict=False):
        assert before is None or before["role"] != content["role"], "roles do not alternate"
        assert content["parts"], "a content without parts"
        for part in content["parts"]:
            _check_part(part, content["role"], generation)
        calls = _check_calls(content, calls, generation)
    assert not calls, "calls without responses"
    _check_tools(wire)


def _check_part(part: dict[str, Any], role: str, generation: int) -> None:
    kinds = part.keys() - {"thought", "thoughtSignature"}
    assert len(kinds) == 1, f"a part of {kinds}"
    if "text" in part:
        assert part["text"] or "thoughtSignature" in part, "a blank text"
    if "functionCall" in part:
        assert role == "model"
        assert isinstance(part["functionCall"]["args"], dict)
    if "functionResponse" in part:
        assert role == "user"
        assert part["functionResponse"]["name"]
        assert part["functionResponse"]["response"].keys() <= {"output", "error"}
    if "thoughtSignature" in part:
        assert role == "model"
    wire = part.get("functionCall") or part.get("functionResponse") or {}
    assert ("id" in wire) == (bool(wire) and generation >= 3), "ids belong to Gemini 3 alone"


def _check_calls(
    content: dict[str, Any], calls: list[dict[str, Any]], generation: int
) -> list[dict[str, Any]]:
    if content["role"] == "user":
        responses = [
            part["functionResponse"]
            for part in content["parts"][: len(calls)]
            if "functionResponse" in part
        ]
        names = [(call["name"], call.get("id")) for call in calls]
        assert [(item["name"], item.get("id")) for item in responses] == names, "unlike the calls"
        assert not any("functionResponse" in part for part in content["parts"][len(calls) :])
        return []
    parts = [part for part in content["parts"] if "functionCall" in part]
    if parts and generation >= 3:
        assert "thoughtSignature" in parts[0], "missing a thought_signature"
    return [part["functionCall"] for part in parts]


def _check_tools(wire: dict[str, Any]) -> None:
    tools = wire.get("tools", [])
    assert all(tools), "an empty tool"
    names = [
        function["name"] for tool in tools for function in tool.get("functionDeclarations", ())
    ]
    calling = wire.get("toolConfig", {}).get("functionCallingConfig", {})
    assert names or not calling, "a function calling config without functions"
    allowed = calling.get("allowedFunctionNames", [])
    assert set(allowed) <= set(names)
    assert not allowed or calling["mode"] in ("ANY", "VALIDATED")
    thinking = wire.get("generationConfig", {}).get("thinkingConfig", {})
    assert not {"thinkingLevel", "thinkingBudget"} <= thinking.keys()
    assert len(wire.get("generationConfig", {}).get("stopSequences", ())) <= 5
