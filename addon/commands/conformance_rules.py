"""The rules under which `detour conformance` plays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml

from addon.commands.options import find_rules
from addon.inspection.loading import load
from addon.providers import BUILT_IN, Provider, environment_files, load_environment
from addon.rules import RulesError


class Candidate(NamedTuple):
    """Who is to answer."""

    name: str
    """The provider's id, and the name under which the agents come."""
    title: str
    format: str
    """The one format that it speaks; blank for a real provider."""
    model: str
    dialect: str = ""


EMBEDDED = (
    Candidate("embedded-chat", "Chat Completions", "openai-chat", "gpt-4o", "openai"),
    Candidate("embedded-responses", "Responses", "openai-responses", "gpt-5.5", "openai"),
    Candidate("embedded-anthropic", "Messages", "anthropic", "claude-sonnet-5-5", "anthropic"),
    Candidate("embedded-gemini", "Gemini", "gemini", "gemini-3.8-flash", "google"),
)


def embedded_rules(url: str) -> str:
    """Write the rules that lead each agent name to one format of the embedded provider.

    Args:
        url: The provider's URL, without a version.
    """
    providers: dict[str, Any] = {}
    for candidate in EMBEDDED:
        version = "/v1" if candidate.format.startswith("openai-") else ""
        providers[candidate.name] = {
            "base_url": url + version,
            "formats": [candidate.format],
            "dialect": candidate.dialect,
            "api_key": "key-of-the-provider",
        }
    return _write(providers, EMBEDDED)


def real_rules(
    name: str, model: str | None, rules: Path | None, home: Path
) -> tuple[str, Candidate]:
    """Write the rules that lead all agents to a provider, as the user's rules describe it.

    Variables of the `.env` beside the user's rules come into the environment.

    Raises:
        ClickException: There is no such provider, no model to ask, or the rules are wrong.
    """
    found = find_rules(rules, home)
    own: dict[str, Any] = {}
    known: Mapping[str, Provider] = BUILT_IN
    if found.is_file():
        try:
            known = load(found, home).providers
        except RulesError as error:
            raise click.ClickException(str(error)) from None
        document: dict[str, Any] = yaml.safe_load(found.read_text(encoding="utf-8"))
        own = document.get("providers") or {}
    if name not in known:
        raise click.ClickException(f"there is no provider {name!r}; known are {', '.join(known)}")
    model = model or next(iter(known[name].models), None)
    if model is None:
        raise click.ClickException(f"say which model of {name} to ask: --model NAME")
    for variable, value in load_environment(environment_files(found)).items():
        os.environ.setdefault(variable, value)
    candidate = Candidate(name, f"{name}:{model}", "", model)
    return _write(own, [candidate]), candidate


def _write(providers: dict[str, Any], candidates: tuple[Candidate, ...] | list[Candidate]) -> str:
    rules = [
        {
            "name": f"conformance of {candidate.name}",
            "when": {"agent": candidate.name},
            "use": f"{candidate.name}:{candidate.model}",
        }
        for candidate in candidates
    ]
    document = {"version": 1, "providers": providers, "rules": rules, "default": "block"}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
