"""Gemini CLI: Gemini's format."""

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="gemini-cli",
    title="Gemini CLI",
    speaks="gemini",
    registry="npm",
    packages=("@google/gemini-cli@0.61.0",),
    command=("gemini", "--yolo", "--skip-trust", "-p", PROMPT),
    environment={"GEMINI_API_KEY": "sk-agent", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
)
