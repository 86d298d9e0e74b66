"""The openai SDK for Node, by itself."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="openai-node",
    title="openai SDK for Node",
    speaks="openai-responses",
    registry="npm",
    packages=("openai@7.55.0",),
    command=("openai_node_agent.mjs", "responses", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT, mode="chat", speaks="openai-chat", command=("openai_node_agent.mjs", "chat", PROMPT)
    ),
)
