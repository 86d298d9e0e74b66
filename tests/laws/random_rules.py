"""Random rules files, made from the definitions of what a file may say."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import strategies as st

from addon.providers import BUILT_IN
from addon.rules.container_shapes import Entries, Items, MapOr, ScalarOr
from addon.rules.definitions import FILE
from addon.rules.records import Field, Record
from addon.rules.scalar_shapes import Amount, AnyJson, Choice, Exactly, Quantity, Text, TruthValue
from addon.rules.shapes import Shape

MODELS = ("gpt-5", "gpt-5-mini", "claude-opus-5-5", "glm-5.3", "fast", "zai:glm-5.3", "qwen3")
AGENTS = ("coder", "planner", "codex", "opencode")
OWN = ("office", "gateway")
_VERDICTS = ("pass", "block")
_ALWAYS = ("rules", "on")
"""Fields that may be missing, but then there is little to decide."""
_TARGETS = (
    *("anthropic:claude-opus-5-5", "zai:glm-5.3", "openai:*", "google:gemini-3.8-flash"),
    *(
        "deepseek:deepseek-v4-pro",
        "groq:x-*",
        "office:qwen3",
        "office:qwen3",
        "gateway:*",
        "pass",
        "block",
    ),
)
_PATTERNS = (
    "gpt-*",
    "*",
    "*",
    "claude-*",
    "/mini$/",
    "/^(gpt|glm)/",
    "co*",
    "coder",
    "team-?",
    "lab*",
)
_TEXTS: dict[str, tuple[str, ...]] = {
    "parse_target": _TARGETS,
    "parse_pattern": _PATTERNS,
    "parse_input_tokens": ("> 100", ">= 1", "< 5000", "<=10"),
    "parse_filter": ("~hq x-team", "~bq tool", "~m POST & !~u nothing", "~d example.org"),
    "parse_known_provider": ("openai", "anthropic", "google", "zai"),
    "parse_provider_id": (*OWN, "anthropic", "zai", "groq"),
    "parse_host": ("api.openai.com", "api.anthropic.com", "gateway.example"),
    "parse_header_name": ("x-team", "x-phase"),
    "parse_own_header_name": ("x-own", "x-more"),
    "parse_body_field": ("temperature", "user", "top_p", "metadata"),
    "parse_expandable": ("http://127.0.0.1:1/v1", "${NOT_SET:-key}", "https://h.example"),
}
_BY_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "api_key": st.sampled_from(("none", "pass", "${NOT_SET:-k}", "${SET}")),
    "base_url": st.sampled_from(("http://127.0.0.1:1/v1", "https://gateway.example")),
    "region": st.sampled_from(("cn", "us", "intl", "beta")),
    "enabled": st.sampled_from((True, True, True, False)),
    "on": st.sampled_from(
        ("rate_limit", "context_length", ["context_length", "authentication"], "authentication")
    ),
    "has": st.sampled_from(
        ("tools", "images", "stream", ["tools", "images"], "json_schema", "files", "reasoning")
    ),
    # A field's value must be one that providers take, or the request itself is refused.
    "set": st.just({"temperature": 0.5}) | st.just({"user": "u"}),
}
_ALSO: dict[str, st.SearchStrategy[Any]] = {
    "use": st.sampled_from(
        (["groq:x-*", "anthropic:claude-opus-5-5"], ["office:qwen3", "zai:glm-5.3", "openai:*"])
    ),
    "fallback": st.just({"on": ["authentication", "context_length"]}),
    "endpoint": st.sampled_from(("chat", ["chat", "responses", "messages", "generate"])),
}
"""What is worth more than its chance: lists whose first target may lack a key, or be too small;
endpoints that are called."""


def rules_files() -> st.SearchStrategy[str]:
    """Write files, most of them without a mistake."""
    right = _values(FILE).map(_complete)
    return st.one_of(
        right.flatmap(_written),
        right.flatmap(_written),
        right.flatmap(_spoilt).flatmap(_written),
    )


def entries(shape: Record) -> st.SearchStrategy[dict[str, Any]]:
    """Make entries of the file, such as rules, about half of them without a mistake."""
    right = _records(shape)
    return st.one_of(right, right.flatmap(_spoilt))


def broken_texts() -> st.SearchStrategy[str]:
    """Write files whose text was damaged at random."""

    @st.composite
    def damaged(draw: st.DrawFn) -> str:
        text = draw(rules_files())
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        put = draw(st.sampled_from(("", ":", "\t", "[", "'", "&a ", "<<: ", "\n  - ", "no: ", "{")))
        return text[:start] + put + text[end:]

    return damaged()


def _complete(file: dict[str, Any]) -> dict[str, Any]:
    """Mend what the shapes alone do not know: what goes together, and what cannot be missing."""
    for number, rule in enumerate(file["rules"]):
        if "name" in rule:
            rule["name"] = f"{rule['name']} {number}"
        _mend_rule(rule)
    aliases = file.get("aliases") or {}
    file["aliases"] = {name: to for name, to in aliases.items() if to not in _VERDICTS}
    providers = file["providers"] = dict(file.get("providers") or {})
    for name in OWN:
        provider = providers[name] = dict(providers.get(name) or {})
        provider.setdefault("base_url", "http://127.0.0.1:1/v1")
        provider.setdefault("formats", ["openai-chat"])
        provider.setdefault("api_key", "none")
        provider.setdefault("models", [{"id": "qwen3", "context": 200}])
        provider.pop("region", None)
    for name, provider in providers.items():
        if name in BUILT_IN:
            provider.pop("region", None)
            provider.pop("formats", None)
        for model in _listed(provider.get("models")):
            if isinstance(model, dict):
                model.pop("price", None)
    return file


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _mend_rule(rule: dict[str, Any]) -> None:
    use = rule["use"]
    if isinstance(use, dict):
        rule["use"] = {phase: _mend_use(one) for phase, one in use.items()}
    else:
        rule["use"] = use = _mend_use(use)
    if use in _VERDICTS:
        for key in ("fallback", "set", "drop", "api_key"):
            rule.pop(key, None)
    if len(set(re.findall(r"[\w-]+:", json.dumps(rule["use"])))) > 1:
        rule.pop("api_key", None)  # one key is for one provider
    if "set" in rule:
        rule.pop("drop", None)
    if isinstance(policy := rule.get("fallback"), dict) and "not_on" in policy:
        less = set(_listed(policy.pop("not_on"))) - set(_listed(policy["on"]))
        policy |= {"not_on": sorted(less)} if less else {}
    for limit in _listed(rule.get("limit")):
        if not {"requests", "tokens", "cost_usd"} & set(limit):
            limit["requests"] = 7
        if "else" in limit:
            limit["else"] = _mend_use(limit["else"])


def _mend_use(use: Any) -> Any:
    """Let `pass` and `block` stand alone, and the first of each target."""
    if not isinstance(use, list):
        return use
    return [*dict.fromkeys(one for one in use if one not in _VERDICTS)] or "block"


def _written(file: Any) -> st.SearchStrategy[str]:
    flow = st.sampled_from((True, False, None))
    blocks = flow.map(lambda style: yaml.safe_dump(file, default_flow_style=style, width=60))
    return blocks | st.just(json.dumps(file, indent=1))


def _spoilt(file: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Put one mistake into a file: a wrong value, an unknown key, a key in the wrong place."""
    places = [*_places(file)]
    wrong = st.sampled_from((None, -1, "x y", [], {}, True, 1e400, ["a", []], "zai :glm", "${"))

    @st.composite
    def spoilt(draw: st.DrawFn) -> Any:
        copy = json.loads(json.dumps(file))
        path = draw(st.sampled_from(places))
        holder = copy
        for step in path[:-1]:
            holder = holder[step]
        match draw(st.sampled_from(("value", "key", "more"))):
            case "key" if isinstance(path[-1], str):
                holder[path[-1] + draw(st.sampled_from(("s", "_", " ")))] = holder.pop(path[-1])
            case "more" if isinstance(holder, dict):
                holder[draw(st.sampled_from(("use", "when", "temprature", "id", "on")))] = "x"
            case _:
                holder[path[-1]] = draw(wrong)
        return copy

    return spoilt()


