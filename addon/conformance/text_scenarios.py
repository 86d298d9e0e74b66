"""Words in, words out."""

from __future__ import annotations

import json

from addon.conformance.conversation import PDF, PNG, Question, UserTurn
from addon.conformance.scenario import Chapter, expect, expect_equal
from addon.conformance.session import NotApplicable, Session

_UNICODE = 'Grüße, 世界! 👩‍👩‍👧 \u2028 e\u0301 ﷽ \\ "quoted" </script>'
_LONG = 1500

WORDS = Chapter()


@WORDS.scenario("text")
async def _text(session: Session) -> None:
    prompt = session.prompt("Say only the word: detour", "[[say detour it is]]")
    reply = await session.say(prompt)
    expect("detour" in reply.text.lower(), f"the answer is {reply.text[:80]!r}")
    expect_equal(reply.stop, "stop", "the stop reason")


@WORDS.scenario("unicode")
async def _unicode(session: Session) -> None:
    prompt = session.prompt(
        f"Repeat exactly, nothing else: {_UNICODE}", f"[[say {_UNICODE}]] [[events 40]]"
    )
    reply = await session.say(prompt)
    expect(_UNICODE in reply.text, f"the answer is {reply.text[:80]!r}")


@WORDS.scenario("system prompt")
async def _system_prompt(session: Session) -> None:
    words = "Whatever you are asked, answer only: kumquat"
    prompt = session.prompt("What is 2 + 2?", "[[say kumquat]]")
    reply = await session.ask(Question([UserTurn(prompt)], system=words))
    expect("kumquat" in reply.text.lower(), f"the answer is {reply.text[:80]!r}")
    if session.directed:
        expect(words.encode() in session.received(), "the provider never got the system prompt")


@WORDS.scenario("several turns")
async def _several_turns(session: Session) -> None:
    question = Question([UserTurn(session.prompt("My name is Ada. Say hi.", "[[say hi Ada]]"))])
    for index in range(3):
        prompt = session.prompt("What is my name?", f"[[say Ada {index}]]")
        reply = await session.ask(question)
        question, reply = await session.go_on(question, reply, UserTurn(prompt))
        expect("Ada" in reply.text, f"the answer is {reply.text[:80]!r}")


@WORDS.scenario("picture")
async def _picture(session: Session) -> None:
    prompt = session.prompt("Which colour has the picture? One word.", "[[say red]]")
    reply = await session.ask(Question([UserTurn(prompt, image=PNG)]))
    expect("red" in reply.text.lower(), f"the answer is {reply.text[:80]!r}")
    if session.directed:
        expect(PNG.encode() in session.received(), "the provider never got the picture")


@WORDS.scenario("PDF")
async def _document(session: Session) -> None:
    prompt = session.prompt("How many pages are in it? One word.", "[[say one]]")
    reply = await session.ask(Question([UserTurn(prompt, document=PDF)]))
    expect(reply.text, "no answer")
    if session.directed:
        expect(PDF.encode() in session.received(), "the provider never got the document")


@WORDS.scenario("schema output")
async def _schema_output(session: Session) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["city", "people"],
        "additionalProperties": False,
    }
    words = "Name the capital of France and its population."
    reply = await session.ask(Question([UserTurn(words)], schema=schema))
    try:
        value = json.loads(reply.text)
    except ValueError:
        value = None
    expect(isinstance(value, dict), f"the answer is not a JSON object: {reply.text[:80]!r}")
    expect_equal(set(value or {}), {"city", "people"}, "the object's fields")


@WORDS.scenario("JSON mode", feature="json_mode")
async def _json_mode(session: Session) -> None:
    directives = '[[say {"capital": "Paris"}]] in JSON'
    prompt = session.prompt("Answer in JSON: what is the capital of France?", directives)
    reply = await session.ask(Question([UserTurn(prompt)], json_mode=True))
    try:
        json.loads(reply.text)
    except ValueError:
        expect(False, f"the answer is not JSON: {reply.text[:80]!r}")


@WORDS.scenario("stop sequence", feature="stop")
async def _stop_sequence(session: Session) -> None:
    if session.provider_format == "openai-responses":
        raise NotApplicable("the provider's format has no such thing")
    prompt = session.prompt("Count from one to ten in words.", "[[say one two three four]]")
    reply = await session.ask(Question([UserTurn(prompt)], stop="three"))
    expect("four" not in reply.text, f"the answer goes on: {reply.text[:80]!r}")
    expect_equal(reply.stop, "stop", "the stop reason")


@WORDS.scenario("token limit")
async def _token_limit(session: Session) -> None:
    prompt = session.prompt("Write a long story.", f"[[say {'word ' * 400}]]")
    reply = await session.ask(Question([UserTurn(prompt)], max_tokens=64))
    expect_equal(reply.stop, "length", "the stop reason")


@WORDS.scenario("usage")
async def _usage(session: Session) -> None:
    reply = await session.say(session.prompt("Say hi.", "[[say hi there]]"))
    expect(reply.input_tokens > 0, "no input tokens")
    expect(reply.output_tokens > 0, "no output tokens")


@WORDS.scenario("token count", feature="count")
async def _token_count(session: Session) -> None:
    question = Question([UserTurn("How many tokens are these words?")])
    tokens = await session.count(question)
    expect(tokens > 0, f"{tokens} tokens")


@WORDS.scenario("long stream", streamed_only=True, directed=True)
async def _long_stream(session: Session) -> None:
    reply = await session.ask(Question([UserTurn(f"[[events {_LONG}]]")], max_tokens=16_000))
    words = [f"word{number}" for number in range(1, _LONG + 1)]
    expect_equal(reply.text.split(), words, "the words")


@WORDS.scenario("word by word", streamed_only=True, directed=True)
async def _word_by_word(session: Session) -> None:
    reply = await session.say("[[say one two three four five six]] [[slow 0.03]]")
    expect_equal(reply.text, "one two three four five six", "the text")
    expect(len(session.pieces) >= 6, f"it came in {len(session.pieces)} pieces only")
