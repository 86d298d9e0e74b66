"""Outcomes: what fails is told, in the table and in the exit code."""

import httpx2

from addon.conformance.chat_agent import ChatAgent
from addon.conformance.conversation import Misshapen
from addon.conformance.gemini_agent import GeminiAgent
from addon.conformance.scenario import Chapter, expect, expect_equal
from addon.conformance.session import Session
from addon.conformance.suite import SCENARIOS, Outcome, play_all
from addon.conformance.table import as_records, render_table

CHAPTER = Chapter()


@CHAPTER.scenario("good")
async def _good(session: Session) -> None:
    expect(session.mark == "", "no mark")


@CHAPTER.scenario("bad", streamed_only=True)
async def _bad(session: Session) -> None:
    expect_equal(session.agent.name, "gemini", "the name")


@CHAPTER.scenario("misshapen", directed=True)
async def _misshapen(session: Session) -> None:
    raise Misshapen("odd")


@CHAPTER.scenario("for some", feature="custom_tool")
async def _for_some(session: Session) -> None:
    pass


async def play(directed: bool) -> list[Outcome]:
    async with httpx2.AsyncClient() as client:
        return await play_all(
            "someone",
            lambda agent, streamed: Session(agent, client, streamed, directed, ""),
            lambda outcome: None,
            (ChatAgent(), GeminiAgent()),
            CHAPTER,
            at_once=3,
        )


async def test_the_table_sums_up_both_ways() -> None:
    assert render_table(await play(directed=True)) == [
        "           openai-chat  gemini",
        "good       ok           ok",
        "bad        FAILED       ok",
        "misshapen  FAILED       FAILED",
        "for some   ok           -",
        "",
        "openai-chat, bad, streamed: the name: expected 'gemini', got 'openai-chat'",
        "openai-chat, misshapen, plain: against the format's rules: odd",
        "openai-chat, misshapen, streamed: against the format's rules: odd",
        "gemini, misshapen, plain: against the format's rules: odd",
        "gemini, misshapen, streamed: against the format's rules: odd",
    ]


async def test_directives_are_not_for_real_providers() -> None:
    (record,) = [
        record
        for record in as_records(await play(directed=False))
        if (record["scenario"], record["agent"]) == ("misshapen", "gemini") and record["streamed"]
    ]
    assert record["verdict"] == "not applicable"
    assert record["reason"] == "real providers take no directives"


def test_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names) > 30
