"""An agent that calls OpenAI through a Detour in a process of its own, and rules for it."""

from __future__ import annotations

import ssl

import httpx2

from tests.support.program import AGENT_KEY, Machine

URL = "https://api.openai.com/v1/chat/completions"
RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
  other: {{base_url: "{url}", formats: [anthropic], api_key: "{key}", models: [claude-haiku-4-5]}}
rules:
  - {{name: only o3, when: {{model: "o3*"}}, use: block}}
  - {{name: plan with Sonnet, when: {{agent: planner}}, use: "anthropic:claude-sonnet-4-5"}}
  - {{name: the rest, use: "other:claude-haiku-4-5"}}
"""
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Agent:
    """Calls OpenAI through the proxy."""

    def __init__(self, machine: Machine, address: str) -> None:
        self._proxy = address
        authority = machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
        self._trust = ssl.create_default_context(cafile=str(authority))

    def ask(
        self, text: str, *, agent: str = "planner", model: str = "gpt-5.1", stream: bool = True
    ) -> httpx2.Response:
        """Ask, with a tool at hand."""
        body = {
            "model": model,
            "stream": stream,
            "seed": 7,
            "messages": [
                {"role": "system", "content": "You plan trips."},
                {"role": "user", "content": text},
            ],
            "tools": [TOOL],
        }
        with httpx2.Client(
            proxy=f"http://{agent}@{self._proxy}", verify=self._trust, trust_env=False, timeout=30
        ) as client:
            key = {"authorization": f"Bearer {AGENT_KEY}"}
            return client.post(URL, json=body, headers=key)
