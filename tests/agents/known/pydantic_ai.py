"""pydantic-ai."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="pydantic-ai",
    title="pydantic-ai",
    speaks="openai-responses",
    registry="pip",
    packages=("pydantic-ai-slim[openai]==2.68.0",),
    command=("pydantic_ai_agent.py", "openai:gpt-4o", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT,
        mode="chat",
        speaks="openai-chat",
        command=("pydantic_ai_agent.py", "openai-chat:gpt-4o", PROMPT),
    ),
)
