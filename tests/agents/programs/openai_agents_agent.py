"""An agent on OpenAI's Agents SDK, streamed. Arguments: `responses` or `chat`, and the task."""

import asyncio
import sys
from pathlib import Path

from agents import Agent, Runner, function_tool, set_default_openai_api


@function_tool
def write_file(path: str, content: str) -> str:
    """Write a text file."""
    Path(path).write_text(content)
    return "ok"


async def main(api: str, task: str) -> None:
    if api == "chat":
        set_default_openai_api("chat_completions")
    agent = Agent(name="Writer", instructions="You are helpful.", tools=[write_file])
    run = Runner.run_streamed(agent, task)
    async for _event in run.stream_events():
        pass
    print(run.final_output)


asyncio.run(main(*sys.argv[1:]))
