"""Agents that run tools for several turns, each as its official client keeps the history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2

from tests.support.proxy import AGENT_KEY

type Json = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
HOSTS = {
    "chat": "https://api.openai.com/v1/chat/completions",
    "responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro",
}


def script(turns: int, *, parallel: int = 1) -> str:
    """Write a prompt that makes the embedded provider think and call a tool turn after turn."""
    steps = []
    for turn in range(turns):
        calls = " ".join(
            f'[[tool get_number {{"n": {turn * 10 + call}}}]]' for call in range(parallel)
        )
        steps.append(f"[[think thought {turn}]] {calls}")
    return " [[then]] ".join((*steps, "[[think the end]] [[say All done.]]"))


class Loop:
    """An agent's conversation; `step` sends it and runs the tools that the answer asks for."""

    def __init__(self, prompt: str, *, stream: bool, model: str = "gpt-5.1") -> None:
        self.stream = stream
        self.model = model
        self.history: list[Json] = [self.user(prompt)]

    def user(self, text: str) -> Json:
        return {"role": "user", "content": text}

    def ask(self, text: str) -> None:
        self.history.append(self.user(text))

    async def step(self, client: httpx2.AsyncClient) -> bool:
        """Go one turn; return whether the model called a tool."""
        url, headers, body = self.request()
        response = await client.post(url, json=body, headers=headers)
        assert response.status_code == 200, response.text
        events = list(_events(response.content)) if self.stream else []
        return self.take(events if self.stream else response.json())

    async def run(self, client: httpx2.AsyncClient, most: int = 20) -> int:
        """Go on until the model calls no tool any more; return how many turns did."""
        for turn in range(most):
            if not await self.step(client):
                return turn
        raise AssertionError("the model never ends")

    def request(self) -> tuple[str, Json, Json]:
        raise NotImplementedError

    def take(self, answer: Any) -> bool:
        raise NotImplementedError


class ChatLoop(Loop):
    """Rebuilds messages from words and calls alone, as LangChain and most scripts do."""

    effort = "medium"

    def request(self) -> tuple[str, Json, Json]:
        body = {
            "model": self.model,
            "messages": self.history,
            "stream": self.stream,
            "reasoning_effort": self.effort,
            "tools": [
                {"type": "function", "function": {"name": "get_number", "parameters": SCHEMA}}
            ],
        }
        return HOSTS["chat"], {"authorization": f"Bearer {AGENT_KEY}"}, body

    def take(self, answer: Any) -> bool:
        content, calls = self._gather(answer) if self.stream else self._read(answer)
        message: Json = {"role": "assistant", "content": content or None}
        if calls:
            message["tool_calls"] = calls
        self.history.append(message)
        for call in calls:
            self.history.append({"role": "tool", "tool_call_id": call["id"], "content": "7"})
        return bool(calls)

    def _read(self, answer: Json) -> tuple[str, list[Json]]:
        message = answer["choices"][0]["message"]
        return message["content"] or "", [
            self._call(call) for call in message.get("tool_calls", [])
        ]

    def _gather(self, chunks: list[Json]) -> tuple[str, list[Json]]:
        words = ""
        calls: dict[int, Json] = {}
        for chunk in chunks:
            assert "error" not in chunk, chunk
            for choice in chunk["choices"]:
                words += choice["delta"].get("content") or ""
                for piece in choice["delta"].get("tool_calls", []):
                    call = calls.setdefault(
                        piece["index"], {"id": "", "function": {"name": "", "arguments": ""}}
                    )
                    call["id"] += piece.get("id") or ""
                    for field, value in piece.get("function", {}).items():
                        call["function"][field] += value
        return words, [self._call(call) for call in calls.values()]

    def _call(self, call: Json) -> Json:
        function = call["function"]
        arguments = json.dumps(json.loads(function["arguments"]))  # as a parsing client writes it
        return {
            "id": call["id"],
            "type": "function",
            "function": {"name": function["name"], "arguments": arguments},
        }


