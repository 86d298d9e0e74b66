"""Which failures move on to the next target, how often one is tried again, when it rests."""

import asyncio
import itertools

import openai
import pytest

from tests.support.chains import SENTENCE, UNREACHABLE, chain_of

WORKS = ""
OVERFLOW = "prompt is too long: 210000 tokens > 200000 maximum"


@pytest.mark.parametrize(
    ("conduct", "kind"),
    [
        (UNREACHABLE, "unreachable"),
        ("[[silent 30]]", "timeout"),
        ("[[error 408 timeout_error]]", "timeout"),
        ("[[error 409 conflict]]", "conflict"),
        ("[[error 429 rate_limit_error]]", "rate_limit"),
        ("[[error 429 1302]]", "rate_limit"),  # Z.AI: too many calls at a time
        ("[[error 429 1305]]", "overloaded"),  # Z.AI: too much traffic
        ("[[error 429 engine_overloaded_error]]", "overloaded"),  # Moonshot
        ("[[error 429 insufficient_quota]]", "billing"),
        ("[[error 429 1113]]", "billing"),  # Z.AI: the balance is used up
        ("[[error 402 error Insufficient Balance]]", "billing"),  # DeepSeek
        ("[[error 400 error Your credit balance is too low]]", "billing"),  # Anthropic
        ("[[error 500 server_error]]", "server_error"),
        ("[[html 502]]", "server_error"),
        ("[[error 503 server_is_overloaded]]", "overloaded"),
        ("[[error 504 timeout]]", "timeout"),
        ("[[error 529 overloaded_error]]", "overloaded"),
        ("[[error-in-stream rate_limit_error 0]]", "rate_limit"),
        ("[[error-in-stream insufficient_quota 0]]", "billing"),
        ("[[cut 0]]", "cut"),
        ("[[reset 0]]", "cut"),
        ("[[end 0]]", "cut"),
    ],
)
async def test_failures_that_another_provider_may_not_have_move_on(conduct, kind):
    timeouts = {"timeouts": {"first_byte": 0.2}}
    async with chain_of(conduct, WORKS, formats=("openai-chat",), settings=timeouts) as targets:
        assert await targets.text() == SENTENCE
    assert targets.tried == [("t0", kind), ("t1", "")]


@pytest.mark.parametrize(
    ("conduct", "error"),
    [
        ("[[error 400 invalid_request_error]]", openai.BadRequestError),
        ("[[error 401 authentication_error]]", openai.AuthenticationError),
        ("[[error 403 permission_error]]", openai.PermissionDeniedError),
        ("[[error 404 not_found_error]]", openai.NotFoundError),
        ("[[error 422 invalid_request_error]]", openai.APIStatusError),
        ("[[error 400 content_filter]]", openai.BadRequestError),
        ("[[error 400 1301]]", openai.BadRequestError),  # Z.AI: unsafe content
        ("[[error 400 data_inspection_failed]]", openai.BadRequestError),  # Qwen
        (f"[[error 400 context_length_exceeded {OVERFLOW}]]", openai.BadRequestError),
        ("[[error-in-stream content_filter 0]]", openai.APIError),
    ],
)
async def test_failures_of_the_call_itself_are_told_at_once(conduct, error):
    async with chain_of(conduct, WORKS, formats=("openai-chat",)) as targets:
        with pytest.raises(error):
            await targets.words()
        assert targets.asked == [1, 0]


@pytest.mark.parametrize("ending", ["error-in-stream overloaded_error", "cut", "reset"])
@pytest.mark.parametrize("format", ["openai-responses", "anthropic"])
async def test_an_answer_begins_with_its_first_word(format, ending):
    """Neither the announcement of a text nor that of a thought is output."""
    async with chain_of(f"[[{ending} 2]]", WORKS, formats=(format, "openai-chat")) as targets:
        assert await targets.text() == SENTENCE
        assert targets.asked == [1, 1]


async def test_what_a_strict_provider_refuses_is_told_at_once():
    """A key and a model that are wrong, without any directive."""
    bad_key = {"t0": {"api_key": "bad-key"}}
    async with chain_of(WORKS, WORKS, formats=("openai-chat",), others=bad_key) as targets:
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            await targets.words()
        assert targets.asked == [1, 0]


async def test_a_model_that_declines_has_answered():
    async with chain_of(WORKS, WORKS, formats=("anthropic",)) as targets:
        async with targets.proxy.openai() as client:
            question = [{"role": "user", "content": "[[stop refusal]] [[say No.]]"}]
            answer = await client.chat.completions.create(model="gpt-5.1", messages=question)
        assert answer.choices[0].finish_reason == "content_filter"
        assert targets.asked == [1, 0]


