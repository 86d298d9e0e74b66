"""Codex CLI 0.169: the Responses API; what it says of its turn stands in the body as well."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.phases.case import Case

USER_AGENT = "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"
_SELF = "You are Codex, an agent based on GPT-6. You and the user share one workspace."
_DEFAULT = "<collaboration_mode># Collaboration Mode: Default\n\nYou are now in Default mode. Any"
_PLAN = "<collaboration_mode># Plan Mode (Conversational)\n\nYou work in 3 phases."
_ROOT = "<multi_agent_role>You are `/root`, the primary agent in a team of agents"
_CHILD = "<multi_agent_role>You are an agent in a team of agents collaborating to complete a task."
_REVIEWER = "# Review guidelines:\n\nYou are acting as a reviewer for a proposed code change."
_SUMMARY = (
    "You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary for another"
)
_CALL = {"type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": "{}"}
_RESULT = {
    "type": "function_call_output",
    "call_id": "c1",
    "output": "You are in **Plan Mode** until",
}
_TOOL = {"type": "function", "name": "exec_command", "parameters": {"type": "object"}}


def turn(**said: str) -> str:
    """Return what Codex says of its turn."""
    usual = {"agent_name": "/root", "request_kind": "turn", "thread_source": "user"}
    return json.dumps(usual | said, separators=(",", ":"))


def developer(text: str) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": text}],
    }


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def case(name: str, phase: str, *items: dict[str, Any], told: str | None = None) -> Case:
    said = {} if told is None else {"client_metadata": {"x-codex-turn-metadata": told}}
    body = {"model": "gpt-6.1-sol", "stream": True, "store": False, "tools": [_TOOL], **said}
    body["input"] = list(items)
    # A WebSocket was opened with these, and they never change.
    headers = {"originator": "codex_exec", "x-codex-turn-metadata": turn(request_kind="prewarm")}
    return Case(f"codex, {name}", phase, USER_AGENT, "/v1/responses", body, headers)


CASES = (
    case("turn", "coding", developer(_SELF), developer(_DEFAULT), user("Fix it."), told=turn()),
    case("turn that says nothing of itself", "coding", developer(_SELF), user("Fix it.")),
    case(
        "plan mode",
        "planning",
        developer(_SELF),
        developer(_DEFAULT),
        user("Say hi."),
        developer(_PLAN),
        user("Plan it."),
        told=turn(),
    ),
    case(
        "plan mode left",
        "coding",
        developer(_SELF),
        developer(_PLAN),
        user("Plan it."),
        developer(_DEFAULT),
        user("Do it."),
        _CALL,
        _RESULT,
        told=turn(),
    ),
    case("review", "review", developer(_REVIEWER), user("Review the current code changes.")),
    case(
        "review that says so",
        "review",
        user("Review the current code changes."),
        told=turn(subagent_kind="review", thread_source="subagent"),
    ),
    case(
        "sub-agent",
        "subagent",
        developer(_SELF),
        user("Look."),
        told=turn(agent_name="/root/look", subagent_kind="thread_spawn", thread_source="subagent"),
    ),
    case(
        "sub-agent by its role",
        "subagent",
        developer(_SELF),
        developer(_ROOT),
        user("Fix it."),
        developer(_CHILD),
        user("Look."),
    ),
    case("main agent by its role", "coding", developer(_SELF), developer(_ROOT), user("Fix it.")),
    case(
        "compaction on the server",
        "compaction",
        developer(_SELF),
        user("Fix it."),
        {"type": "compaction_trigger"},
    ),
    case(
        "compaction that says so",
        "compaction",
        developer(_SELF),
        user("Fix it."),
        told=turn(request_kind="compaction"),
    ),
    case("compaction by a summary", "compaction", developer(_SELF), user("Hi."), user(_SUMMARY)),
    case("warming up", "other", told=turn(request_kind="prewarm")),
)
