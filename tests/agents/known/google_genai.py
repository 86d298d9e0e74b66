"""Google's SDK for Python, by itself."""

from dataclasses import replace

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="google-genai",
    title="google-genai SDK",
    speaks="gemini",
    registry="pip",
    packages=("google-genai==2.8.0",),
    command=("google_genai_agent.py", "stream", PROMPT),
    environment={"GEMINI_API_KEY": "sk-agent"},
)
MODES = (replace(AGENT, mode="automatic", command=("google_genai_agent.py", "automatic", PROMPT)),)
