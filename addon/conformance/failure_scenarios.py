"""Whatever goes wrong at a provider reaches the agent in its own format."""

from __future__ import annotations

from addon.conformance.conversation import Misshapen
from addon.conformance.scenario import Chapter, expect, expect_equal
from addon.conformance.session import Failed, Refused, Session

_KINDS = {
    "anthropic": {
        400: "invalid_request_error",
        401: "authentication_error",
        429: "rate_limit_error",
        500: "api_error",
        529: "overloaded_error",
    },
    "gemini": {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        503: "UNAVAILABLE",
    },
    "openai-chat": {
        400: "invalid_request_error",
        401: "invalid_api_key",
        429: "rate_limit_exceeded",
        500: "server_error",
        503: "server_error",
    },
}
"""What providers call their errors."""
_OVERLOADED = {"anthropic": 529}
"""What agents know an overload by; all others by 503."""


async def _fail(session: Session, status: int, wanted: int) -> None:
    kinds = _KINDS.get(session.provider_format, _KINDS["openai-chat"])
    words = "The provider told of its trouble"
    try:
        await session.say(f"[[error {status} {kinds[status]} {words}]] {session.mark}")
    except Refused as refused:
        expect_equal(refused.status, wanted, "the status")
        expect(words in refused.message, f"the message is {refused.message[:120]!r}")
        return
    raise Failed("an error became an answer")


FAILURES = Chapter()


@FAILURES.scenario("error 400", directed=True)
async def _bad_request(session: Session) -> None:
    await _fail(session, 400, 400)


@FAILURES.scenario("error 401", directed=True)
async def _bad_key(session: Session) -> None:
    await _fail(session, 401, 401)


@FAILURES.scenario("error 429", directed=True)
async def _rate_limit(session: Session) -> None:
    await _fail(session, 429, 429)


@FAILURES.scenario("error 500", directed=True)
async def _server_error(session: Session) -> None:
    await _fail(session, 500, 500)


@FAILURES.scenario("overload", directed=True)
async def _overload(session: Session) -> None:
    status = _OVERLOADED.get(session.provider_format, 503)
    await _fail(session, status, _OVERLOADED.get(session.agent.name, 503))


@FAILURES.scenario("HTML page", directed=True)
async def _html_page(session: Session) -> None:
    try:
        await session.say("[[html 502]]")
    except Refused as refused:
        expect(refused.status >= 500, f"the status is {refused.status}")
        return
    raise Failed("a page of HTML became an answer")


@FAILURES.scenario("error in the stream", streamed_only=True, directed=True)
async def _error_in_the_stream(session: Session) -> None:
    kind = _KINDS.get(session.provider_format, _KINDS["openai-chat"])[500]
    reply = await session.say(f"[[say one two three four]] [[error-in-stream {kind} 4]]")
    expect(reply.error, f"the stream ends as if all were well, with {reply.text!r}")


@FAILURES.scenario("cut stream", streamed_only=True, directed=True)
async def _cut_stream(session: Session) -> None:
    for ending in ("cut 4", "reset 4", "end 4"):
        reply = await session.say(f"[[say one two three four]] [[{ending}]]")
        expect(reply.error, f"{ending}: the stream ends as if all were well")


@FAILURES.scenario("cut answer", directed=True)
async def _cut_answer(session: Session) -> None:
    if session.streamed:
        return
    try:
        await session.say("[[say one two three four]] [[cut 4]]")
    except Refused as refused:
        expect(refused.status >= 500, f"the status is {refused.status}")
        return
    except Misshapen as misshapen:
        raise Failed(f"half an answer got through: {misshapen}") from misshapen
    raise Failed("half an answer became a whole one")


@FAILURES.scenario("silent provider", directed=True)
async def _silent_provider(session: Session) -> None:
    reply = await session.say("[[silent 0.6]] [[say at last]]")
    expect_equal(reply.text, "at last", "the text")
    if session.streamed and "keep_alive" in session.agent.features:
        early = session.pieces[0].split(b"data:", 1)[0] if session.pieces else b""
        kept = early.startswith(b":") or b"ping" in session.pieces[0]
        expect(kept, "nothing keeps the connection alive while the provider is silent")


@FAILURES.scenario("refusal", directed=True)
async def _refusal(session: Session) -> None:
    reply = await session.say("[[say No.]] [[stop refusal]]")
    if session.provider_format == "openai-responses":
        # There a refusal is what a completed answer says, and so it is for all others.
        expect(reply.text.startswith("No."), f"the answer is {reply.text!r}")
        return
    expect_equal(reply.stop, "content_filter", "the stop reason")
