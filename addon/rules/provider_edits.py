"""Edits of the `providers` section, for `apply_change`."""

from __future__ import annotations

from typing import Any

from addon.providers import BUILT_IN
from addon.rules.editing import Change, Document, insert
from addon.rules.problems import suggestion
from addon.rules.rewriting import EditError

type Settings = dict[str, Any]
"""Keys of a provider's entry and their values; None removes a key."""


def put_provider(name: str, settings: Settings, *, new: bool = False) -> Change:
    """Change some settings of a provider and leave the others alone.

    Args:
        name: The provider's id.
        settings: What to change.
        new: Whether the provider must not have an entry yet; else it must be known.
    """

    def change(document: Document) -> None:
        section = _section(document)
        entry: Document | None = section.get(name)
        if new and entry is not None:
            raise EditError(f"there is a provider {name} already; `detour providers edit` it")
        if not new and entry is None and name not in BUILT_IN:
            hint = suggestion(name, [*section, *BUILT_IN])
            raise EditError(f"there is no provider {name}{hint}")
        if new and name not in BUILT_IN and "base_url" not in settings:
            raise EditError(f"{name} is no built-in provider, so it needs a base URL (--base-url)")
        entry = provider_entry(document, name)
        for key, value in settings.items():
            _put(entry, key, value)
        if not entry:
            del section[name]
        _drop_empty(document, section)

    return change


def remove_provider(name: str) -> Change:
    """Remove a provider's entry: of a built-in one, the changes to it.

    The edit is refused by the check that follows where a rule still needs the provider.
    """

    def change(document: Document) -> None:
        section = _section(document)
        if name not in section:
            if name in BUILT_IN:
                raise EditError(f"{name} is built in and stays; `detour providers disable` it")
            raise EditError(f"there is no provider {name}{suggestion(name, section)}")
        del section[name]
        _drop_empty(document, section)

    return change


def provider_entry(document: Document, name: str) -> Document:
    """Return the entry of a provider, begun where there is none."""
    section = _section(document)
    if section.get(name) is None:
        section[name] = {}
    return section[name]


def _section(document: Document) -> Document:
    section: Document | None = document.get("providers")
    if section is None:
        section = {}
        if "providers" in document:
            document["providers"] = section
        else:
            insert(document, 1, "providers", section)
    return document["providers"]


def _drop_empty(document: Document, section: Document) -> None:
    if not section:
        del document["providers"]


def _put(entry: Document, key: str, value: object) -> None:
    if value is None or (key == "enabled" and value is True):
        entry.pop(key, None)
    elif key not in entry or entry[key] != value:
        entry[key] = value
