"""opencode 1.18: one format for each of its providers."""

from __future__ import annotations

from typing import Any

from tests.rules.phases.case import Case

USER_AGENT = "opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14"
_SELF = "You are OpenCode, the best coding agent on the planet."
_PLANNING = "<system-reminder>\n# Plan Mode - System Reminder\n\nCRITICAL: Plan mode ACTIVE"
_LEFT = "<system-reminder>\nYour operational mode has changed from plan to build."
_CHILD = {"x-session-id": "ses_2", "x-parent-session-id": "ses_1"}
_TOOLS = ("bash", "edit", "read", "task")


def messages(
    name: str, phase: str, *texts: str, system: str = _SELF, tools: tuple[str, ...] = _TOOLS
) -> Case:
    offered = [{"name": tool, "input_schema": {"type": "object"}} for tool in tools]
    said = [{"type": "text", "text": text} for text in texts]
    body: dict[str, Any] = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 32000,
        "system": [{"type": "text", "text": system}],
        "messages": [{"role": "user", "content": said}],
        "tools": offered,
        "stream": True,
    }
    headers = {"x-session-id": "ses_1"}
    return Case(f"opencode, {name}", phase, USER_AGENT, "/v1/messages", body, headers)


def responses(name: str, phase: str, *texts: str, system: str = _SELF) -> Case:
    said = [{"type": "input_text", "text": text} for text in texts]
    body: dict[str, Any] = {
        "model": "gpt-5.1",
        "input": [{"role": "developer", "content": system}, {"role": "user", "content": said}],
        "tools": [{"type": "function", "name": "apply_patch", "parameters": {"type": "object"}}],
        "stream": True,
    }
    headers = {"session-id": "ses_1"}
    return Case(f"opencode, {name}", phase, USER_AGENT, "/v1/responses", body, headers)


def of_child(case: Case, *, needs_headers: bool) -> Case:
    return Case(case.name, case.phase, case.user_agent, case.path, case.body, _CHILD, needs_headers)


CASES = (
    messages("build", "coding", "Fix it."),
    responses("build by Responses", "coding", "Fix it."),
    messages("plan", "planning", "Plan it.", _PLANNING),
    responses("plan by Responses", "planning", "Plan it.", _PLANNING),
    messages("build after plan", "coding", "Plan it.", _PLANNING, "Do it.", _LEFT),
    messages(
        "title", "title", "Generate a title for this conversation:", _PLANNING,
        system="You are a title generator. You output ONLY a thread title.", tools=(),
    ),
    messages(
        "compaction", "compaction", "Here is the conversation so far:\n<conversation>",
        system="You are a context summarization agent. You are given a conversation", tools=(),
    ),
    of_child(messages("subtask", "subagent", "Look."), needs_headers=True),
    of_child(
        messages("explorer", "subagent", "Look.", system="You are a file search specialist."),
        needs_headers=False,
    ),
    of_child(
        messages(
            "review", "review", "You are a code reviewer. Your job is to review code changes and"
        ),
        needs_headers=False,
    ),
    messages("a call without tools of its own", "other", "Hi.", system="You sum up.", tools=()),
)  # fmt: skip
