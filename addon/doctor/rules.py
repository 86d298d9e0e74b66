"""Whether the rules file is sound."""

from __future__ import annotations

import asyncio

from addon.doctor.finding import Finding
from addon.doctor.machine import Machine
from addon.rules import RulesError

_WHERE = "Mend it there; `detour check` says it again, and docs/rules.md explains every key."


async def examine(machine: Machine) -> list[Finding]:
    """Read the rules as the proxy reads them."""
    return await asyncio.to_thread(_examine, machine)


def _examine(machine: Machine) -> list[Finding]:
    rules = machine.rules_or_mistakes
    file = machine.rules_file
    if isinstance(rules, RulesError):
        if not file.exists():
            message = f"there is no rules file ({file})"
            remedy = (
                "Write one (README has an example), or name the one that you have: "
                "`detour doctor --rules FILE`."
            )
            return [Finding(check="rules", state="failed", message=message, remedy=remedy)]
        return [
            Finding(check="rules", state="failed", message=str(problem), remedy=_WHERE)
            for problem in rules.problems
        ]
    count = len(rules.rules)
    message = f"{file} is valid: {count} rule{'' if count == 1 else 's'}"
    notices = [
        Finding(
            check="rules",
            state="warning",
            message=f"{notice.file}:{notice.line}:{notice.column}: {notice.message}",
            remedy=_WHERE,
        )
        for notice in rules.notices
    ]
    return [Finding(check="rules", state="ok", message=message), *notices]
