"""`detour conformance`: what works for agents of each format against one provider."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import ssl
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import click
import httpx2

from addon.authority import authority_certificate
from addon.commands.conformance_rules import EMBEDDED, Candidate, embedded_rules, real_rules
from addon.commands.options import home_option, rules_option
from addon.commands.variables import proxy_url
from addon.conformance.agent import Agent
from addon.conformance.session import LONGEST, Session
from addon.conformance.suite import Outcome, play_all
from addon.conformance.table import as_records, render_table
from addon.embedded import EmbeddedProvider

_AT_ONCE = 8
"""Agents that talk to the embedded provider at the same time; a real one is spared."""
_KEEP_ALIVE = 0.3
"""Seconds of silence after which the embedded provider's agents are kept waiting politely."""


@click.command()
@click.option("--provider", metavar="P", help="A real provider; without it, the embedded ones.")
@click.option("--model", metavar="M", help="The model to ask there; the provider's first if none.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@rules_option
@home_option
def conformance(
    provider: str | None, model: str | None, rules: Path | None, home: Path, *, as_json: bool
) -> None:
    """Play agents of all four formats, streamed and plain, through a live proxy.

    Without --provider the embedded provider answers in each of its four formats, with no key and
    no network. A real provider needs its key, and the calls cost what they cost.

    Ends with 0 only if nothing failed.
    """
    if provider is None and model is not None:
        raise click.UsageError("--model goes with --provider")
    tell = _Progress()
    if provider is None:
        outcomes = asyncio.run(_embedded(tell))
    else:
        outcomes = asyncio.run(_real(real_rules(provider, model, rules, home), home, tell))
    tell.end()
    if as_json:
        click.echo(json.dumps(as_records(outcomes), ensure_ascii=False, indent=1))
    else:
        _show(outcomes)
    if any(outcome.verdict == "failed" for outcome in outcomes):
        sys.exit(1)


class _Progress:
    """One line on standard error that moves while a person watches."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()
        self._moves = sys.stderr.isatty()

    def __call__(self, outcome: Outcome) -> None:
        self._told[outcome.verdict] += 1
        if self._moves:
            counts = f"{self._told['ok']} ok, {self._told['failed']} failed"
            line = f"{counts}; {outcome.provider}: {outcome.scenario} ({outcome.agent})"
            click.echo(f"\r\x1b[K{line[:100]}", nl=False, err=True)

    def end(self) -> None:
        if self._moves:
            click.echo("\r\x1b[K", nl=False, err=True)


def _show(outcomes: list[Outcome]) -> None:
    counts = Counter(outcome.verdict for outcome in outcomes)
    for provider in dict.fromkeys(outcome.provider for outcome in outcomes):
        click.secho(f"\nAgents against {provider}", bold=True)
        for line in render_table([one for one in outcomes if one.provider == provider]):
            click.echo(line)
    click.echo(
        f"\n{counts['ok']} ok, {counts['failed']} failed, {counts['not applicable']} not applicable"
    )


async def _embedded(tell: Callable[[Outcome], None]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="detour-conformance-") as folder:
        async with EmbeddedProvider() as provider:
            rules = embedded_rules(provider.base_url)
            async with _proxy(rules, Path(folder), Path(folder), _KEEP_ALIVE) as clients:
                for candidate in EMBEDDED:
                    outcomes += await play_all(
                        candidate.title,
                        _sessions(clients(candidate.name), candidate, provider),
                        tell,
                        at_once=_AT_ONCE,
                    )
    return outcomes


async def _real(
    rules_and_candidate: tuple[str, Candidate], home: Path, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    rules, candidate = rules_and_candidate
    with tempfile.TemporaryDirectory(prefix="detour-conformance-") as folder:
        async with _proxy(rules, Path(folder), home, None) as clients:
            sessions = _sessions(clients(candidate.name), candidate, None)
            return await play_all(candidate.title, sessions, tell)


def _sessions(
    client: httpx2.AsyncClient, candidate: Candidate, provider: EmbeddedProvider | None
) -> Callable[[Agent, bool], Session]:
    numbers = itertools.count(1)

    def make(agent: Agent, streamed: bool) -> Session:
        mark = f"(session {next(numbers)} of {candidate.name})"

        def received() -> bytes:
            bodies = [request.body for request in provider.requests] if provider else []
            return next((body for body in reversed(bodies) if mark.encode() in body), b"")

        return Session(
            agent, client, streamed, provider is not None, candidate.format, received, mark
        )

    return make


@contextlib.asynccontextmanager
async def _proxy(
    rules: str, folder: Path, home: Path, keep_alive: float | None
) -> AsyncGenerator[Callable[[str], httpx2.AsyncClient]]:
    """Run the proxy for the length of a block.

    Yields:
        What makes a client that goes through it under an agent's name.
    """
    # Imported late: it takes half a second, and `detour --help` need not wait for it.
    from addon.commands.demo_proxy import running_proxy

    path = folder / "rules.yaml"
    path.write_text(rules, encoding="utf-8")
    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            running_proxy(path, folder, home=home, keep_alive=keep_alive)
        )
        trust = ssl.create_default_context(cadata=authority_certificate(folder).decode())
        clients: list[httpx2.AsyncClient] = []

        def make(name: str) -> httpx2.AsyncClient:
            client = httpx2.AsyncClient(
                proxy=proxy_url(address, name), verify=trust, timeout=LONGEST, trust_env=False
            )
            clients.append(client)
            return client

        yield make
        for client in clients:
            await client.aclose()
