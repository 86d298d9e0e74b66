"""LangGraph, on LangChain's client of the openai SDK."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="langgraph",
    title="LangGraph",
    speaks="openai-chat",
    registry="pip",
    packages=("langgraph==1.2.22", "langchain-openai==1.7.3"),
    command=("langgraph_agent.py", "chat", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT,
        mode="responses",
        speaks="openai-responses",
        command=("langgraph_agent.py", "responses", PROMPT),
    ),
)
