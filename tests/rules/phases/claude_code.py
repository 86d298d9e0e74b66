"""Claude Code 2.1: the Messages API; headers say what a call is for, and the texts do as well."""

from __future__ import annotations

from typing import Any

from tests.rules.phases.case import Case

USER_AGENT = "claude-cli/2.1.329 (external, sdk-cli)"
_BILLING = "x-anthropic-billing-header: cc_version=2.1.329.542; cc_entrypoint=cli; cch=85aec;"
_SELF = "You are Claude Code, Anthropic's official CLI for Claude."
_PLANNING = "Plan mode is active. The user indicated that they do not want you to execute yet"
_STILL = "<system-reminder>\nPlan mode still active (see full instructions earlier)"
_LEFT = "## Exited Plan Mode\n\nYou have exited plan mode. You can now make edits, run tools"
_SUMMARY = "CRITICAL: Respond with TEXT ONLY.\n\nYour task is to create a detailed summary of the "
_TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("Bash", "Edit", "Read")]
_CALL = {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}
_RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "Plan mode is active."}


def says(role: str, *parts: str | dict[str, Any]) -> dict[str, Any]:
    blocks = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"role": role, "content": blocks}


def case(
    name: str,
    phase: str,
    *messages: dict[str, Any],
    system: str = _SELF,
    billing: str = _BILLING,
    tools: list[Any] | None = None,
    needs_headers: bool = False,
    **headers: str,
) -> Case:
    body = {
        "model": "claude-opus-5-5",
        "max_tokens": 32000,
        "system": [{"type": "text", "text": billing}, {"type": "text", "text": system}],
        "messages": list(messages),
        "tools": _TOOLS if tools is None else tools,
        "stream": True,
    }
    fields = {f"x-claude-code-{key.replace('_', '-')}": text for key, text in headers.items()}
    where = "/v1/messages"
    title = f"claude-code, {name}"
    return Case(title, phase, USER_AGENT, where, body, fields, needs_headers)


CASES = (
    case("main", "coding", says("user", "Fix it."), request_class="main"),
    case(
        "plan mode",
        "planning",
        says("user", "<system-reminder>\nAttribution</system-reminder>", "Plan it."),
        says("system", f"# Environment\n\n{_PLANNING}"),
        request_class="main",
    ),
    case(
        "plan mode, some turns later",
        "planning",
        says("user", "Plan it."),
        says("system", _PLANNING),
        says("assistant", _CALL),
        says("user", _RESULT, _STILL),
        says("assistant", "A plan."),
        says("user", "Another."),
        request_class="main",
    ),
    case(
        "plan mode left",
        "coding",
        says("user", "Plan it."),
        says("system", _PLANNING),
        says("assistant", _CALL),
        says("user", _RESULT),
        says("system", _LEFT),
        says("assistant", _CALL | {"id": "t2"}),
        says("user", _RESULT | {"tool_use_id": "t2"}),
        request_class="main",
    ),
    case(
        "compaction",
        "compaction",
        says("user", "Plan it."),
        says("system", _PLANNING),
        says("assistant", "A plan."),
        says("user", f"{_SUMMARY}conversation so far, paying close attention to"),
        request_class="compaction",
    ),
    case(
        "compaction of the recent part",
        "compaction",
        says("user", "Hi."),
        says("assistant", "Hi."),
        says("user", f"{_SUMMARY}RECENT portion of the conversation"),
    ),
    case(
        "compaction by an assistant made for it",
        "compaction",
        says("user", "Summarize."),
        system="You are a helpful AI assistant tasked with summarizing conversations.",
    ),
    case(
        "title",
        "title",
        says("user", "<session>\nFix it.\n</session>"),
        system="You are naming a coding session so the user can pick it out of a long list",
        tools=[],
        request_class="auxiliary",
        auxiliary_type="generate_session_title",
    ),
    case(
        "another side call",
        "other",
        says("user", "quota"),
        tools=[],
        request_class="auxiliary",
    ),
    case(
        "sub-agent",
        "subagent",
        says("user", "Look."),
        system="You are an agent for Claude Code, Anthropic's official CLI for Claude.",
        request_class="subagent",
        agent_type="general-purpose",
    ),
    case(
        "sub-agent of one's own",
        "subagent",
        says("user", "Look."),
        system="You polish comments.",
        billing=f"{_BILLING} cc_is_subagent=true;",
    ),
    case(
        "planner among the sub-agents",
        "planning",
        says("user", "Design it."),
        system="You are a software architect and planning specialist for Claude Code. Your role",
        request_class="subagent",
        agent_type="Plan",
    ),
    case(
        "review",
        "review",
        says("user", "`high effort`\n\nYou are reviewing for **recall** at high effort"),
        says("assistant", _CALL),
        says("user", _RESULT),
        system="You are an agent for Claude Code, Anthropic's official CLI for Claude.",
        request_class="subagent",
    ),
    case(
        "review of security",
        "review",
        says("user", "You are a senior security engineer conducting a focused security review of"),
        request_class="main",
    ),
)
