"""The models that agents can ask for, by the names under which they can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from addon.neutral import DetourError
from addon.providers import Provider
from addon.rules.decisions import Rules
from addon.wire.model_lists import ListedModel


def usable_providers(rules: Rules) -> Iterator[tuple[Provider, str | None]]:
    """Go through the providers that can be called now, with their keys."""
    for provider in rules.providers.values():
        if provider.enabled and provider.base_urls and not provider.passes_key:
            try:
                yield provider, rules.keys.find(provider)
            except DetourError:
                continue


def models_of(provider: Provider, listed: Iterable[ListedModel] = ()) -> tuple[ListedModel, ...]:
    """Return a provider's models: those of rules.yaml and the registry, then those it lists."""
    entries = {model.id: model for model in listed}
    names = dict.fromkeys([*provider.models, *entries])
    return tuple(_entry(provider, name, entries.get(name)) for name in names)


def _entry(provider: Provider, name: str, listed: ListedModel | None) -> ListedModel:
    facts = provider.facts(name)
    return ListedModel(
        id=name,
        title=(facts and facts.title) or (listed and listed.title),
        owner=provider.id,
        context=(facts and facts.context) or (listed and listed.context),
        max_output=(facts and facts.max_output) or (listed and listed.max_output),
        created=listed.created if listed else 0,
    )


def merged_list(
    rules: Rules,
    original: Iterable[ListedModel],
    lists: Mapping[str, tuple[ListedModel, ...]],
) -> tuple[ListedModel, ...]:
    """Put together what an agent is shown that asks for models.

    Args:
        rules: The rules in force.
        original: What the provider lists that the agent has called.
        lists: What usable providers list, by id.

    Returns:
        Aliases, the original list, then `PROVIDER:MODEL` for each model of each usable provider.
    """
    merged: dict[str, ListedModel] = {}
    for name in rules.aliases:
        merged[name] = ListedModel(id=name, owner="detour")
    for model in original:
        merged.setdefault(model.id, model)
    if rules.by_model_name:
        for provider, listed in lists.items():
            for model in models_of(rules.providers[provider], listed):
                name = f"{provider}:{model.id}"
                merged.setdefault(name, _renamed(model, name))
    return tuple(merged.values())


def _renamed(model: ListedModel, name: str) -> ListedModel:
    return ListedModel(
        id=name,
        title=model.title or name,
        owner=model.owner,
        context=model.context,
        max_output=model.max_output,
        created=model.created,
    )
