"""aider 0.86: Chat Completions without tools, under the name of the library that it calls with."""

from __future__ import annotations

from tests.rules.phases.case import Case

USER_AGENT = "OpenAI/Python 2.20.0"


def case(name: str, phase: str, system: str) -> Case:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "Fix it."}]
    body = {"model": "gpt-4.1", "messages": messages}
    return Case(f"aider, {name}", phase, USER_AGENT, "/v1/chat/completions", body)


CASES = (
    case(
        "whole files", "coding", "Act as an expert software developer.\nTake requests for changes"
    ),
    case("blocks", "coding", "Act as an expert software developer.\nAlways use best practices"),
    case("editor", "coding", "Act as an expert software developer who edits source code.\n"),
    case("editor of files", "coding", "Act as an expert software developer and make changes to"),
    case("architect", "planning", "Act as an expert architect engineer and provide direction to"),
    case("ask", "planning", "Act as an expert code analyst.\nAnswer questions about the supplied"),
    case(
        "commit message",
        "title",
        "You are an expert software engineer that generates concise, one-line Git commit messages",
    ),
    case(
        "history",
        "compaction",
        "*Briefly* summarize this partial conversation about programming.\nInclude less detail",
    ),
    case("help", "other", "You are an expert on the AI coding tool called Aider.\n"),
)
