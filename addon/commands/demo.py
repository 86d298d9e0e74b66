"""`detour demo`: the whole chain on one machine, and proof of each step.

An embedded provider, the proxy with the real interceptor, and the official openai client in a
process of its own that knows of the proxy from its environment alone. Nothing of the user's is read
or written: rules, certificates and home lie in a temporary folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from addon.authority import authority_certificate, write_bundle
from addon.commands.variables import agent_variables
from addon.embedded import EmbeddedProvider

if TYPE_CHECKING:
    from addon.commands.demo_proxy import Seen

AGENT_KEY = "sk-of-the-agent"
PROVIDER_KEY = "key-of-the-provider"
TARGET = "claude-sonnet-5-5"
RULE = "everything of the demo goes to Claude"
ANSWER = "hello.txt is written. Every word of this came in a chunk of its own."
TOOL = {"path": "hello.txt", "content": "hi"}
PROMPT = (
    f"Write hello.txt for me. [[tool write_file {json.dumps(TOOL)}]]"
    f" [[then]] [[gate]] [[slow 0.03]] [[say {ANSWER}]]"
)
"""In brackets: what the embedded provider shall do; a real one would just read the words."""
LONGEST = 30.0
"""Seconds after which the demo gives up."""

_RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  - name: {rule}
    when: {{agent: demo}}
    use: anthropic:{target}
default: block
"""


@click.command()
def demo() -> None:
    """Show the whole chain, with no key and no network.

    Ends with 0 only if every step really happened.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="detour-demo-") as folder:
        try:
            missing = asyncio.run(asyncio.wait_for(_show(Path(folder)), LONGEST))
        except TimeoutError:
            missing = [f"an end within {LONGEST:g} seconds"]
    for step in missing:
        click.secho(f"Missing: {step}", fg="red", err=True)
    if missing:
        sys.exit(1)
    click.secho(f"All of it was seen, in {time.monotonic() - started:.1f} s.", fg="green")
    click.echo("Next: write a rules.yaml, then start your agent with `detour run -- COMMAND`.")


async def _show(folder: Path) -> list[str]:
    """Run the chain; return what did not happen."""
    # Imported late: it takes half a second, and `detour --help` need not wait for it.
    from addon.commands.demo_proxy import running_proxy

    async with EmbeddedProvider() as provider:
        rules = folder / "rules.yaml"
        rules.write_text(
            _RULES.format(url=provider.base_url, key=PROVIDER_KEY, rule=RULE, target=TARGET)
        )
        bundle = write_bundle(folder, authority_certificate(folder), {})
        story = Story(provider)
        async with running_proxy(rules, folder, story.see) as address:
            variables = agent_variables(address, "demo", bundle, {})
            _introduce(provider.base_url, address)
            code = await _run_client(variables, story.hear)
        return story.missing(code)


class Story:
    """What the proxy and the client tell, put on the screen as it is told, and remembered."""

    def __init__(self, provider: EmbeddedProvider) -> None:
        self._provider = provider
        self._seen: list[Seen] = []
        self._tools: list[tuple[str, str]] = []
        self._text = ""
        self._chunks = 0
        self._was_held = False

    def see(self, seen: Seen) -> None:
        """Show a call that the proxy has got the beginning of an answer for."""
        self._seen.append(seen)
        _line("seen", seen.asked)
        _line("rule", seen.rule)
        _line("sent as", f"{seen.sent} ({seen.model})")
        _line("answer", f"{seen.status}")

    def hear(self, event: dict[str, Any]) -> None:
        """Show what the client tells."""
        match event["event"]:
            case "client":
                _line("client", f"openai {event['version']}, calling {event['url']}")
            case "request":
                click.secho(f"\nThe client asks {event['model']}.", bold=True)
            case "text":
                if not self._text:
                    # The provider is still waiting at its gate behind the first word.
                    self._was_held = True
                    self._provider.open_gate()
                    click.echo("  " + click.style("text".ljust(10), dim=True), nl=False)
                self._text += event["text"]
                click.secho(event["text"], fg="cyan", nl=False)
            case "answer":
                if self._text:
                    click.echo()
                    _line("live", "the first word arrived before the provider sent the second")
                chunks: int = event["chunks"]
                self._chunks += chunks
                _line("timing", f"{event['first_byte_ms']} ms to the first of {chunks} chunks")
            case "tool":
                self._tools.append((event["name"], event["arguments"]))
                _line("tool", click.style(f"{event['name']} {event['arguments']}", fg="cyan"))
            case _:
                pass

    def missing(self, code: int) -> list[str]:
        """Name every step that did not happen as it should have."""
        asked = [seen.asked for seen in self._seen]
        received = [request for request in self._provider.requests if request.status == 200]
        steps = {
            f"the client's good end (it ended with {code})": code == 0,
            "two calls to api.openai.com": asked
            == ["POST https://api.openai.com/v1/chat/completions"] * 2,
            "the rule": {seen.rule for seen in self._seen} == {RULE},
            "the rewritten address": {seen.sent for seen in self._seen}
            == {f"POST {self._provider.base_url}/v1/messages"},
            "two calls that the provider takes": [request.path for request in received]
            == ["/v1/messages"] * 2,
            "the provider's key": all(
                request.header("x-api-key") == PROVIDER_KEY for request in received
            ),
            "the agent's key kept from the provider": not any(
                AGENT_KEY in value for request in received for _, value in request.headers
            ),
            "the tool call": [(name, json.loads(text)) for name, text in self._tools]
            == [("write_file", TOOL)],
            "the answer, word for word": self._text == ANSWER,
            "the first word before the provider sent the second": self._was_held,
            "an answer in many chunks": self._chunks > len(ANSWER.split()),
        }
        return [step for step, happened in steps.items() if not happened]


async def _run_client(variables: dict[str, str], hear: Callable[[dict[str, Any]], None]) -> int:
    """Run the client and hand on what it tells; return its exit code."""
    command = [sys.executable, "-P", "-m", "addon.commands.demo_client", PROMPT]
    client = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        env={**_clean_environment(), **variables, "OPENAI_API_KEY": AGENT_KEY},
    )
    try:
        assert client.stdout
        async for line in client.stdout:
            hear(json.loads(line))
        return await client.wait()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()


def _clean_environment() -> dict[str, str]:
    """Leave out what would send the client elsewhere than a plain one."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") and not name.lower().endswith("_proxy")
    }


def _introduce(provider: str, proxy: str) -> None:
    click.secho("Detour: an unmodified openai client, answered in Anthropic's format.", bold=True)
    _line("provider", f"{provider}, embedded, as strict as the real one")
    _line("proxy", proxy)


def _line(name: str, text: str) -> None:
    click.echo(f"  {click.style(name.ljust(10), dim=True)}{text}")
