"""Explaining a call by all that decides on this machine: what limits have used, what runs here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from addon.formats import FORMATS
from addon.inspection.explanation import Explanation, Question, explain_call
from addon.inspection.local import look_for_local
from addon.rules import Rules

if TYPE_CHECKING:
    from addon.interceptor.spending import Spending


def explain(
    question: Question,
    rules: Rules,
    home: Path,
    *,
    flush: Callable[[], None] = lambda: None,
    taken: Collection[int] | None = None,
) -> Explanation:
    """Work out what the rules say about a call, with a look at what the proxy would look at.

    The ledger is read where anything is limited, and servers on this machine are asked for their
    models where one of them may be meant. This waits: it is not for the thread of an event loop.

    Args:
        question: The call.
        rules: The rules; they get the provider `local` as it was found.
        home: The folder of the ledger.
        flush: Waits until all that has ended is in the ledger.
        taken: Ports that are Detour's own, where no local server is looked for; None: see
            `find_local`.

    Raises:
        DetourError: The rules cannot be followed.
    """
    spending = _spending(rules, home, flush)
    if rules.uses_local or question.model.startswith(("local:", "local/")):
        look_for_local(rules, taken)
        return explain_call(question, rules, spending)
    explanation = explain_call(question, rules, spending)
    passes = explanation.decision.action == "pass" and explanation.decision.rule is None
    if passes and question.format in FORMATS and rules.may_own_locally(question.model):
        look_for_local(rules, taken)
        return explain_call(question, rules, spending)
    return explanation


def _spending(rules: Rules, home: Path, flush: Callable[[], None]) -> Spending | None:
    """Read what has been used, where anything is limited."""
    if not rules.limited:
        return None
    from addon.interceptor.spending import Spending

    spending = Spending(home, flush)
    spending.look(rules)
    spending.close()
    return spending
