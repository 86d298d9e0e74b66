"""Claude Code: Anthropic's format, with a good many calls beside the conversation."""

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="claude-code",
    title="Claude Code",
    speaks="anthropic",
    registry="npm",
    packages=("@anthropic-ai/claude-code@2.1.329",),
    command=("claude", "-p", PROMPT, "--allowedTools", "Bash,Write,Edit"),
    environment={"ANTHROPIC_API_KEY": "sk-agent", "IS_SANDBOX": "1"},
)
