"""Tools and thoughts, over several turns."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from addon.conformance.conversation import PNG, Question, Reply, Tool, ToolResult, UserTurn
from addon.conformance.scenario import Chapter, expect, expect_equal
from addon.conformance.session import Session

_WEATHER = Tool(
    "get_weather",
    "Tell the weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
)
_CLOCK = Tool("get_time", "Tell the time.", {"type": "object", "properties": {}})
_ARGUMENTS = {"city": 'Zürich "☂"', "days": 3}
_CALL = f"[[tool get_weather {json.dumps(_ARGUMENTS, ensure_ascii=False)}]]"


def _ask(session: Session, words: str, directives: str) -> Question:
    return Question([UserTurn(session.prompt(words, directives))], tools=(_WEATHER, _CLOCK))


def _results(reply: Reply, image: str | None = None) -> list[ToolResult]:
    return [ToolResult(call, f"{call.name}: 21", image) for call in reply.calls]


TOOLS = Chapter()


@TOOLS.scenario("tool call")
async def _tool_call(session: Session) -> None:
    question = _ask(session, f"Use get_weather with exactly {json.dumps(_ARGUMENTS)}.", _CALL)
    reply = await session.ask(question)
    expect_equal(reply.stop, "tool_calls", "the stop reason")
    expect_equal([call.name for call in reply.calls], ["get_weather"], "the calls")
    expect_equal(reply.calls[0].arguments, _ARGUMENTS, "the arguments")


@TOOLS.scenario("tool loop")
async def _tool_loop(session: Session) -> None:
    directives = f"[[say Looking.]] {_CALL} [[then]] [[say It is 21 degrees.]]"
    question = _ask(session, "What is the weather in Bern? Use the tool.", directives)
    reply = await session.ask(question)
    expect(reply.calls, "no call")
    _, reply = await session.go_on(question, reply, _results(reply))
    expect("21" in reply.text, f"the answer is {reply.text[:80]!r}")


@TOOLS.scenario("call without arguments")
async def _call_without_arguments(session: Session) -> None:
    directives = "[[tool get_time]] [[then]] [[say noon]]"
    question = _ask(session, "What time is it? Use get_time.", directives)
    reply = await session.ask(question)
    nothing: list[dict[str, Any]] = [{}]
    expect_equal([call.arguments for call in reply.calls], nothing, "the arguments")
    _, reply = await session.go_on(question, reply, _results(reply))
    expect(reply.text, "no answer after the result")


@TOOLS.scenario("parallel calls")
async def _parallel_calls(session: Session) -> None:
    directives = f"{_CALL} [[tool get_time]] {_CALL} [[then]] [[say All is done.]]"
    words = "Call get_weather for Bern and for Rome, and get_time, all at once."
    question = _ask(session, words, directives)
    reply = await session.ask(question)
    expect(len(reply.calls) >= 2, f"{len(reply.calls)} calls")
    identifiers = [call.id for call in reply.calls if call.id]
    expect_equal(len(set(identifiers)), len(identifiers), "different ids")
    _, reply = await session.go_on(question, reply, _results(reply))
    expect(reply.text, "no answer after the results")


@TOOLS.scenario("forced call")
async def _forced_call(session: Session) -> None:
    question = _ask(session, "Hello.", "[[tool get_time]]")
    reply = await session.ask(replace(question, must_call=True))
    expect(reply.calls, "no call although one was demanded")


@TOOLS.scenario("picture as result", feature="image_result")
async def _picture_as_result(session: Session) -> None:
    directives = "[[tool get_time]] [[then]] [[say red]]"
    question = _ask(session, "Call get_time; which colour has its picture?", directives)
    reply = await session.ask(question)
    expect(reply.calls, "no call")
    _, reply = await session.go_on(question, reply, _results(reply, PNG))
    if session.directed:
        expect(PNG.encode() in session.received(), "the provider never got the picture")
    if session.provider_format != "openai-chat":  # there the picture stands after the result
        expect("red" in reply.text.lower(), f"the answer is {reply.text[:80]!r}")


@TOOLS.scenario("custom tool", feature="custom_tool")
async def _custom_tool(session: Session) -> None:
    patch = '*** Begin Patch\n"é"\n*** End Patch'
    tool = json.dumps(patch)
    if session.provider_format in ("anthropic", "gemini"):
        tool = json.dumps({"input": patch})  # emulated by a function of one parameter
    words = f"Call apply_patch with exactly:\n{patch}"
    prompt = session.prompt(words, f"[[tool apply_patch {tool}]]")
    question = Question([UserTurn(prompt)], custom_tool="apply_patch")
    reply = await session.ask(question)
    expect_equal([call.arguments for call in reply.calls], [patch], "the input")


@TOOLS.scenario("thoughts shown")
async def _thoughts_shown(session: Session) -> None:
    directives = "[[think Hm, let me see.]] [[say Seen.]]"
    prompt = session.prompt("What is 17 * 23?", directives)
    reply = await session.ask(Question([UserTurn(prompt)], thinks=True))
    expect(reply.text, "no answer")
    if session.agent.name == "openai-chat" and session.provider_format == "openai-responses":
        return  # OpenAI shows its thoughts to those alone who ask for a summary
    if session.directed:
        expect_equal(reply.thinking, "Hm, let me see.", "the thoughts")


@TOOLS.scenario("thoughts over turns")
async def _thoughts_over_turns(session: Session) -> None:
    turn = f"[[think Now the tool.]] {_CALL} [[tool get_time]]"
    directives = f"{turn} [[then]] {turn} [[then]] {turn} [[then]] [[think So.]] [[say Over.]]"
    words = "Use get_weather for Bern, then for Rome, then for Oslo, one after the other."
    question = replace(_ask(session, words, directives), thinks=True)
    reply = await session.ask(question)
    rounds = 0
    while reply.calls and rounds < 6:
        rounds += 1
        question, reply = await session.go_on(question, reply, _results(reply))
    expect(rounds > 0, "no calls")
    expect(reply.text, "no answer in the end")
    question, reply = await session.go_on(
        question, reply, UserTurn(session.prompt("Thank you.", "[[say Welcome.]]"))
    )
    expect(reply.text, "no answer to what was said after it")
