"""One call through the whole proxy, and the requests and answers that such a test needs most."""

import asyncio
import json

from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import text_frames

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
WHOLE = b"".join(text_frames())
SMALL = json.dumps(
    {
        "model": "gpt-5.1",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hé 🙂"}],
    }
).encode()
LIMITED = b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}'
ERROR = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'


async def ask(handler, *, url=CHAT, body=None, headers=KEY, **rule):
    """Send one call through the whole proxy to a provider that answers by the handler."""
    async with (
        asyncio.timeout(20),
        ScriptedServer(handler) as server,
        running_proxy(write_rules(server.url, **rule)) as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(url, content=body or request_body(), headers=headers)
    return answer, server.exchanges
