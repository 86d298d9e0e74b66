"""The agents that are tried, in the order in which the table names them."""

from tests.agents.agent import Agent
from tests.agents.known import (
    aider,
    anthropic_python,
    claude_code,
    codex,
    gemini_cli,
    google_genai,
    langgraph,
    openai_agents,
    openai_node,
    openai_python,
    opencode,
    pydantic_ai,
    vercel_ai,
)

AGENTS: tuple[Agent, ...] = (
    codex.AGENT,
    *codex.MODES,
    opencode.AGENT,
    *opencode.MODES,
    claude_code.AGENT,
    gemini_cli.AGENT,
    openai_agents.AGENT,
    *openai_agents.MODES,
    langgraph.AGENT,
    *langgraph.MODES,
    vercel_ai.AGENT,
    *vercel_ai.MODES,
    pydantic_ai.AGENT,
    *pydantic_ai.MODES,
    aider.AGENT,
    openai_python.AGENT,
    *openai_python.MODES,
    openai_node.AGENT,
    *openai_node.MODES,
    anthropic_python.AGENT,
    google_genai.AGENT,
    *google_genai.MODES,
)
