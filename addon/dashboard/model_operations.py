"""The models of providers, and what rules can send calls to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from addon.dashboard.failures import ApiError
from addon.dashboard.provider_operations import edited, find
from addon.dashboard.provider_rows import key_of, know, model_row
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.rules_editing import edit_file
from addon.dashboard.rules_state import ANY, RulesState, read_state
from addon.dashboard.workspace import Workspace
from addon.engine import ListError, Question
from addon.inspection.local import find_local
from addon.rules.editing import Change, apply_change
from addon.rules.model_edits import add_model, change_model, choose_default, remove_model
from addon.rules.offers import models_of, usable_providers
from addon.rules.targets import AUTO
from addon.wire.model_lists import ListedModel

type Lists = dict[str, tuple[ListedModel, ...]]

_VERDICTS = [
    {"value": "pass", "label": "pass: unchanged to where the agent calls"},
    {"value": "block", "label": "block: refused"},
]


async def targets(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Return everything that a rule can send calls to."""
    state = await workspace.in_thread(lambda: read_state(workspace))
    ask = asked.query.get("ask") in ("true", "1")
    lists = await _ask(workspace, state) if ask else {}
    return await workspace.in_thread(lambda: _targets(workspace, state, lists))


def _targets(workspace: Workspace, state: RulesState, lists: Lists) -> dict[str, Any]:
    known = know(workspace, state)
    groups: list[dict[str, Any]] = []
    for provider in known.providers.values():
        _, reason = key_of(provider, known)
        models = [
            model_row(provider, model) for model in models_of(provider, lists.get(provider.id, ()))
        ]
        found = [
            {
                "value": f"{provider.id}:{model['id']}",
                "label": model["name"],
                **{name: model[name] for name in ("context", "input_price", "output_price")},
            }
            for model in models
        ]
        others = [{"value": f"{provider.id}:*", "label": "the model that the agent asks for"}]
        if provider.id == "local":
            others.insert(0, {"value": f"local:{AUTO}", "label": "whichever model runs here"})
        unknown = {"context": None, "input_price": None, "output_price": None}
        groups.append(
            {
                "provider": provider.id,
                "name": provider.title,
                "usable": reason is None,
                "reason": reason,
                "targets": [*found, *({**other, **unknown} for other in others)],
            }
        )
    groups.sort(key=lambda group: not group["usable"])
    return {"verdicts": _VERDICTS, "groups": groups}


async def _ask(workspace: Workspace, state: RulesState) -> Lists:
    """Ask those who can be asked for their models; who does not answer has none to add."""
    rules = state.loaded
    if rules is None:
        return {}
    asked = await workspace.in_thread(lambda: [*usable_providers(rules)])
    questions = [
        Question(provider, key)
        for provider, key in asked
        if provider.id != "local" or not rules.finds_local
    ]
    async with workspace.asking() as clients:
        found, _ = await asyncio.gather(
            workspace.model_lists.of_all(questions, clients),
            find_local(rules, clients, workspace.own_ports),
        )
    pairs = zip(questions, found, strict=True)
    return {
        question.provider.id: listed
        for question, listed in pairs
        if not isinstance(listed, ListError)
    }


def add(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Add a model to a provider."""
    name = asked.text("id").strip()
    if not name:
        raise ApiError(400, "id: the name is empty", field="id")
    given = {key: value for key, value in asked.body.items() if key != "revision"} | {"id": name}
    return _edit(workspace, asked, lambda provider, models: add_model(provider, models, given))


def change(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Change what is said of a model."""
    changes = {key: value for key, value in asked.body.items() if key != "revision"}
    if "id" in changes and not (isinstance(changes["id"], str) and changes["id"].strip()):
        raise ApiError(400, "id: expected the name of a model", field="id")
    name = asked.names["model"]
    return _edit(
        workspace, asked, lambda provider, models: change_model(provider, models, name, changes)
    )


def remove(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Remove a model from a provider."""
    name = asked.names["model"]
    return _edit(workspace, asked, lambda provider, models: remove_model(provider, models, name))


def set_default(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Choose the model to try a provider with."""
    name = asked.text("model")
    return _edit(workspace, asked, lambda provider, models: choose_default(provider, models, name))


def _edit(
    workspace: Workspace, asked: Asked, change: Callable[[str, tuple[str, ...]], Change]
) -> dict[str, Any]:
    provider, _ = find(workspace, asked)
    edit = change(provider.id, provider.models)
    base = ("providers", provider.id, "models", ANY)
    edit_file(workspace, asked, lambda text, _: apply_change(text, edit), base=base)
    return edited(workspace, provider.id)


ROUTES: Routes = {
    "GET targets": targets,
    "POST providers/{id}/models": add,
    "PATCH providers/{id}/models/{model}": change,
    "DELETE providers/{id}/models/{model}": remove,
    "PUT providers/{id}/default-model": set_default,
}
