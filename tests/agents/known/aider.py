"""aider: no tools; it takes files out of the model's text."""

from tests.agents.agent import PROMPT, Agent

AGENT = Agent(
    name="aider",
    title="aider",
    speaks="openai-chat",
    registry="pip",
    packages=("aider-chat==0.86.2",),
    newest_python=(3, 12),
    command=(
        "aider",
        *("--model", "openai/gpt-4.1", "--edit-format", "whole", "--yes-always", "--no-git"),
        *("--no-check-update", "--no-show-model-warnings", "--analytics-disable", "--no-pretty"),
        *("--message", PROMPT, "hello.txt"),
    ),
    environment={"OPENAI_API_KEY": "sk-agent"},
    # The provider says what is in the brackets, since there is no tool that it could call.
    task="Write hello.txt. [[say hello.txt\n```\nhi\n```\nDone. The tool has answered.]]",
)