async def test_a_rule_says_otherwise():
    policy = {"on": ["authentication"], "not_on": ["rate_limit"]}
    async with chain_of("[[error 401 authentication_error]]", WORKS, fallback=policy) as targets:
        assert await targets.text() == SENTENCE
    async with chain_of("[[error 429 rate_limit_error]]", WORKS, fallback=policy) as targets:
        with pytest.raises(openai.RateLimitError):
            await targets.words()
        assert targets.asked == [1, 0]


@pytest.mark.parametrize("format", ["openai-chat", "openai-responses", "anthropic", "gemini"])
async def test_an_overflow_moves_to_a_bigger_model_where_the_rule_wants_it(format):
    overflow = f"[[error 400 invalid_request_error {OVERFLOW}]]"
    async with chain_of(
        overflow, WORKS, formats=(format,), fallback={"on": "context_length"}
    ) as targets:
        assert await targets.text() == SENTENCE
        assert targets.tried == [("t0", "context_length"), ("t1", "")]
    async with chain_of(overflow, WORKS, formats=(format,)) as targets:
        with pytest.raises(openai.BadRequestError) as caught:
            await targets.words()
        assert caught.value.code == "context_length_exceeded"
        assert targets.asked == [1, 0]


async def test_a_target_is_tried_again_after_what_it_asks_for():
    busy = "[[error 429 rate_limit_error 1]] [[retry-after 0.2]]"
    loop = asyncio.get_running_loop()
    async with chain_of(busy, WORKS, fallback={"retries": 1}) as targets:
        began = loop.time()
        assert await targets.text() == SENTENCE
        assert 0.2 <= loop.time() - began < 2
        assert targets.asked == [2, 0]
    assert targets.tried == [("t0", "rate_limit"), ("t0", "")]


async def test_retries_wait_longer_and_longer(monkeypatch):
    waits = []
    sleep = asyncio.sleep

    async def remember(seconds, *arguments):
        if 0 < seconds < 20:
            waits.append(seconds)
        await sleep(0, *arguments)

    monkeypatch.setattr("addon.engine.chain.asyncio.sleep", remember)
    async with chain_of("[[error 503 overloaded]]", WORKS, fallback={"retries": 4}) as targets:
        async with targets.proxy.openai() as client:
            waits.clear()
            question = [{"role": "user", "content": f"[[say {SENTENCE}]]"}]
            answer = await client.chat.completions.create(model="gpt-5.1", messages=question)
        assert answer.choices[0].message.content == SENTENCE
        assert targets.asked == [5, 1]
    backoffs = [wait for wait in waits if wait >= 0.3]
    assert len(backoffs) == 4
    assert all(later > 1.3 * earlier for earlier, later in itertools.pairwise(backoffs))


async def test_nobody_is_waited_for_too_long():
    """Who asks for more than ten seconds is not tried again: the next target answers at once."""
    busy = "[[error 429 rate_limit_error]] [[retry-after 60]]"
    async with asyncio.timeout(5), chain_of(busy, WORKS, fallback={"retries": 3}) as targets:
        assert await targets.text() == SENTENCE
        assert targets.asked == [1, 1]


async def test_a_single_target_can_be_tried_again():
    down = "[[error 503 overloaded 2]] [[retry-after 0.01]]"
    async with chain_of(down, fallback={"retries": 2}) as targets:
        assert await targets.text() == SENTENCE
        assert targets.asked == [3]


@pytest.mark.parametrize(
    ("failing", "cooldown"),
    [
        ("[[error 529 overloaded_error]]", 0.4),
        ("[[error 429 rate_limit_error]] [[retry-after 0.4]]", 60),
    ],
    ids=["as the rule says", "as the target says itself"],
)
async def test_a_target_that_has_failed_is_passed_over_for_a_while(failing, cooldown):
    async with chain_of(failing, WORKS, fallback={"cooldown": cooldown}) as targets:
        await targets.words()
        await targets.words()
        assert targets.asked == [1, 2]
        await asyncio.sleep(0.45)
        await targets.words()
        assert targets.asked == [2, 3]


async def test_another_model_of_the_same_provider_does_not_rest():
    async with chain_of("[[error 529 overloaded_error]]", WORKS, formats=("openai-chat",)) as one:
        await one.words()
        one.providers[0].conduct = ""
        one.proxy.rules.write_text(one.proxy.rules.read_text().replace("t0:glm-5.3", "t0:glm-6"))
        await one.words()
        assert one.asked == [2, 1]


async def test_a_target_that_rests_is_tried_all_the_same_where_nobody_else_is_left():
    failing = "[[error 529 overloaded_error]]"
    async with chain_of(failing, failing) as targets:
        for _ in range(2):
            with pytest.raises(openai.APIStatusError):
                await targets.words()
        assert targets.asked == [2, 2]
        targets.providers[1].conduct = ""
        assert await targets.text() == SENTENCE
