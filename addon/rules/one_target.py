"""Rules that send every call to one place, for people who want to see what another model says."""

from __future__ import annotations

from copy import copy

from addon.neutral import DetourError
from addon.rules.decisions import Rule, Rules
from addon.rules.problems import START, suggestion
from addon.rules.targets import Target


def with_one_target(rules: Rules, text: str, name: str) -> Rules:
    """Make rules that know the same providers and keys, and one rule without conditions.

    Args:
        rules: The rules in force.
        text: Where all calls are to go, as rules say it: `PROVIDER:MODEL`.
        name: What the one rule is called.

    Raises:
        DetourError: The text names no place that calls can go to.
    """
    provider, colon, model = (part.strip() for part in text.partition(":"))
    if not colon or not provider or not model or model.count("*") > 1:
        raise DetourError(f"Expected PROVIDER:MODEL, found `{text}`.")
    if provider not in rules.providers:
        raise DetourError(f"Unknown provider `{provider}`{suggestion(provider, rules.providers)}")
    made = copy(rules)
    for found_late in ("limited", "uses_local"):
        vars(made).pop(found_late, None)
    made.rules = (Rule(name=name, mark=START, use=(Target(provider, model, START),)),)
    made.aliases = {}
    made.by_model_name = False
    return made
