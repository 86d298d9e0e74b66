"""Edits of the models of a provider, for `apply_change`.

The list in rules.yaml takes the place of the one that a built-in provider comes with, so the first
edit writes that one down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from addon.rules.editing import Change, Document
from addon.rules.provider_edits import provider_entry
from addon.rules.rewriting import EditError

type Model = dict[str, Any]
"""What is said of a model: `id`, and what else `definitions` knows."""

type _List = list[Any]


class NoSuchModel(EditError):
    """A provider has no model of that name."""


def add_model(provider: str, known: tuple[str, ...], model: Model) -> Change:
    """Add a model at the end of a provider's list.

    Args:
        provider: Its id.
        known: The models that it has without an entry of its own.
        model: The model; None stands for what is not said.
    """

    def edit(models: _List) -> None:
        name = model.get("id")
        if any(_id(item) == name for item in models):
            raise EditError(f"id: {provider} has {name} already")
        models.append(_item({}, model))

    return _editing(provider, known, edit)


def change_model(provider: str, known: tuple[str, ...], name: str, changes: Model) -> Change:
    """Change what is said of a model; None removes a key."""

    def edit(models: _List) -> None:
        place = _place(provider, models, name)
        models[place] = _item(models[place], changes)

    return _editing(provider, known, edit)


def remove_model(provider: str, known: tuple[str, ...], name: str) -> Change:
    """Remove a model from a provider's list."""

    def edit(models: _List) -> None:
        del models[_place(provider, models, name)]
        if not models:
            raise EditError(f"{name} is the only model of {provider}; disable the provider instead")

    return _editing(provider, known, edit)


def choose_default(provider: str, known: tuple[str, ...], name: str) -> Change:
    """Put a model at the head of the list: it is the one to try first."""

    def edit(models: _List) -> None:
        chosen = models.pop(_place(provider, models, name))
        for place, item in enumerate(models):
            if isinstance(item, dict) and "default" in item:
                models[place] = _item(cast("Model", item), {"default": None})
        models.insert(0, _item(chosen, {"default": None}))

    return _editing(provider, known, edit)


def _editing(provider: str, known: tuple[str, ...], edit: Callable[[_List], None]) -> Change:
    def change(document: Document) -> None:
        entry = provider_entry(document, provider)
        models = entry.get("models", list(known))
        if not isinstance(models, list):
            models = [models]
        items = cast("_List", models)
        edit(items)
        entry["models"] = items

    return change


def _place(provider: str, models: _List, name: str) -> int:
    for place, item in enumerate(models):
        if _id(item) == name:
            return place
    raise NoSuchModel(f"{provider} has no model {name}")


def _id(item: object) -> object:
    return cast("Model", item).get("id") if isinstance(item, dict) else item


def _item(before: object, changes: Model) -> Any:  # noqa: ANN401 - a name or a map
    """Make an item of the list: a mere name where nothing else is said."""
    old = cast("Model", before) if isinstance(before, dict) else {"id": before}
    new = {key: value for key, value in {**old, **changes}.items() if value is not None}
    return new["id"] if [*new] == ["id"] else new
