"""OpenAI's Agents SDK for Python."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="openai-agents",
    title="openai-agents",
    speaks="openai-responses",
    registry="pip",
    packages=("openai-agents==0.24.0",),
    command=("openai_agents_agent.py", "responses", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT, mode="chat", speaks="openai-chat", command=("openai_agents_agent.py", "chat", PROMPT)
    ),
)
