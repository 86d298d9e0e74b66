"""Takes the pictures of mitmweb in docs/: `python -m scripts.screenshot_mitmweb`.

A whole Detour runs, with the embedded provider in the place of the real ones, and Debian's Chromium
looks at it (see tests/support/browser.py).
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from mitmproxy.tools.web.master import WebMaster

from addon.commands.mitmproxy_program import WEB_COLUMNS
from addon.embedded import EmbeddedProvider
from tests.support import browser as browsers
from tests.support.mitmweb import Mitmweb
from tests.support.proxy import AGENT_KEY, Proxy, running_proxy

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = (1560, 900)
RULES = {
    "version": 1,
    "providers": {
        "anthropic": {"base_url": "http://api.anthropic.com"},
        "zai": {"base_url": "http://api.z.ai/v1", "formats": ["openai-chat"]},
    },
    "rules": [
        {
            "name": "plan with Opus",
            "when": {"agent": "planner"},
            "use": "anthropic:claude-opus-4-5",
        },
        {
            "name": "code with GLM, Claude when it is down",
            "when": {"agent": "coder"},
            "use": ["zai:glm-5.3", "anthropic:claude-sonnet-4-5"],
        },
    ],
}
KEYS = {"ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef", "ZAI_API_KEY": "sk-zai-0123456789abcdef"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALLS = (
    (
        "planner",
        "gpt-5.1",
        "Where shall we go in November? [[slow 0.03]] [[events 9]] [[think They want it warm, and"
        " good food. Lisbon comes to mind, and it is easy to reach.]] [[say Lisbon: sixteen"
        " degrees, hardly anybody there, and the best custard tarts. Let me look at the weather"
        ' before we book.]] [[tool get_weather {"city": "Lisbon"}]]',
    ),
    ("coder", "gpt-5.1-codex", "Rename the module. [[say It is called `routes` now.]]"),
    ("planner", "gpt-5.1", "What does it cost? [[error 529 overloaded_error]]"),
)


async def main() -> None:
    """Take all pictures."""
    absent = browsers.missing()
    if absent:
        raise SystemExit(absent)
    async with EmbeddedProvider() as provider:
        host, port = provider.base_url.removeprefix("http://").split(":")
        places = {name: (host, int(port)) for name in ("api.anthropic.com", "api.z.ai")}
        settings: dict[str, Any] = {
            "master_class": WebMaster,
            "web_port": 0,
            "web_open_browser": False,
            "web_columns": WEB_COLUMNS,
            "web_password": "pictures",
        }
        async with running_proxy(
            json.dumps(RULES), hosts=places, environment=KEYS, **settings
        ) as proxy:
            await call_all(proxy)
            (socket,) = proxy.web_servers[0]._sockets.values()
            address = f"http://127.0.0.1:{socket.getsockname()[1]}/?token=pictures"
            with tempfile.TemporaryDirectory() as profile:
                await asyncio.to_thread(take_pictures, Path(profile), address)


async def call_all(proxy: Proxy) -> None:
    """Let some agents call."""
    for agent, model, text in CALLS:
        async with proxy.client(f"{agent}@") as client:
            await client.post(
                "https://api.openai.com/v1/chat/completions",
                json={
                    "model": model,
                    "stream": True,
                    "seed": 7,
                    "messages": [
                        {"role": "system", "content": "You plan trips for two."},
                        {"role": "user", "content": text},
                    ],
                    "tools": [TOOL],
                },
                headers={"authorization": f"Bearer {AGENT_KEY}"},
            )


def take_pictures(profile: Path, address: str) -> None:
    """Look at each view and write what is seen."""
    browser = browsers.start(profile)
    try:
        browser.resize(SIZE)
        page = Mitmweb(browser, address)
        page.open_flow()
        page.open_tab("Response")
        for view in ("detour", "detour streams"):
            page.choose_view(view)
            page.show_content()
            path = PICTURES / f"mitmweb-{view.rpartition(' ')[2]}.png"
            browser.screenshot(path)
            print(path, f"{path.stat().st_size:,} bytes")
    finally:
        browser.driver.quit()


if __name__ == "__main__":
    asyncio.run(main())