def _places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for step, inner in steps:
        found.append((*above, step))
        if isinstance(inner, dict | list):
            found += _places(inner, (*above, step))
    return found


def _values(shape: Shape) -> st.SearchStrategy[Any]:
    """Make values that a shape takes."""
    match shape:
        case Record():
            return _records(shape)
        case Items():
            many = st.lists(_values(shape.item), min_size=1, max_size=3)
            return many | _values(shape.item) if shape.or_one else many
        case Entries():
            return st.dictionaries(_values(shape.key), _values(shape.value), min_size=1, max_size=2)
        case ScalarOr():
            return _values(shape.scalar) | _values(shape.container)
        case MapOr():
            return _values(shape.other) | _values(shape.map)
        case _:
            return _scalars(shape)


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    match shape:
        case Choice():
            return st.sampled_from(shape.values)
        case Text():
            return _texts(shape.parse)
        case Amount() | Quantity():
            return st.integers(1, 9)
        case TruthValue():
            return st.booleans()
        case Exactly():
            return st.just(shape.value)
        case AnyJson():
            return st.sampled_from((0.5, "a", True))
        case _:
            raise AssertionError(f"no values are known for {shape}")


def _records(shape: Record) -> st.SearchStrategy[dict[str, Any]]:
    def of(field: Field) -> st.SearchStrategy[Any]:
        own = _BY_FIELD.get(field.name)
        own = _values(field.shape) if own is None else own
        return own | _ALSO[field.name] if field.name in _ALSO else own

    always = {field.name for field in shape.fields if field.required or field.name in _ALWAYS}
    needed = {field.name: of(field) for field in shape.fields if field.name in always}
    other = {field.name: of(field) for field in shape.fields if field.name not in always}
    if needed:
        return st.fixed_dictionaries(needed, optional=other)

    def of_these(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({name: other[name] for name in names})

    # Few at a time: what has many conditions applies to nothing.
    few = st.lists(st.sampled_from([*other]), min_size=1, max_size=3, unique=True)
    return few.flatmap(of_these)


def _texts(parse: Callable[..., Any] | None) -> st.SearchStrategy[str]:
    if parse is None:
        return st.text(string.ascii_letters, min_size=1, max_size=8) | st.sampled_from(MODELS)
    return st.sampled_from(_TEXTS[parse.__name__])
