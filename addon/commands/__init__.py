"""The command line `detour`.

Each command lives in a module of its own that is imported when the command runs, so that asking for
help or checking a rules file does not wait for mitmproxy.
"""

from __future__ import annotations

from importlib import import_module
from typing import override

import click

from addon import __version__

_COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve", "Run the proxy."),
    "run": ("run", "Run an agent with everything set so that it goes through Detour."),
    "env": ("environment", "Print what `run` sets, as export lines for a shell."),
    "demo": ("demo", "Show the whole chain, with no key and no network."),
    "check": ("check", "Validate a rules file."),
    "explain": ("explain", "Say which rule a call would meet and what would be sent where."),
    "keys": ("keys", "Keep the keys of providers, encrypted."),
    "models": ("models", "List the models that agents can ask for."),
    "verify": ("verify", "Ask each provider for a word, to see that it works."),
    "providers": ("providers", "List the providers, or change them in rules.yaml."),
    "usage": ("usage", "Say what was used, and what it cost."),
    "log": ("log", "Show the last exchanges, one line each."),
    "doctor": ("doctor", "Look at all that has to be right, and say what to do about the rest."),
    "conformance": ("conformance", "Say what works for agents of each format."),
    "translate": ("translate", "Translate a request or an answer from one format to another."),
}
"""Name of a command: its module, and what `detour --help` says about it."""


class LazyGroup(click.Group):
    """Imports a command when it is wanted, not when it is listed."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"addon.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="detour", message="%(prog)s %(version)s")
def detour() -> None:
    """Answer an unmodified AI agent's calls from another provider.

    Start with `detour demo`; then write a rules.yaml and start your agent with `detour run`.
    """