class ResponsesLoop(Loop):
    """Sends the items of all answers again; `include` asks for thoughts to carry home."""

    include = True

    def request(self) -> tuple[str, Json, Json]:
        body: Json = {
            "model": self.model,
            "input": self.history,
            "stream": self.stream,
            "store": False,
            "reasoning": {"effort": "medium", "summary": "auto"},
            "tools": [{"type": "function", "name": "get_number", "parameters": SCHEMA}],
        }
        if self.include:
            body["include"] = ["reasoning.encrypted_content"]
        return HOSTS["responses"], {"authorization": f"Bearer {AGENT_KEY}"}, body

    def take(self, answer: Any) -> bool:
        final = answer[-1]["response"] if self.stream else answer
        assert final["status"] == "completed", final
        calls = []
        for item in final["output"]:
            if item["type"] == "reasoning" and not self.include:
                continue
            self.history.append(item)
            if item["type"] == "function_call":
                calls.append(item["call_id"])
        for call in calls:
            output = {"type": "function_call_output", "call_id": call, "output": "7"}
            self.history.append(output)
        return bool(calls)


class ForgetfulResponsesLoop(ResponsesLoop):
    """Keeps no thoughts."""

    include = False


class AnthropicLoop(Loop):
    """Sends the blocks of all answers again, as Claude Code does."""

    def request(self) -> tuple[str, Json, Json]:
        body = {
            "model": self.model,
            "max_tokens": 8000,
            "messages": self.history,
            "stream": self.stream,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "tools": [{"name": "get_number", "input_schema": SCHEMA}],
        }
        return HOSTS["anthropic"], {"x-api-key": AGENT_KEY}, body

    def take(self, answer: Any) -> bool:
        content = self._gather(answer) if self.stream else answer["content"]
        self.history.append({"role": "assistant", "content": content})
        calls = [block["id"] for block in content if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call, "content": "7"} for call in calls]
        if results:
            self.history.append({"role": "user", "content": results})
        return bool(calls)

    def _gather(self, events: list[Json]) -> list[Json]:
        blocks: list[Json] = []
        arguments: dict[int, str] = {}
        for event in events:
            match event["type"]:
                case "content_block_start":
                    blocks.append(dict(event["content_block"]))
                case "content_block_delta":
                    delta, index = event["delta"], event["index"]
                    match delta["type"]:
                        case "text_delta":
                            blocks[index]["text"] += delta["text"]
                        case "thinking_delta":
                            blocks[index]["thinking"] += delta["thinking"]
                        case "signature_delta":
                            blocks[index]["signature"] = delta["signature"]
                        case "input_json_delta":
                            arguments[index] = arguments.get(index, "") + delta["partial_json"]
                case "error":
                    raise AssertionError(event)
                case _:
                    pass
        for index, text in arguments.items():
            blocks[index]["input"] = json.loads(text or "{}")
        return blocks


class GeminiLoop(Loop):
    """Sends the parts of all answers again, but for thoughts, as Gemini CLI does."""

    def user(self, text: str) -> Json:
        return {"role": "user", "parts": [{"text": text}]}

    def request(self) -> tuple[str, Json, Json]:
        body = {
            "contents": self.history,
            "generationConfig": {
                "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}
            },
            "tools": [
                {"functionDeclarations": [{"name": "get_number", "parametersJsonSchema": SCHEMA}]}
            ],
        }
        method = ":streamGenerateContent?alt=sse" if self.stream else ":generateContent"
        return HOSTS["gemini"] + method, {"x-goog-api-key": AGENT_KEY}, body

    def take(self, answer: Any) -> bool:
        chunks = answer if self.stream else [answer]
        parts = [
            part
            for chunk in chunks
            for part in chunk["candidates"][0]["content"].get("parts", [])
            if not part.get("thought") and (part.get("text") != "" or "thoughtSignature" in part)
        ]
        self.history.append({"role": "model", "parts": parts})
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        responses = [
            {
                "functionResponse": {
                    **({"id": call["id"]} if "id" in call else {}),
                    "name": call["name"],
                    "response": {"output": "7"},
                }
            }
            for call in calls
        ]
        if responses:
            self.history.append({"role": "user", "parts": responses})
        return bool(calls)


def _events(body: bytes) -> Iterator[Json]:
    for line in body.decode().splitlines():
        if line.startswith("data:") and "[DONE]" not in line:
            yield json.loads(line[5:])
