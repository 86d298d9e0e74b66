"""Providers, their keys, and whether they answer."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import msgspec

from addon.dashboard.failures import ApiError, missing
from addon.dashboard.provider_rows import Known, key_of, know, row
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.rules_editing import edit_file, without_new_keys
from addon.dashboard.rules_state import read_state
from addon.dashboard.workspace import Workspace
from addon.engine import Verdict
from addon.formats.base import FORMAT_NAMES
from addon.inspection.verification import verify_providers
from addon.neutral import DetourError
from addon.providers import BUILT_IN, KEY_STORE, NOT_YET, Provider, Secret
from addon.rules import Rules
from addon.rules.editing import Change, apply_change
from addon.rules.hiding import Hidden, hide_in_words
from addon.rules.provider_edits import put_provider, remove_provider
from addon.rules.texts import PROVIDER_ID_PATTERN

_KEY = re.compile(r"[!-~]{1,4096}")
_KEY_PLACE = "PUT it to providers/ID/key, or name a variable that holds it, ${VARIABLE}"


def read_all(workspace: Workspace, _: Asked) -> dict[str, Any]:
    """Return all providers."""
    known = know(workspace, read_state(workspace))
    rows = [row(provider, known) for provider in known.providers.values()]
    return {"revision": known.revision, "providers": rows, "not_yet": NOT_YET}


def read(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Return one provider."""
    provider, known = find(workspace, asked)
    return row(provider, known) | {"revision": known.revision}


def add(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Add a provider."""
    name = asked.text("id")
    if not re.fullmatch(PROVIDER_ID_PATTERN, name):
        message = "id: letters, digits, `.`, `_` and `-` make a provider's name"
        raise ApiError(400, message, field="id")
    if name not in BUILT_IN and not asked.body.get("base_url"):
        message = f"base_url: {name} is no built-in provider, so it needs an address"
        raise ApiError(400, message, field="base_url")
    settings = _settings(asked, "id")
    if not settings:
        raise ApiError(400, "say what is different about it, such as `enabled` or `base_url`")
    state = read_state(workspace)
    if name in know(workspace, state).settings:
        raise ApiError(400, f"id: there is a provider {name} already", field="id")

    def change(hidden: Hidden) -> Change:
        return put_provider(name, hidden.reveal(settings), new=True)

    return _edit(workspace, asked, name, change)


def change(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Change some settings of a provider."""
    provider, _ = find(workspace, asked)
    settings = _settings(asked)

    def change(hidden: Hidden) -> Change:
        return put_provider(provider.id, hidden.reveal(settings))

    return _edit(workspace, asked, provider.id, change)


def remove(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Remove a provider, or the changes to a built-in one."""
    provider, known = find(workspace, asked)
    used = known.used.get(provider.id)
    if used and provider.id not in BUILT_IN:
        message = f"{provider.id} is still used by {', '.join(used)}"
        raise ApiError(400, message, used_by=used)
    if provider.id not in known.settings and provider.id in BUILT_IN:
        raise ApiError(400, f"{provider.id} is built in and stays; it can be switched off")
    edit_file(workspace, asked, lambda text, _: apply_change(text, remove_provider(provider.id)))
    return {"revision": read_state(workspace).revision}


def set_key(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Keep a key, encrypted."""
    provider, _ = find(workspace, asked)
    key = asked.text("key").strip()
    if not _KEY.fullmatch(key):
        raise ApiError(400, "key: it is empty, or holds what no key holds", field="key")
    try:
        workspace.keys.set(provider.id, key)
    except DetourError as error:
        raise ApiError(400, str(error)) from None
    workspace.tell("keys", {})
    return _key(workspace, asked)


def remove_key(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Forget a key."""
    provider, _ = find(workspace, asked)
    try:
        if not workspace.keys.remove(provider.id):
            raise missing(f"key for {provider.id} in the key store")
    except DetourError as error:
        raise ApiError(400, str(error)) from None
    workspace.tell("keys", {})
    return _key(workspace, asked)


async def verify(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Ask a provider for a word."""
    model = asked.optional_text("model") or ""
    chosen = asked.optional_text("format")
    if chosen is not None and chosen not in FORMAT_NAMES:
        raise ApiError(400, f"format: known are {', '.join(FORMAT_NAMES)}", field="format")
    name = asked.names["id"]
    rules, key = await workspace.in_thread(lambda: _with_key(workspace, name))
    formats = (chosen,) if chosen is not None else ()
    if formats and formats[0] not in rules.providers[name].base_urls:
        raise ApiError(400, f"format: {name} does not offer {chosen}", field="format")
    async with workspace.asking() as clients:
        verdicts = await verify_providers(
            rules, {name: model}, clients, formats, workspace.own_ports
        )
    return {"verdicts": [_without(verdict, key) for verdict in verdicts]}


def find(workspace: Workspace, asked: Asked) -> tuple[Provider, Known]:
    """Return the provider that a path names.

    Raises:
        ApiError: There is none.
    """
    known = know(workspace, read_state(workspace))
    name = asked.names["id"]
    if name not in known.providers:
        raise missing(f"provider {name[:80]!r}")
    return known.providers[name], known


def edited(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return a provider after an edit."""
    return read(workspace, Asked(names={"id": name}))


def _with_key(workspace: Workspace, name: str) -> tuple[Rules, str]:
    """Load the rules, with the provider's key at hand: the key store is not for the event loop."""
    rules = read_state(workspace).loaded
    if rules is None:
        raise ApiError(400, "rules.yaml has mistakes, which are to be mended first")
    if name not in rules.providers:
        raise missing(f"provider {name[:80]!r}")
    provider = rules.providers[name]
    key = None
    with contextlib.suppress(DetourError):  # of which the verdict will speak
        key = rules.keys.find(provider)
    if key is not None:
        rules.providers[name] = msgspec.structs.replace(provider, api_key=Secret(key))
    return rules, key or ""


def _without(verdict: Verdict, key: str) -> Verdict:
    """Blot out the key where a provider quotes it."""
    message = verdict.message.replace(key, "(key)") if key else verdict.message
    return msgspec.structs.replace(verdict, message=hide_in_words(message))


def _key(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    provider, known = find(workspace, asked)
    key, _ = key_of(provider, known)
    stored = provider.id in known.stored
    source = key["source"] if key is not None else None
    note = None
    if stored and source != KEY_STORE:
        note = f"the one from {source} comes first: it stays in use"
    return {"key": key, "stored": stored, "note": note}


def _settings(asked: Asked, *others: str) -> dict[str, Any]:
    own = ("revision", *others)
    return without_new_keys({k: v for k, v in asked.body.items() if k not in own}, _KEY_PLACE)


def _edit(workspace: Workspace, asked: Asked, name: str, change: Any) -> dict[str, Any]:  # noqa: ANN401 - makes a `Change`
    edit_file(
        workspace,
        asked,
        lambda text, hidden: apply_change(text, change(hidden)),
        base=("providers", name),
    )
    return edited(workspace, name)


ROUTES: Routes = {
    "GET providers": read_all,
    "POST providers": add,
    "GET providers/{id}": read,
    "PATCH providers/{id}": change,
    "DELETE providers/{id}": remove,
    "PUT providers/{id}/key": set_key,
    "DELETE providers/{id}/key": remove_key,
    "POST providers/{id}/verify": verify,
}
