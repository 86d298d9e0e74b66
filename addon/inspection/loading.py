"""Reading a rules file as the proxy reads it."""

from __future__ import annotations

from pathlib import Path

from addon.neutral import DetourError
from addon.providers import KeyStore, StoredKeys, environment_files, load_environment
from addon.rules import Problem, Rules, load_rules, read_rules


def check_filter(expression: str) -> str | None:
    """Say what is wrong with a mitmproxy filter expression; mitmproxy is loaded only for that."""
    from addon.interceptor import filters

    return filters.check_filter(expression)


def load(path: Path, home: Path) -> Rules:
    """Read a rules file.

    Raises:
        RulesError: It has mistakes.
    """
    return load_text(read_rules(path), path, KeyStore(home))


def load_text(text: str, path: Path, stored: StoredKeys) -> Rules:
    """Read a text as if the rules file held it; `stored` is the key store.

    Raises:
        RulesError: It has mistakes.
    """
    environment = load_environment(environment_files(path))
    return load_rules(text, str(path), environment, check_filter, stored)


def missing_keys(rules: Rules, path: Path) -> list[Problem]:
    """Find the providers of rules that have no usable key here, each at its first target."""
    notices: dict[str, Problem] = {}
    for target in rules.targets():
        try:
            rules.keys.find(rules.providers[target.provider])
        except DetourError as error:
            notices.setdefault(target.provider, Problem(str(path), *target.mark, str(error)))
    return list(notices.values())
