"""A loop around Google's SDK, or its own. Arguments: `stream` or `automatic`, and the task."""

import sys
from pathlib import Path
from typing import Any

from google import genai
from google.genai import types

MODEL = "gemini-2.5-flash"
DECLARATION = types.FunctionDeclaration(
    name="write_file",
    description="Write a text file.",
    parameters_json_schema={
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)


def write_file(path: str, content: str) -> str:
    """Write a text file."""
    Path(path).write_text(content)
    return "ok"


def stream(client: genai.Client, task: str) -> str:
    configuration = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[DECLARATION])]
    )
    chat = client.chats.create(model=MODEL, config=configuration)
    message: Any = task
    while True:
        words: list[str] = []
        results: list[Any] = []
        for chunk in chat.send_message_stream(message):
            for part in chunk.parts or ():
                if part.function_call:
                    result = {"result": write_file(**part.function_call.args or {})}
                    answer = types.Part.from_function_response(name="write_file", response=result)
                    answer.function_response.id = part.function_call.id
                    results.append(answer)
                elif part.text and not part.thought:
                    words.append(part.text)
        if not results:
            return "".join(words)
        message = results


def automatic(client: genai.Client, task: str) -> str:
    configuration = types.GenerateContentConfig(tools=[write_file])
    chat = client.chats.create(model=MODEL, config=configuration)
    return chat.send_message(task).text or ""


api, task = sys.argv[1:]
print((stream if api == "stream" else automatic)(genai.Client(), task))
