"""Random edits of a rules file: how they are asked for, what they mean, and how they are undone."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from addon.providers import BUILT_IN
from tests.laws.written_rules import TARGETS, rule

type File = dict[str, Any]
"""What a rules file says."""


class Refused(Exception):
    """The edit makes no sense."""


type Ask = tuple[str, ...] | tuple[str, str, dict[str, Any]]
"""Words of a command, or method, path and body for the API."""


class Edit(NamedTuple):
    """One edit: how it is asked for, and what it means."""

    ask: Ask
    change: Callable[[File], None]
    """Makes it in the meaning of a file."""
    undo: Callable[[File, File], Ask]
    """Says what takes it back, from what the file said before and says since."""
    owner: str = ""
    """The rule or provider whose comments may go with what they were about."""
    moves: bool = False


def merge(entry: dict[str, Any], settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if value is None or (key, value) == ("enabled", True):
            entry.pop(key, None)
        else:
            entry[key] = value


def of_provider(random: Random, file: File) -> Edit:
    """Make an edit of a provider, by a command or by the API."""
    present = file.get("providers", {})
    name = random.choice((*present, *present, "zai", "anthropic", "groq", "mine"))
    kind = random.choice(("put", "put", "switch", "remove" if name in present else "add"))
    by_command = random.random() < 0.5
    settings = {
        "base_url": "http://127.0.0.1:2/v1",
        "title": random.choice(("New: “title” #5", "plain", "it's")),
        "models": ["a", "b:7b"],
        "enabled": random.random() < 0.5,
        "timeouts": {"idle": 9},
        "headers": None,
    }
    allowed = ("title", "base_url", "models") if by_command else tuple(settings)
    chosen = {key: settings[key] for key in random.sample(allowed, random.randint(1, 3))}
    if kind == "switch":
        chosen = {"enabled": settings["enabled"]}
    words = [
        word
        for key, value in chosen.items()
        for item in (value if isinstance(value, list) else [value])
        for word in (f"--{key.replace('_', '-').removesuffix('s')}", str(item))
    ]
    asks: dict[str, tuple[Any, ...]] = {
        "put": ("edit", name, *words),
        "add": ("add", name, *words),
        "remove": ("remove", name),
        "switch": ("enable" if chosen.get("enabled") else "disable", name),
    }
    if not by_command:
        asks = {
            "put": ("PATCH", f"providers/{name}", chosen),
            "add": ("POST", "providers", {"id": name, **chosen}),
            "remove": ("DELETE", f"providers/{name}", {}),
            "switch": ("PATCH", f"providers/{name}", chosen),
        }

    def change(file: File) -> None:
        providers = file.setdefault("providers", {})
        if kind == "remove":
            if name not in providers:
                raise Refused
            del providers[name]
        else:
            known = name in providers or name in BUILT_IN
            if name in providers if kind == "add" else not known:
                raise Refused
            if name not in BUILT_IN and "base_url" not in chosen and kind == "add":
                raise Refused
            entry = providers.setdefault(name, {})
            merge(entry, chosen)
            if not entry:
                del providers[name]
        if not providers:
            del file["providers"]

    return Edit(asks[kind], change, functools.partial(undo_of_provider, name), name)


def undo_of_provider(name: str, before: File, after: File) -> Ask:
    old, new = (file.get("providers", {}).get(name) for file in (before, after))
    if old is None:
        return ("DELETE", f"providers/{name}", {})
    if new is None:
        return ("POST", "providers", {"id": name, **old})
    return ("PATCH", f"providers/{name}", {key: old.get(key) for key in {**old, **new}})


def of_model(random: Random, file: File) -> Edit:
    """Make an edit of a provider's models."""
    name = random.choice((*file.get("providers", {}), "zai"))
    given = file.get("providers", {}).get(name, {}).get("models")
    known = given if given is not None else [*BUILT_IN[name].models] if name in BUILT_IN else []
    ids = [item["id"] if isinstance(item, dict) else item for item in known]
    model = random.choice((*ids, "new"))
    kind = random.choice(("add", "change", "remove", "default"))
    facts = {"title": "T", "context": 9000}
    asks: dict[str, tuple[str, str, dict[str, Any]]] = {
        "add": ("POST", f"providers/{name}/models", {"id": model, **facts}),
        "change": ("PATCH", f"providers/{name}/models/{model}", facts),
        "remove": ("DELETE", f"providers/{name}/models/{model}", {}),
        "default": ("PUT", f"providers/{name}/default-model", {"model": model}),
    }

    def change(file: File) -> None:
        models = copy.deepcopy(known)
        if (model in ids) is (kind == "add"):
            raise Refused
        place = ids.index(model) if model in ids else len(models)
        match kind:
            case "add":
                models.append({"id": model, **facts})
            case "change":
                item = models[place] if isinstance(models[place], dict) else {"id": model}
                models[place] = {**item, **facts}
            case "remove":
                del models[place]
            case _:
                models.insert(0, models.pop(place))
        if not models:
            raise Refused
        file.setdefault("providers", {}).setdefault(name, {})["models"] = models

    return Edit(asks[kind], change, functools.partial(undo_of_provider, name), name)


