"""Names for agents, from the User-Agent header.

The names are what rules say in `agent:`. Codex, opencode, openai-agents, pydantic-ai, the OpenAI
SDK and the AI SDK are recognised by what they sent in 2026-11, the others by their product names.
The first entry that fits wins, so programs stand before the libraries they name in the same header.
"""

from __future__ import annotations

import functools
import re

UNKNOWN = "unknown"

_AGENTS = tuple(
    (name, re.compile(expression, re.IGNORECASE))
    for name, expression in (
        ("codex", r"codex"),
        ("opencode", r"opencode/"),
        ("claude-code", r"claude-cli/|claude-code"),
        ("gemini-cli", r"gemini-?cli"),
        ("qwen-code", r"qwen-?code"),
        ("cursor", r"\bcursor/"),
        ("cline", r"\bcline\b"),
        ("roo-code", r"roo-?code"),
        ("kilo-code", r"kilo-?code"),
        ("continue", r"\bcontinue/"),
        ("zed", r"\bzed/"),
        ("goose", r"\bgoose/"),
        ("crush", r"\bcrush/|charm.?crush"),
        ("copilot", r"copilot"),
        ("aider", r"\baider"),
        ("openhands", r"openhands"),
        ("openai-agents", r"\bagents/(?:python|js)"),
        ("pydantic-ai", r"pydantic-ai/"),
        ("langchain", r"langchain|langgraph"),
        ("llamaindex", r"llama.?index"),
        ("litellm", r"litellm"),
        ("openai-python", r"openai/python"),
        ("openai-node", r"openai/(?:js|node)"),
        ("openai-go", r"openai/go"),
        ("openai-java", r"openai/java"),
        ("openai-dotnet", r"^openai/[0-9]|azsdk-net"),
        ("openai-ruby", r"openai/ruby"),
        ("anthropic-python", r"anthropic/python"),
        ("anthropic-node", r"anthropic/(?:js|node)"),
        ("anthropic-go", r"anthropic/go"),
        ("google-genai", r"google-genai-sdk/"),
        ("ai-sdk", r"\bai-sdk|(?:^|\s)ai/[0-9]"),
        ("curl", r"^curl/"),
        ("wget", r"^wget/"),
        ("httpie", r"^httpie/"),
        ("postman", r"^postman"),
        ("insomnia", r"^insomnia/"),
        ("python-httpx", r"python-httpx"),
        ("python-requests", r"python-requests/"),
        ("aiohttp", r"aiohttp/"),
        ("python-urllib", r"python-urllib"),
        ("go-http-client", r"go-http-client/"),
        ("okhttp", r"okhttp/"),
        ("java", r"java-http-client/|apache-httpclient"),
        ("rust", r"reqwest/"),
        ("axios", r"axios/"),
        ("bun", r"\bbun/"),
        ("node", r"node-fetch|undici|^node\b"),
        ("browser", r"^mozilla/"),
    )
)

_PRODUCT = re.compile(r"\s*([A-Za-z][A-Za-z0-9._-]*)")


@functools.lru_cache(maxsize=256)
def agent_name(user_agent: str | None) -> str:
    """Name the program that a User-Agent header belongs to.

    Returns:
        A name of the table, else the header's first product in lower case (`MyBot/1.0` is
        `mybot`), else `unknown`.
    """
    if not user_agent:
        return UNKNOWN
    for name, expression in _AGENTS:
        if expression.search(user_agent):
            return name
    product = _PRODUCT.match(user_agent)
    return product[1].lower() if product else UNKNOWN
