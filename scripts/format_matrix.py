"""The tables of README that say what becomes of what in which format: measured, not written.

Each feature is a small request of each format that has it. It is translated to each other format;
the loss list and refusals say what became of it, beyond what becomes of the same request without
the feature. `python -m scripts.format_matrix` writes the tables into README.md.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from addon import translate_request
from addon.formats.base import FormatName
from addon.neutral import UnsupportedFeature
from addon.translation import translate_response_for
from addon.wire.codec import encode
from scripts.answer_probes import ANSWERS, LOSSES, MARKS
from scripts.format_probes import PLAIN, PROBES
from scripts.signature_probes import SIGNING, signature_verdict

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- format matrix: written by `python -m scripts.format_matrix` -->"
END = "<!-- end of the format matrix -->"
TARGETS: dict[FormatName, str] = {
    "anthropic": "claude-opus-5-5",
    "gemini": "gemini-3.8-flash",
    "openai-chat": "gpt-5.5",
    "openai-responses": "gpt-5.5",
}
"""The model that stands for each format."""
TITLES: dict[FormatName, str] = {
    "openai-chat": "Chat",
    "openai-responses": "Responses",
    "anthropic": "Messages",
    "gemini": "Gemini",
}
_WORST_FIRST = ("dropped", "approximated", "emulated")


def verdict(body: dict[str, Any], source: FormatName, target: FormatName) -> str:
    """Say what becomes of the feature that a request has beyond the plain one."""
    try:
        lost = losses(body, source, target)
    except UnsupportedFeature:
        return "refused"
    new = set(lost) - set(losses(PLAIN[source], source, target))
    return next((action for action in _WORST_FIRST if action in {loss[1] for loss in new}), "kept")


def losses(body: dict[str, Any], source: FormatName, target: FormatName) -> list[tuple[str, str]]:
    """Return field and action of each loss.

    Raises:
        UnsupportedFeature: The target cannot express it.
    """
    rendered = translate_request(encode(body), source, target, model=TARGETS[target])
    return [(loss.field, loss.action) for loss in rendered.losses]


def cell(probes: dict[FormatName, dict[str, Any]], target: FormatName) -> str:
    """Sum up what becomes of a feature on its way to a format, from all others."""
    found = {
        source: verdict({**PLAIN[source], **probe}, source, target)
        for source, probe in probes.items()
        if source != target
    }
    if not found:
        return "-"
    return _summed_up(found)


def _summed_up(found: dict[FormatName, str]) -> str:
    usual, _ = Counter(found.values()).most_common(1)[0]
    others = [f"{TITLES[source]}: {told}" for source, told in found.items() if told != usual]
    return f"{usual} ({', '.join(others)})" if others else usual


def table() -> str:
    """Write the table."""
    header = " | ".join(f"to {TITLES[name]} (`{model}`)" for name, model in TARGETS.items())
    lines = [f"| | {header} |", "|---" * (len(TARGETS) + 1) + "|"]
    for feature, probes in PROBES.items():
        cells = " | ".join(cell(probes, target) for target in TARGETS)
        lines.append(f"| {feature} | {cells} |")
    return "\n".join(lines)


def answer_table() -> str:
    """Write what becomes of the parts of an answer."""
    header = " | ".join(f"for {TITLES[name]} agents" for name in TARGETS)
    lines = [f"| | {header} |", "|---" * (len(TARGETS) + 1) + "|"]
    for part, mark in MARKS.items():
        cells = [answer_cell(mark, target) for target in TARGETS]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    cells = [signature_cell(target) for target in TARGETS]
    lines.append(f"| signatures over turns | {' | '.join(cells)} |")
    return "\n".join(lines)


def signature_cell(agent: FormatName) -> str:
    """Sum up whether agents of a format bring home what providers of the others signed."""
    return _summed_up(
        {
            source: signature_verdict(source, agent, TARGETS[source])
            for source in SIGNING
            if source != agent
        }
    )


def answer_cell(mark: bytes, target: FormatName) -> str:
    """Sum up what becomes of a part of an answer in a format, from all others."""
    found = {source: answer_verdict(mark, source, target) for source in ANSWERS if source != target}
    return _summed_up(found)


def answer_verdict(mark: bytes, source: FormatName, target: FormatName) -> str:
    """Say what becomes of a part of an answer."""
    request = encode(PLAIN[target])
    answer = encode(ANSWERS[source])
    translated = translate_response_for(200, (), answer, source, target, request)
    if mark not in translated.body:
        return "dropped"
    field = LOSSES.get(mark)
    told = {loss.action for loss in translated.losses if loss.field == field}
    return next((action for action in _WORST_FIRST if action in told), "kept")


def rewritten(readme: str) -> str:
    """Return a README with the table as it is now."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    answers = f"And this of what the provider answers:\n\n{answer_table()}"
    return f"{before}{BEGIN}\n\n{table()}\n\n{answers}\n\n{END}{after}"


def main() -> None:
    """Write the table into README.md."""
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
