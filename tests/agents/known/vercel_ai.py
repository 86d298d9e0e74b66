"""The AI SDK by Vercel, for Node."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="vercel-ai",
    title="Vercel AI SDK",
    speaks="openai-responses",
    registry="npm",
    packages=("ai@7.0.173", "@ai-sdk/openai@4.0.118", "zod@4.6.7"),
    command=("vercel_ai_agent.mjs", "responses", PROMPT),
    environment={"OPENAI_API_KEY": "sk-agent"},
)
MODES = (
    replace(
        AGENT, mode="chat", speaks="openai-chat", command=("vercel_ai_agent.mjs", "chat", PROMPT)
    ),
)
