"""A loop around Anthropic's SDK, streamed. Argument: the task."""

import sys
from pathlib import Path
from typing import Any

import anthropic

WRITE_FILE: Any = {
    "name": "write_file",
    "description": "Write a text file.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
}


def main(task: str) -> str:
    client = anthropic.Anthropic()
    messages: list[Any] = [{"role": "user", "content": task}]
    while True:
        with client.messages.stream(
            model="claude-sonnet-4-5", max_tokens=1000, messages=messages, tools=[WRITE_FILE]
        ) as stream:
            message = stream.get_final_message()
        messages.append({"role": "assistant", "content": message.content})
        results: list[Any] = []
        for block in message.content:
            if block.type == "tool_use":
                Path(str(block.input["path"])).write_text(str(block.input["content"]))
                results.append({"type": "tool_result", "tool_use_id": block.id, "content": "ok"})
        if not results:
            return "".join(block.text for block in message.content if block.type == "text")
        messages.append({"role": "user", "content": results})


print(main(sys.argv[1]))
