"""opencode: a program made with bun, on the AI SDK; one format for each of its providers."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="opencode",
    title="opencode",
    speaks="openai-responses",
    registry="npm",
    packages=("opencode-ai@1.18.33",),
    command=("opencode", "run", "--model", "openai/gpt-5.1", PROMPT),
    environment={
        "OPENAI_API_KEY": "sk-agent",
        "ANTHROPIC_API_KEY": "sk-agent",
        "GOOGLE_GENERATIVE_AI_API_KEY": "sk-agent",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    },
)
MODES = (
    replace(
        AGENT,
        mode="anthropic",
        speaks="anthropic",
        command=("opencode", "run", "--model", "anthropic/claude-sonnet-4-5", PROMPT),
    ),
    replace(
        AGENT,
        mode="google",
        speaks="gemini",
        command=("opencode", "run", "--model", "google/gemini-2.5-pro", PROMPT),
    ),
)
