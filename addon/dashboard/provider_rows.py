"""Providers as the dashboard shows them: whether they can be used, and with which key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from addon.dashboard.rules_state import RulesState
from addon.dashboard.workspace import Workspace
from addon.neutral import DetourError
from addon.providers import (
    BUILT_IN,
    KeyRing,
    MissingKeyError,
    ModelFacts,
    Provider,
    environment_files,
    load_environment,
    mask,
)
from addon.providers.provider import AUTH_SCHEME_OF_FORMAT
from addon.rules import Rules, Target
from addon.rules.hiding import hide_keys
from addon.rules.nodes import Mapping, parse, to_json
from addon.rules.offers import models_of
from addon.rules.problems import Mistake
from addon.rules.rule import Use
from addon.wire.model_lists import ListedModel


class Known(NamedTuple):
    """All providers, with what they are called with."""

    providers: dict[str, Provider]
    keys: KeyRing
    stored: frozenset[str]
    """Ids of those that have a key in the key store."""
    settings: dict[str, dict[str, Any]]
    """The entries of rules.yaml, without keys."""
    used: dict[str, list[str]]
    """What sends calls to each: names of rules, `default` or aliases."""
    revision: str | None


def know(workspace: Workspace, state: RulesState) -> Known:
    """Gather what is known; where the rules have mistakes, the built-in providers."""
    rules = state.loaded
    if rules is not None:
        providers, keys = dict(rules.providers), rules.keys
    else:
        environment = load_environment(environment_files(workspace.rules_path))
        providers, keys = dict(BUILT_IN), KeyRing(environment, workspace.keys)
    try:
        stored = frozenset(workspace.keys.names())
    except DetourError:  # which will be said of each provider that would need it
        stored = frozenset[str]()
    settings = _settings(hide_keys(state.whole).text)
    return Known(providers, keys, stored, settings, _used(rules), state.revision)


def row(provider: Provider, known: Known, listed: Iterable[ListedModel] = ()) -> dict[str, Any]:
    """Say everything about a provider."""
    key, reason = key_of(provider, known)
    settings = known.settings.get(provider.id)
    urls = provider.base_urls
    return {
        "id": provider.id,
        "name": provider.title,
        "builtin": provider.id in BUILT_IN,
        "enabled": provider.enabled,
        "base_url": next(iter(urls.values()), None),
        "base_urls": urls,
        "base_url_example": provider.base_url_example,
        "formats": list(urls),
        "auth": {name: provider.auth.get(name, AUTH_SCHEME_OF_FORMAT[name]) for name in urls},
        "key": key,
        "stored": provider.id in known.stored,
        "key_variables": provider.key_variables,
        "usable": reason is None,
        "reason": reason,
        "region": settings and settings.get("region"),
        "regions": list(provider.regions),
        "default_model": provider.default_model,
        "models": [model_row(provider, model) for model in models_of(provider, listed)],
        "settings": settings,
        "used_by": known.used.get(provider.id, []),
    }


def key_of(provider: Provider, known: Known) -> tuple[dict[str, str | None] | None, str | None]:
    """Return what to show of a provider's key, and why the provider cannot be used, if so."""
    key: dict[str, str | None] | None = None
    reason: str | None = None
    try:
        source = known.keys.source(provider)
        key = {"source": source, "masked": None}
        found = known.keys.find(provider)
        key["masked"] = mask(found) if found is not None else None
    except MissingKeyError as error:
        reason = str(error)
    except DetourError as error:
        reason = str(error)
    if not provider.enabled:
        reason = "it is switched off"
    elif not provider.base_urls:
        reason = f"it has no address yet: give base_url ({provider.base_url_example})"
    return key, reason


def model_row(provider: Provider, model: ListedModel) -> dict[str, Any]:
    """Say what is known of a model."""
    facts = provider.facts(model.id) or ModelFacts()
    price = facts.prices[0] if facts.prices else None
    return {
        "id": model.id,
        "name": model.title or model.id,
        "default": model.id == provider.default_model,
        "context": model.context,
        "max_output": model.max_output,
        "features": sorted(facts.features) if facts.features is not None else None,
        "input_price": price and price.input,
        "output_price": price and price.output,
        "ends": facts.ends,
    }


def _settings(text: str) -> dict[str, dict[str, Any]]:
    try:
        root = parse(text, lambda _: None)
    except Mistake:
        return {}
    sections = root.entries if isinstance(root, Mapping) else []
    for key, section in sections:
        if key.text == "providers" and isinstance(section, Mapping):
            return {
                name.text: cast("dict[str, Any]", to_json(entry))
                for name, entry in section.entries
                if isinstance(entry, Mapping)
            }
    return {}


def _used(rules: Rules | None) -> dict[str, list[str]]:
    """Say which rules name each provider, those that are switched off included."""
    used: dict[str, list[str]] = {}
    if rules is None:
        return used

    def add(use: Use | None, by: str) -> None:
        for target in use if isinstance(use, tuple) else ():
            if by not in used.setdefault(target.provider, []):
                used[target.provider].append(by)

    for rule in rules.rules:
        add(rule.use, rule.name)
        for use in rule.by_phase.values():
            add(use, rule.name)
        for limit in rule.limits:
            add(limit.otherwise, rule.name)
    for name, target in rules.aliases.items():
        add((target,), f"alias {name}")
    if isinstance(rules.default, Target):
        add((rules.default,), "default")
    return used
