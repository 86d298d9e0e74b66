"""Scenarios, and how they hold up what must be seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from addon.conformance.agent import Feature
from addon.conformance.session import Failed, NotApplicable, Session

type Play = Callable[[Session], Awaitable[None]]


class Scenario(NamedTuple):
    """Something that must work."""

    name: str
    play: Play


class Chapter(list[Scenario]):
    """Scenarios of one kind, in the order in which they are shown."""

    def scenario(
        self,
        name: str,
        *,
        feature: Feature | None = None,
        streamed_only: bool = False,
        directed: bool = False,
    ) -> Callable[[Play], Play]:
        """Add a scenario.

        Args:
            name: What it is called in the table.
            feature: What an agent's format must know.
            streamed_only: Whether it makes no sense for a plain answer.
            directed: Whether only the embedded provider can play it.
        """

        def add(play: Play) -> Play:
            async def guarded(session: Session) -> None:
                if feature is not None and feature not in session.agent.features:
                    raise NotApplicable(f"{session.agent.name} has no such thing")
                if streamed_only and not session.streamed:
                    raise NotApplicable("for streams alone")
                if directed and not session.directed:
                    raise NotApplicable("real providers take no directives")
                await play(session)

            self.append(Scenario(name, guarded))
            return play

        return add


def expect(condition: object, what: str) -> None:
    """Hold up what an agent must see.

    Raises:
        Failed: It does not.
    """
    if not condition:
        raise Failed(what)


def expect_equal(seen: object, wanted: object, what: str) -> None:
    """Hold up what an agent must see exactly.

    Raises:
        Failed: It sees something else.
    """
    if seen != wanted:
        raise Failed(f"{what}: expected {_short(wanted)}, got {_short(seen)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 120 else f"{text[:117]}..."
