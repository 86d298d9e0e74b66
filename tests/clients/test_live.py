"""Text arrives as it is produced: each word is printed before the provider may send the next.

The provider stops at its gate behind the first word; nothing but this test lets it go on, and it
does so only when the client, a process of its own, has printed what came before.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients import CHAT_URL, PROGRAMS, RunningDetour, chat_body

WORDS = ["one", "two", "three", "four"]
PROMPT = f"[[think Hm]] [[gate]] [[say {' '.join(WORDS)}]]"
EVENTS_BEHIND = 3
"""Events behind the last word: Claude ends block, turn and message; Chat tells the finish reason,
the usage and [DONE]."""
LONGEST = 20.0
QUIET = 0.05
"""Seconds in which a word would come if the provider had sent it."""


@pytest.mark.parametrize("client", ["openai_sync", "openai_async", "langchain"])
async def test_python_prints_word_by_word(detour: RunningDetour, client: str) -> None:
    program = [sys.executable, str(PROGRAMS / "live.py"), client, PROMPT]
    await follow(detour, program, None, str.strip)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("agent", [None, "compatible"], ids=["claude", "compatible"])
async def test_curl_prints_word_by_word(
    detour: RunningDetour, agent: str | None, tmp_path: Path
) -> None:
    body = tmp_path / "request.json"
    body.write_bytes(chat_body(PROMPT, stream=True, stream_options={"include_usage": True}))
    program = ["curl", "-sSN", CHAT_URL, "-H", "content-type: application/json"]
    program += ["-H", "authorization: Bearer sk-of-the-agent", "-d", f"@{body}"]
    await follow(detour, program, agent, word_in)


def word_in(line: str) -> str:
    """Return the word that a line of a Chat stream brings."""
    if not line.startswith("data: {"):
        return ""
    choices = json.loads(line.removeprefix("data: "))["choices"]
    return "".join(choice["delta"].get("content") or "" for choice in choices).strip()


async def follow(
    detour: RunningDetour, program: list[str], agent: str | None, read: Callable[[str], str]
) -> None:
    """Let the provider go on by one word whenever the client has printed one."""
    client = await asyncio.create_subprocess_exec(
        *program,
        env=detour.environment(agent),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert client.stdout
    assert client.stderr

    async def next_word() -> str | None:
        assert client.stdout
        while line := await client.stdout.readline():
            if word := read(line.decode()):
                return word
        return None

    try:
        for word in WORDS:
            assert await asyncio.wait_for(next_word(), LONGEST) == word
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(next_word(), QUIET)
            detour.provider.release(1 if word != WORDS[-1] else EVENTS_BEHIND)
        assert await asyncio.wait_for(next_word(), LONGEST) is None
        assert await client.wait() == 0
        assert await client.stderr.read() == b""
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
