"""Codex CLI: a WebSocket first, else HTTP/2; its newest models call tools by JavaScript."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

_START = ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")

AGENT = Agent(
    name="codex",
    title="Codex CLI",
    speaks="openai-responses",
    registry="npm",
    packages=("@openai/codex@0.169.0",),
    command=(*_START, PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent", "CODEX_API_KEY": "sk-agent"},
)
MODES = (replace(AGENT, mode="gpt-5.5", command=(*_START, "-m", "gpt-5.5", PROMPT)),)
