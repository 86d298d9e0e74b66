"""Records what a real llama.cpp answers: `python -m tests.support.llama_recording`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx2

from tests.support.llama_server import CONTEXT, llama_server
from tests.support.local_replay import Recorded, write_recordings
from tests.support.tiny_model import CALLED

TOOL = {
    "type": "function",
    "function": {
        "name": CALLED,
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
_CHAT = "/v1/chat/completions"
_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


def _chat(text: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return _CHAT, {"model": "tiny", "messages": [{"role": "user", "content": text}], **fields}


QUESTIONS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("/v1/models", None),
    ("/props", None),
    ("/health", None),
    ("/unknown", None),
    _chat("Hello"),
    _chat("Hello", stream=True),
    _chat("Hello", **_USAGE),
    _chat("think"),
    _chat("think", **_USAGE),
    _chat("weather", tools=[TOOL]),
    _chat("weather", tools=[TOOL], **_USAGE),
    _chat("x" * (CONTEXT + 100)),
    _chat("x" * (CONTEXT + 100), **_USAGE),
    (_CHAT, {"model": "tiny", "messages": 3}),
    ("/v1/embeddings", {"model": "tiny", "input": ["a"]}),
    ("/v1/completions", {"model": "tiny", "prompt": "<|to_say|>", "max_tokens": 3}),
)


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    recorded: list[Recorded] = []
    with llama_server(folder, "--embeddings", "--pooling", "mean") as port:
        for path, asked in QUESTIONS:
            url = f"http://127.0.0.1:{port}{path}"
            method = "GET" if asked is None else "POST"
            answer = httpx2.request(method, url, json=asked, trust_env=False)
            recorded.append(_recorded(method, path, asked, answer))
    write_recordings("llama_cpp", recorded)


def _recorded(
    method: str, path: str, asked: dict[str, Any] | None, answer: httpx2.Response
) -> Recorded:
    fields: dict[str, Any] = {
        "method": method,
        "path": path,
        "asked": _shortened(asked),
        "status": answer.status_code,
    }
    if answer.headers["content-type"].startswith("application/json"):
        return Recorded(body=answer.json(), **fields)
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.strip()]
    return Recorded(events=[_decoded(event) for event in events], **fields)


def _shortened(asked: dict[str, Any] | None) -> dict[str, Any] | None:
    """Keep no more of a long message than tells it from others."""
    text = json.dumps(asked)
    return json.loads(text.replace("x" * (CONTEXT + 100), "too long"))


def _decoded(event: str) -> Any:
    return json.loads(event) if event.startswith("{") else event


if __name__ == "__main__":
    main()