def rule_added(random: Random, rules: list[Any]) -> Edit:
    at = random.choice((None, random.randint(0, len(rules) + 1)))
    new = rule(random, f"new {random.randint(0, 99)}")

    def change(file: File) -> None:
        rules = file.setdefault("rules", [])
        if at is not None and at > len(rules):
            raise Refused
        rules.insert(len(rules) if at is None else at, copy.deepcopy(new))

    def undo(before: File, after: File) -> Ask:
        return ("DELETE", f"rules/{len(after['rules']) - 1 if at is None else at}", {})

    return Edit(("POST", "rules", {"rule": new} | ({} if at is None else {"at": at})), change, undo)


def rule_removed(random: Random, rules: list[Any]) -> Edit:
    index = random.randint(0, len(rules))

    def change(file: File) -> None:
        del there(file, index)[index]
        if not file["rules"]:
            del file["rules"]

    def undo(before: File, after: File) -> Ask:
        return ("POST", "rules", {"rule": before["rules"][index], "at": index})

    return Edit(("DELETE", f"rules/{index}", {}), change, undo, name_of(rules, index))


def rule_moved(random: Random, rules: list[Any]) -> Edit:
    index, to = (random.randint(0, max(len(rules) - 1, 0)) for _ in range(2))

    def change(file: File) -> None:
        rules = there(file, index)
        rules.insert(to, rules.pop(index))

    def undo(before: File, after: File) -> Ask:
        return ("POST", "rules/move", {"from": to, "to": index})

    asked = ("POST", "rules/move", {"from": index, "to": to})
    return Edit(asked, change, undo, name_of(rules, index), moves=True)


def rule_replaced(random: Random, rules: list[Any]) -> Edit:
    index = random.randint(0, len(rules))
    new = rule(random, name_of(rules, index) or "new")

    def change(file: File) -> None:
        there(file, index)[index] = copy.deepcopy(new)

    asked = ("PUT", f"rules/{index}", {"rule": new})
    return Edit(asked, change, functools.partial(put_back, index), name_of(rules, index))


def rule_changed(random: Random, rules: list[Any]) -> Edit:
    index = random.randint(0, len(rules))
    changes = {
        "use": random.choice((*TARGETS, ["zai:glm-5.3", "gateway:*"])),
        "when": random.choice(({"model": ["*-mini", "a, b"]}, None)),
        "enabled": random.random() < 0.5,
        "set": {"temperature": 1},
        "drop": None,
    }
    names = random.choice((["enabled"], random.sample(list(changes), random.randint(1, 3))))
    chosen = {key: changes[key] for key in names}

    def change(file: File) -> None:
        merge(there(file, index)[index], copy.deepcopy(chosen))

    asked = ("PATCH", f"rules/{index}", chosen)
    return Edit(asked, change, functools.partial(put_back, index), name_of(rules, index))


def default_chosen(random: Random, rules: list[Any]) -> Edit:
    default = random.choice(("block", "zai:glm-5.3"))

    def undo(before: File, after: File) -> Ask:
        return ("PUT", "rules/default", {"default": before.get("default", "pass")})

    asked = ("PUT", "rules/default", {"default": default})
    return Edit(asked, lambda file: file.update(default=default), undo)


def of_rule(random: Random, file: File) -> Edit:
    """Make an edit of the rules."""
    kinds = (rule_added, rule_removed, rule_moved, rule_replaced, rule_changed, default_chosen)
    return random.choice(kinds)(random, file.get("rules", []))


def there(file: File, index: int) -> list[Any]:
    """Return the rules, if one is at a place."""
    rules = file.get("rules", [])
    if index >= len(rules):
        raise Refused
    return rules


def name_of(rules: list[Any], index: int) -> str:
    return rules[index]["name"] if index < len(rules) else ""


def put_back(index: int, before: File, after: File) -> Ask:
    return ("PUT", f"rules/{index}", {"rule": before["rules"][index]})
