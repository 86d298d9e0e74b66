"""An agent of pydantic-ai's. Arguments: the model, and the task."""

import sys
from pathlib import Path

from pydantic_ai import Agent

model, task = sys.argv[1:]
agent = Agent(model, instructions="You are helpful.")


@agent.tool_plain
def write_file(path: str, content: str) -> str:
    """Write a text file."""
    Path(path).write_text(content)
    return "ok"


print(agent.run_sync(task).output)
