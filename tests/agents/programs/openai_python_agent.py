"""A loop around the openai SDK. Arguments: `responses` or `chat`, and the task."""

import json
import sys
from pathlib import Path
from typing import Any

import openai

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["path", "content"],
}
FUNCTION: dict[str, Any] = {
    "name": "write_file",
    "description": "Write a text file.",
    "parameters": PARAMETERS,
}


def write_file(path: str, content: str) -> str:
    Path(path).write_text(content)
    return "ok"


def chat(client: openai.OpenAI, task: str) -> str:
    messages: list[Any] = [{"role": "user", "content": task}]
    tools: list[Any] = [{"type": "function", "function": FUNCTION}]
    while True:
        with client.chat.completions.stream(
            model="gpt-5.1", messages=messages, tools=tools
        ) as stream:
            message = stream.get_final_completion().choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message)
        for call in message.tool_calls:
            result = write_file(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def responses(client: openai.OpenAI, task: str) -> str:
    items: list[Any] = [{"role": "user", "content": task}]
    tools: list[Any] = [{"type": "function", "strict": False, **FUNCTION}]
    while True:
        with client.responses.stream(model="gpt-5.1", input=items, tools=tools) as stream:
            response = stream.get_final_response()
        items += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        for call in calls:
            result = write_file(**json.loads(call.arguments))
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": result}
            )


api, task = sys.argv[1:]
print((chat if api == "chat" else responses)(openai.OpenAI(), task))
