"""A chat of Google's SDK that calls functions by itself, streamed. Argument: the task."""

import sys
from pathlib import Path

from google import genai
from google.genai import types


def write_file(path: str, content: str) -> str:
    """Write a text file."""
    Path(path).write_text(content)
    return "ok"


client = genai.Client()
configuration = types.GenerateContentConfig(tools=[write_file])
chat = client.chats.create(model="gemini-2.5-flash", config=configuration)
for chunk in chat.send_message_stream(sys.argv[1]):
    print(chunk.text or "", end="")
print()
