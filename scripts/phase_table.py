"""The table of README that says which phases of which agents are recognised, from the signatures.

`python -m scripts.phase_table` writes it into README.md.
"""

from __future__ import annotations

from pathlib import Path

from addon.rules import PHASES, SIGNATURES

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- phases: written by `python -m scripts.phase_table` -->"
END = "<!-- end of the phases -->"
TITLES = {
    "codex": "Codex CLI",
    "claude-code": "Claude Code",
    "opencode": "opencode",
    "aider": "aider",
}
COLUMNS = tuple(phase for phase in PHASES if phase != "other")


def table() -> str:
    """Write the table: `seen` in an agent's traffic, or `read` in its program, or neither."""
    lines = [f"| | {' | '.join(f'`{phase}`' for phase in COLUMNS)} |", "|---" * 7 + "|"]
    for agent, rows in SIGNATURES.items():
        versions = ", ".join(dict.fromkeys(row.version for row in rows))
        cells: list[str] = []
        for phase in COLUMNS:
            known = {row.known for row in rows if row.phase == phase}
            cells.append("seen" if "seen" in known else "read" if known else "-")
        lines.append(f"| {TITLES[agent]} {versions} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rewritten(readme: str) -> str:
    """Put the table into the text of README."""
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    """Bring README up to date."""
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
