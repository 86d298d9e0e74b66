"""Rules files as people write them: comments, blank lines, quotes, brackets, anchors, long lines.

Comments say what they belong to: `# of NAME 3` stands right above the entry NAME or within it,
`# free 4` belongs to none.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

NAMES = ("plan", "code", "Übersetzen", "a name: with a colon", "'quoted'", "# hash", "yes", "7")
MODELS = ("gpt-5*", "o?", "claude-*", "/^(gpt|o)[0-9]/", "glm-5.3", "名前-*", "gpt-5.1, mini")
TARGETS = ("anthropic:claude-opus-5-5", "zai:glm-5.3", "office:*", "gateway:qwen3", "pass", "block")
ID = re.compile(r"[A-Za-z][\w./-]*(:[\w*][\w.*-]*)?", re.ASCII)
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off"))
WIDE = "x" * 150


class Style(NamedTuple):
    """How one author writes."""

    random: Random
    comments: bool
    brackets: float
    """How often lists and maps are in brackets that could do without."""
    step: int
    """Columns that maps are indented by."""
    offset: int
    """Columns of the dashes of lists."""
    quotes: float
    counter: list[int]

    def often(self, how: float) -> bool:
        return self.random.random() < how

    def comment(self, owner: str) -> str:
        self.counter[0] += 1
        return f"# of {owner} {self.counter[0]}" if owner else f"# free {self.counter[0]}"

    def tail(self, owner: str) -> str:
        """Write what may stand behind a value."""
        if not self.comments or not self.often(0.2):
            return ""
        return " " * self.random.randint(1, 4) + self.comment(owner)


@st.composite
def written_rules(draw: st.DrawFn) -> str:
    """Write a valid file."""
    random = Random(draw(st.integers(0, 1 << 32)))
    style = Style(
        random=random,
        comments=draw(st.integers(0, 4)) > 0,
        brackets=draw(st.sampled_from((0.0, 0.2, 0.6))),
        step=draw(st.sampled_from((2, 2, 4))),
        offset=draw(st.sampled_from((0, 2, 2, 4))),
        quotes=draw(st.sampled_from((0.0, 0.3))),
        counter=[0],
    )
    file = _file(random)
    if draw(st.integers(0, 11)) == 0:
        return json.dumps(file, indent=draw(st.sampled_from((None, 1, 2))), ensure_ascii=False)
    text = "".join(_lines(style, file))
    if draw(st.integers(0, 3)) == 0:
        text = _with_anchors(text)
    return text if draw(st.integers(0, 5)) else text.rstrip("\n")


def _file(random: Random) -> dict[str, Any]:
    providers = {
        "office": {"base_url": "http://127.0.0.1:1/v1", **_some(random, _SETTINGS)},
        "gateway": {"base_url": {"openai-chat": "https://g.example/v1"}, "api_key": "none"},
    }
    for name in ("zai", "anthropic"):
        if random.random() < 0.4:
            providers[name] = _some(random, _SETTINGS) or {"enabled": False}
    order = random.sample(list(providers), len(providers))
    rules = [rule(random, f"{random.choice(NAMES)} {n}") for n in range(random.randint(0, 5))]
    file: dict[str, Any] = {"version": 1, "providers": {name: providers[name] for name in order}}
    others = {"rules": rules, "default": "pass", "aliases": {"fast": "zai:glm-5.3"}}
    if random.random() < 0.5:
        del others["aliases"]
    if random.random() < 0.3:
        del others["default"]
    return file | {key: others[key] for key in random.sample(list(others), len(others))}


_SETTINGS: dict[str, Any] = {
    "title": "Our “own” one: fast",
    "models": ["qwen3", {"id": "big", "context": 1000}, "m:8b"],
    "headers": {"x-team": "research, 2nd floor"},
    "enabled": False,
    "timeouts": {"connect": 5, "total": 60.5},
}


def _some(random: Random, entries: dict[str, Any]) -> dict[str, Any]:
    chosen = random.sample(list(entries), random.randint(0, len(entries)))
    return {key: entries[key] for key in chosen}


def rule(random: Random, name: str) -> dict[str, Any]:
    """Make a rule."""
    when = {
        "model": random.sample(MODELS, random.randint(1, 3)),
        "agent": random.choice(("coder", WIDE, ["coder", "planner"])),
        "header": {"x-phase": "review"},
        "has": ["tools"],
    }
    more = {
        "set": {"temperature": 0.5, "metadata": {"a": [1, {"b": None}]}},
        "drop": ["user", "seed"],
        "limit": [{"requests": 5, "per": "hour"}, {"cost_usd": 1.5}],
        "fallback": {"retries": 2, "on": ["connect", "timeout"]},
        "enabled": False,
    }
    use = random.choice((*TARGETS, ["zai:glm-5.3", "office:*"], {"planning": TARGETS[0]}))
    if isinstance(use, dict):
        use = use | {"other": "zai:glm-5.3"}
    entry = {"name": name, "when": _some(random, when), "use": use, **_some(random, more)}
    if not entry["when"]:
        del entry["when"]
    if isinstance(use, str) and ":" not in use:
        entry = {k: v for k, v in entry.items() if k not in ("set", "drop", "fallback")}
    return {key: entry[key] for key in random.sample(list(entry), len(entry))}


def _lines(style: Style, file: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    _gap(style, lines, "")
    for key, value in file.items():
        match key:
            case "providers" if not style.often(style.brackets / 3):
                lines.append(f"{key}:{style.tail('')}\n")
                lines += _providers(style, value)
            case "rules" if value and not style.often(style.brackets / 3):
                lines.append(f"{key}:{style.tail('')}\n")
                lines += _rules(style, value)
            case _:
                tail = style.tail("")
                lines.append(
                    f"{key}:{' ' * style.random.randint(1, 2)}{_flow(style, value)}{tail}\n"
                )
        _gap(style, lines, "")
    return lines


def _gap(style: Style, lines: list[str], indent: str) -> None:
    """Write blank lines and comments that belong to nothing."""
    if style.often(0.3):
        lines.append("\n" * style.random.randint(1, 2))
        if style.comments and style.often(0.4):
            lines.append(f"{indent}{style.comment('')}\n\n")


def _providers(style: Style, providers: dict[str, Any]) -> list[str]:
    indent = " " * style.step
    lines: list[str] = []
    for name, settings in providers.items():
        if style.comments and style.often(0.3):
            lines.append(f"{indent}{style.comment(name)}\n")
        if not settings or style.often(style.brackets):
            lines.append(f"{indent}{name}: {_flow(style, settings)}{style.tail(name)}\n")
        else:
            lines.append(f"{indent}{name}:{style.tail(name)}\n")
            lines += _map(style, settings, style.step * 2, name)
        _gap(style, lines, indent)
    return lines


def _rules(style: Style, rules: list[dict[str, Any]]) -> list[str]:
    indent = " " * style.offset
    dash = "- " if style.step == 2 else "-   "
    random = style.random
    lines: list[str] = []
    for entry in rules:
        owner = entry["name"]
        if style.comments and style.often(0.4):
            lines += [f"{indent}{style.comment(owner)}\n" for _ in range(random.randint(1, 2))]
        if style.often(style.brackets):
            lines.append(f"{indent}- {_flow(style, entry)}{style.tail(owner)}\n")
        else:
            inner = _map(style, entry, style.offset + len(dash), owner)
            if inner[0].lstrip().startswith("#") or style.often(0.1):
                lines += [f"{indent}-{style.tail(owner)}\n", *inner]
            else:
                lines += [f"{indent}{dash}{inner[0].lstrip(' ')}", *inner[1:]]
        _gap(style, lines, indent)
    return lines


def _map(style: Style, entries: dict[str, Any], column: int, owner: str) -> list[str]:
    indent = " " * column
    lines: list[str] = []
    for key, value in entries.items():
        if style.comments and lines and style.often(0.15):
            lines.append(f"{indent}{style.comment(owner)}\n")
        written = _scalar(style, key, key=True)
        inline = not value or not isinstance(value, dict | list) or style.often(0.5)
        if inline:
            lines.append(f"{indent}{written}: {_flow(style, value)}{style.tail(owner)}\n")
        elif isinstance(value, dict):
            lines.append(f"{indent}{written}:{style.tail(owner)}\n")
            lines += _map(style, value, column + style.step, owner)
        else:
            lines.append(f"{indent}{written}:{style.tail(owner)}\n")
            dashes = " " * (column + style.offset)
            for item in value:
                lines.append(f"{dashes}- {_flow(style, item)}{style.tail(owner)}\n")
        if lines and style.often(0.05):
            lines.append("\n")
    return lines


def _flow(style: Style, value: Any) -> str:
    match value:
        case dict():
            inner = [f"{_scalar(style, k, key=True)}: {_flow(style, v)}" for k, v in value.items()]
            return f"{{{', '.join(inner)}}}"
        case list():
            return f"[{', '.join(_flow(style, item) for item in value)}]"
        case _:
            return _scalar(style, value)


def _scalar(style: Style, value: Any, *, key: bool = False) -> str:
    if not isinstance(value, str):
        return "~" if value is None and style.often(0.5) else json.dumps(value)
    plain = ID.fullmatch(value) and value.lower() not in WORDS and not (key and ":" in value)
    if plain and not style.often(style.quotes):
        return value
    if style.often(0.5):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=style.often(0.2))


def _with_anchors(text: str) -> str:
    """Let one value be named, and another repeat it."""
    used = re.findall(r"^( +(?:- )? *)use: ([\w.:*-]+)( *(?:#.*)?)$", text, re.M)
    twice = [value for _, value, _ in used if [v for _, v, _ in used].count(value) > 1]
    if not twice:
        return text
    first, *others = re.split(rf"(?<=use: ){re.escape(twice[0])}(?= *(?:#.*)?$)", text, flags=re.M)
    return "*same".join([f"{first}&same {twice[0]}{others[0]}", *others[1:]])
