"""Anthropic's SDK for Python, by itself."""

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="anthropic-python",
    title="anthropic SDK",
    speaks="anthropic",
    registry="pip",
    packages=("anthropic==2.11.0",),
    command=("anthropic_python_agent.py", PROMPT),
    environment={"ANTHROPIC_API_KEY": "sk-agent"},
)
