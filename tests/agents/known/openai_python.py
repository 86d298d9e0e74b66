"""The openai SDK for Python, by itself."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="openai-python",
    title="openai SDK for Python",
    speaks="openai-responses",
    registry="pip",
    packages=("openai==3.52.0",),
    command=("openai_python_agent.py", "responses", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT, mode="chat", speaks="openai-chat", command=("openai_python_agent.py", "chat", PROMPT)
    ),
)
