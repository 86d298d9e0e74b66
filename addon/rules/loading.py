"""From the text of a rules file to `Rules`, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from addon.neutral import UnsupportedFeature
from addon.providers import BUILT_IN, FallbackPolicy, KeyRing, MediaPolicy, Provider, StoredKeys
from addon.rules.conditions import SwitchedOff
from addon.rules.decisions import DEFAULT_INTERCEPT, Rule, Rules, Use
from addon.rules.definitions import FILE
from addon.rules.limits import Limit
from addon.rules.nodes import Mapping as MappingNode
from addon.rules.nodes import Node, parse
from addon.rules.problems import START, Mark, Mistake, Problem, RulesError
from addon.rules.provider_settings import build_provider, key_settings
from addon.rules.records import Values
from addon.rules.rule_definitions import EVERY_PHASE
from addon.rules.shapes import FAILED, Reading
from addon.rules.targets import Target, Verdict

_EMPTY = "the file is empty; it begins with `version: 1`"


def load_rules(
    text: str,
    filename: str,
    environment: Mapping[str, str],
    check_filter: Callable[[str], str | None] | None = None,
    stored: StoredKeys | None = None,
) -> Rules:
    """Read a rules file.

    Args:
        text: What it holds.
        filename: What to call it in messages.
        environment: The variables that fill in `${NAME}` and may hold keys.
        check_filter: Says what is wrong with a mitmproxy filter expression, None if nothing is;
            without it such expressions are taken as they are.
        stored: The key store.

    Raises:
        RulesError: It has mistakes; the error holds all of them.
    """
    mistakes: list[Mistake] = []
    try:
        root = parse(text, mistakes.append)
        if root is None:
            raise Mistake(START, _EMPTY)
    except Mistake as mistake:
        raise RulesError(_problems(filename, [*mistakes, mistake])) from None
    reading = Reading(_provider_ids(root), check_filter)
    reading.mistakes += mistakes
    values = reading.attempt(FILE, root)
    if values is FAILED:
        raise RulesError(_problems(filename, reading.mistakes))
    keys = KeyRing(environment, stored)
    rules = _assemble(values, environment, keys, reading, filename)
    if reading.mistakes:
        raise RulesError(_problems(filename, reading.mistakes))
    return rules


def _assemble(
    values: Values,
    environment: Mapping[str, str],
    keys: KeyRing,
    reading: Reading,
    filename: str,
) -> Rules:
    entries: tuple[Values, ...] = values.get("rules", ())
    default: Target | Verdict = values.get("default", "pass")
    aliases: dict[str, Target | Verdict] = values.get("aliases", {})
    # What is switched off may lack what it would need.
    in_use = [entry for entry in entries if entry.get("enabled", True)]
    listed = [item for entry in in_use for use in entry.get("use", {}).values() for item in use]
    limits = [limit for entry in in_use for limit in entry.get("limit", ())]
    listed += [item for limit in limits for item in limit.get("else", ())]
    listed += [*aliases.values(), default]
    targets = [item for item in listed if isinstance(item, Target)]
    for name, item in aliases.items():
        if not isinstance(item, Target):
            message = f"aliases: `{name}` must be PROVIDER:MODEL, not `{item}`"
            reading.record(values.marks["aliases"], message)
    used = {target.provider for target in targets}
    providers: dict[str, Provider] = dict(BUILT_IN)
    for name, entry in values.get("providers", {}).items():
        provider = build_provider(name, entry, environment, reading, used=name in used)
        if provider is not None:
            providers[name] = provider
    if not reading.mistakes:
        _check_formats(targets, providers, reading)
    rules = _build_rules(entries, environment, reading)
    _notice_unused(rules, reading)
    if not reading.mistakes:
        _notice_unpriced(rules, providers, reading)
    return Rules(
        providers=providers,
        rules=rules,
        default=default,
        aliases={name: item for name, item in aliases.items() if isinstance(item, Target)},
        by_model_name=values.get("by_model_name", True),
        intercept=values.get("intercept", DEFAULT_INTERCEPT),
        media=MediaPolicy(**values.get("media", {})),
        keys=keys,
        websocket=values.get("websocket", "accept"),
        keeps_bodies=values.get("record") == "bodies",
        notices=_problems(filename, reading.notices),
    )


def _use(items: tuple[Target | Verdict, ...]) -> Use:
    targets = tuple(item for item in items if isinstance(item, Target))
    return items[0] if items and not isinstance(items[0], Target) else targets


def _build_rules(
    entries: tuple[Values, ...], environment: Mapping[str, str], reading: Reading
) -> list[Rule]:
    rules: list[Rule] = []
    lines: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        name: str = entry.get("name", f"rule {number}")
        if name in lines:
            mark = entry.marks.get("name", entry.mark)
            reading.record(mark, f"name: the rule on line {lines[name]} is called `{name}` too")
        lines[name] = entry.mark.line
        uses: dict[Any, tuple[Target | Verdict, ...]] = entry.get("use", {})
        by_phase: dict[Any, Use] = {phase: _use(items) for phase, items in uses.items()}
        enabled: bool = entry.get("enabled", True)
        rule = Rule(
            name=name,
            mark=entry.mark,
            enabled=enabled,
            conditions=(() if enabled else (SwitchedOff(),)) + entry.get("when", ()),
            use=by_phase.pop(EVERY_PHASE, ()),
            by_phase=by_phase,
            fallback=entry.get("fallback", FallbackPolicy()),
            key=key_settings(entry["api_key"], environment) if "api_key" in entry else None,
            limits=tuple(map(_limit, entry.get("limit", ()))),
            set=entry.get("set", {}),
            drop=entry.get("drop", ()),
            keeps_bodies=entry["record"] == "bodies" if "record" in entry else None,
        )
        rules.append(rule)
    return rules


def _limit(values: Values) -> Limit:
    return Limit(
        requests=values.get("requests"),
        tokens=values.get("tokens"),
        cost_usd=values.get("cost_usd"),
        per=values.get("per", "day"),
        by_agent="by" in values,
        otherwise=_use(values["else"]) if "else" in values else None,
    )


def _notice_unpriced(
    rules: list[Rule], providers: Mapping[str, Provider], reading: Reading
) -> None:
    """Point out calls that a limit in dollars cannot count."""
    for rule in rules:
        if not rule.enabled or all(limit.cost_usd is None for limit in rule.limits):
            continue
        for use in rule.by_phase.values() or (rule.use,):
            for target in () if isinstance(use, str) else use:
                provider = providers[target.provider]
                facts = provider.facts(target.model)
                if "*" not in target.model and not (facts and facts.prices):
                    message = (
                        f"limit: what {target.provider}:{target.model} costs is not known, so that"
                        " cost_usd does not count it; give the model a `price` under `providers`"
                    )
                    reading.notices.append(Mistake(target.mark, message))


def _notice_unused(rules: list[Rule], reading: Reading) -> None:
    """Point out what has no effect, or none yet."""
    catch_all: Rule | None = None
    for rule in rules:
        if not rule.enabled:
            continue
        if catch_all is not None:
            message = (
                f"`{rule.name}` never applies: `{catch_all.name}` on line {catch_all.mark.line}"
                " has no `when` and takes every call"
            )
            reading.notices.append(Mistake(rule.mark, message))
        elif not rule.conditions and (not rule.by_phase or "other" in rule.by_phase):
            catch_all = rule


def _check_formats(targets: list[Target], providers: dict[str, Provider], reading: Reading) -> None:
    """Refuse targets whose providers speak nothing that Detour speaks."""
    for target in targets:
        provider = providers[target.provider]
        if not provider.base_urls:
            example = f"providers.{provider.id}.base_url ({provider.base_url_example})"
            reading.record(target.mark, f"`{provider.id}` has no address yet: give {example}")
            continue
        try:
            providers[target.provider].format_for("openai-chat")
        except UnsupportedFeature as error:
            reading.record(target.mark, f"`{error.feature}` cannot be used: {error.reason}")


def _provider_ids(root: Node) -> list[str]:
    """Name all providers before the rest is read, so that rules may stand above them."""
    ids = list(BUILT_IN)
    sections = root.entries if isinstance(root, MappingNode) else []
    for key, section in sections:
        if key.text == "providers" and isinstance(section, MappingNode):
            ids += [name.text for name, _ in section.entries if name.text not in BUILT_IN]
    return ids


def _problems(filename: str, mistakes: list[Mistake]) -> tuple[Problem, ...]:
    ordered = sorted(mistakes, key=lambda mistake: mistake.mark)
    return tuple(Problem(filename, *_at_least_start(m.mark), str(m)) for m in ordered)


def _at_least_start(mark: Mark) -> Mark:
    return Mark(max(mark.line, 1), max(mark.column, 1))
