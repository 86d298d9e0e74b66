"""Every rule about the messages of a Messages request: what breaks it, and what does not."""

import base64
from typing import Any

import pytest

from addon.embedded.anthropic.validation import check_messages_request
from addon.embedded.prefix import chain, sign
from addon.embedded.refusal import Refusal
from tests.support.provider import (
    VERSION,
    WRITE_FILE,
    assistant,
    messages_body,
    text,
    tool_result,
    tool_use,
    user,
)

SECRET = b"secret"
PNG = base64.b64encode(b"\x89PNG").decode()
OPUS = "claude-opus-5-5"
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def image(**source: Any) -> dict[str, Any]:
    return {"type": "image", "source": source}


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


def check(*messages: dict[str, Any], version: str = "2023-06-01", **fields: Any) -> None:
    body = messages_body(*messages, **{"tools": [WRITE_FILE], **fields})
    check_messages_request(body, {"anthropic-version": version}, SECRET)


REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    ([{"role": "tool", "content": "x"}], "messages.0.role: Input should be 'user'"),
    ([{"role": "user"}], "messages.0.content: Field required"),
    ([{**user("hi"), "name": "bob"}], "messages.0.name: Extra inputs are not permitted"),
    ([user("")], "messages.0: user messages must have non-empty content"),
    ([user("hi"), assistant(""), user("hi")], "messages.1: all messages must have non-empty"),
    ([user(text(""))], "text content blocks must be non-empty"),
    ([user(" \n")], "text content blocks must contain non-whitespace text"),
    ([user({**text("hi"), "extra": 1})], "messages.0.content.0.text.extra: Extra inputs"),
    ([user({"type": "input_text", "text": "hi"})], "Input tag 'input_text' found using 'type'"),
    ([user({"text": "hi"})], "messages.0.content.0.type: Field required"),
    ([user(tool_use())], "`tool_use` blocks can only be in `assistant` messages"),
    ([user("hi"), assistant(tool_result())], "`tool_result` blocks can only be in `user`"),
    ([user("hi"), assistant(image(type="url", url="https://a"))], "`image` blocks can only be"),
    (
        [user("hi"), assistant(tool_use()), user("go on")],
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "
        "toolu_1",
    ),
    ([user("hi"), assistant(tool_use())], "messages.1: `tool_use` ids were found without"),
    (
        [user("hi"), assistant(tool_use(), tool_use("toolu_2")), user(tool_result())],
        "immediately after: toolu_2",
    ),
    (
        [user("hi"), assistant(tool_use()), user(text("look"), tool_result())],
        "`tool_use` ids were found without `tool_result` blocks immediately after",
    ),
    ([user(tool_result())], "messages.0: unexpected `tool_use_id` found in `tool_result`"),
    (
        [user("hi"), assistant(tool_use()), user(tool_result("toolu_9"))],
        "unexpected `tool_use_id` found in `tool_result` blocks: toolu_9",
    ),
    (
        [user("hi"), assistant(tool_use()), user(tool_result(), tool_result())],
        "each tool_use must have a single result",
    ),
    (
        [user("hi"), assistant(tool_use(), tool_use()), user(tool_result())],
        "messages.1: `tool_use` ids must be unique",
    ),
    (
        [user("hi"), assistant(tool_use("call:1")), user(tool_result())],
        "messages.1.content.0.tool_use.id: Input should be a string that matches pattern",
    ),
    (
        [user("hi"), assistant(tool_use(name="a b")), user(tool_result())],
        "messages.1.content.0.tool_use.name",
    ),
    (
        [user("hi"), assistant(tool_use(input="{}")), user(tool_result())],
        "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    (
        [user("hi"), assistant(tool_use()), user(tool_result(content=[]))],
        "messages.2.content.0.tool_result.content: Input should be a list with at least 1 item",
    ),
    (
        [user("hi"), assistant(tool_use()), user(tool_result(content=[text("")]))],
        "text content blocks must be non-empty",
    ),
    (
        [
            user("hi"),
            assistant(tool_use()),
            user(
                tool_result(
                    is_error=True, content=[image(type="base64", media_type="image/png", data=PNG)]
                )
            ),
        ],
        "all content must be type `text` if is_error",
    ),
    ([user(image(type="base64", media_type="image/bmp", data=PNG))], "media_type: Input should be"),
    (
        [user(image(type="base64", media_type="image/png", data="not base64!"))],
        "messages.0.content.0.image.source.base64.data: invalid base64 data",
    ),
    ([user(image(type="base64", media_type="image/png", data=""))], "data: must not be empty"),
    ([user(image(type="url", url="http://a.org/x.png"))], "Only HTTPS URLs are supported"),
    ([user(image(type="url", url=f"data:image/png;base64,{PNG}"))], "Only HTTPS URLs"),
    (
        [user(document(type="base64", media_type="text/plain", data=PNG))],
        "document.source.base64.media_type: Input should be 'application/pdf'",
    ),
    ([user(document(type="text", media_type="text/plain", data=""))], "data: must not be empty"),
    (
        [user(document(type="content", content=[tool_use()]))],
        "only text and image blocks are supported",
    ),
    (
        [user("hi"), assistant({"type": "thinking", "thinking": "x"}), user("hi")],
        "messages.1.content.0.thinking.signature: Field required",
    ),
    (
        [user("hi"), assistant({"type": "thinking", "thinking": "", "signature": ""}), user("hi")],
        "thinking.signature: Input should be at least 1 characters long",
    ),
    (
        [
            user("hi"),
            assistant({"type": "thinking", "thinking": "x", "signature": "Zm9yZWlnbg=="}),
            user("hi"),
        ],
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        [user("hi"), assistant({"type": "redacted_thinking", "data": "foreign"}), user("hi")],
        "Invalid `data` in `redacted_thinking` block",
    ),
    ([user("hi"), {"role": "system", "content": "be kind"}], "role 'system' is not supported"),
    (
        [user("hi"), assistant("a ")],
        "final assistant content cannot end with trailing whitespace",
    ),
]

ACCEPTED: list[list[dict[str, Any]]] = [
    [user("hi")],
    [user(text("hi"), text("there"))],
    [user("hi"), user("there")],
    [assistant("hello"), user("hi")],
    [user("hi"), assistant("The answer is")],
    [user("hi"), assistant("")],
    [user("hi"), assistant(text("let me see"), tool_use()), user(tool_result(), text("look"))],
    [
        user("hi"),
        assistant(tool_use(), tool_use("call_2")),
        user(tool_result("call_2"), tool_result()),
    ],
    [user("hi"), assistant(tool_use()), user(tool_result()), user("and now?")],
    [user("hi"), assistant(tool_use()), user({"type": "tool_result", "tool_use_id": "toolu_1"})],
    [user("hi"), assistant(tool_use()), user(tool_result(content=""))],
    [
        user("hi"),
        assistant(tool_use()),
        user(
            tool_result(
                content=[text("see"), image(type="base64", media_type="image/png", data=PNG)]
            )
        ),
    ],
    [user(image(type="url", url="https://a.org/x.png"), text("what is it?"))],
    [user(document(type="base64", media_type="application/pdf", data=PNG))],
    [user({**document(type="text", media_type="text/plain", data="x"), "title": "notes"})],
    [user(document(type="content", content=[text("x")]))],
]


@pytest.mark.parametrize(("messages", "message"), REFUSED, ids=lambda value: str(value)[:70])
def test_refuses(messages: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(*messages)
    assert message in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize("messages", ACCEPTED, ids=lambda value: str(value)[:70])
def test_accepts(messages: list[dict[str, Any]]) -> None:
    check(*messages)


def test_tool_blocks_need_tools() -> None:
    messages = [user("hi"), assistant(tool_use()), user(tool_result())]
    with pytest.raises(Refusal, match="tools: required when `tool_use`"):
        check(*messages, tools=[])
    check(*messages)


def test_a_file_that_nobody_uploaded_is_not_found() -> None:
    with pytest.raises(Refusal, match="File not found: file_1") as refused:
        check(user(document(type="file", file_id="file_1")))
    assert refused.value.status == 404


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-5", OPUS])
def test_newer_models_take_no_prefill(model: str) -> None:
    with pytest.raises(Refusal, match="does not support assistant message prefill"):
        check(user("hi"), assistant("The"), model=model)


def test_budget_thinking_takes_no_prefill() -> None:
    with pytest.raises(Refusal, match="prefill is not supported when thinking is enabled"):
        check(user("hi"), assistant("The"), thinking=BUDGET)


def test_structured_output_takes_neither_prefill_nor_citations() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    fields = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    cited = {
        **document(type="text", media_type="text/plain", data="x"),
        "citations": {"enabled": True},
    }
    with pytest.raises(Refusal, match="prefill is not supported with structured outputs"):
        check(user("hi"), assistant("The"), **fields)
    with pytest.raises(Refusal, match="citations cannot be used with structured outputs"):
        check(user(cited), **fields)
    check(user({**cited, "citations": {"enabled": False}}), **fields)
    check(user(cited))


def test_a_system_message_stands_after_a_user_turn_and_before_an_assistant_turn() -> None:
    system = {"role": "system", "content": "Be kind."}
    check(user("hi"), system, model="claude-opus-4-8")
    check(user("hi"), system, system, assistant("hello"), user("hi"), model=OPUS)
    for messages in (
        [system, user("hi")],
        [user("hi"), system, user("hi")],
        [user("hi"), assistant("hello"), system, user("hi")],
    ):
        with pytest.raises(Refusal, match="a `system` message must follow a user turn"):
            check(*messages, model=OPUS)


def test_the_newest_version_takes_no_document_from_the_assistant() -> None:
    messages = [
        user("hi"),
        assistant(document(type="text", media_type="text/plain", data="x")),
        user("hi"),
    ]
    check(*messages)
    with pytest.raises(Refusal, match="`document` blocks can only be in `user` messages"):
        check(*messages, version="2026-10-21")


def test_the_newest_version_takes_no_citations_from_the_user() -> None:
    cited = user(text("hi", citations=[{"type": "char_location"}]))
    check(cited)
    with pytest.raises(Refusal, match=r"text\.citations: not supported in user messages"):
        check(cited, version="2026-10-21")


def thought(model: str, *before: dict[str, Any], words: str = "hm") -> dict[str, Any]:
    """Make the thinking block that the provider would write behind these messages."""
    prefix = chain(messages_body(*before, tools=[WRITE_FILE], model=model))[-1].digest
    signature = sign(SECRET, words, prefix)
    return {"type": "thinking", "thinking": words, "signature": signature}


def test_a_thought_must_come_back_as_it_was() -> None:
    first = user("hi")
    block = thought("claude-opus-4-6", first)
    check(first, assistant(block, text("hello")), user("bye"), model="claude-opus-4-6")
    with pytest.raises(Refusal, match="Invalid `signature` in `thinking` block"):
        check(first, assistant({**block, "thinking": "ha"}), user("bye"), model="claude-opus-4-6")


def test_a_hidden_thought_comes_back_empty() -> None:
    first = user("hi")
    check(first, assistant(thought(OPUS, first, words=""), text("x")), user("bye"), model=OPUS)


def test_newer_models_bind_a_thought_to_all_that_stands_before_it() -> None:
    block = thought(OPUS, user("hi"))
    turn = assistant(block, text("hello"))
    check(user("hi"), turn, user("bye"), model=OPUS)
    check(user(text("hi", cache_control={"type": "ephemeral"})), turn, user("bye"), model=OPUS)
    bound = "bound to a different conversation"
    with pytest.raises(Refusal, match=bound):
        check(user("hello"), turn, user("bye"), model=OPUS)
    with pytest.raises(Refusal, match=bound):
        check(user("hi"), turn, user("bye"), model=OPUS, system="Be kind.")
    with pytest.raises(Refusal, match=bound):
        check(user("hi"), turn, user("bye"), model="claude-haiku-5-5")
    check(user("hello"), turn, user("bye"), model="claude-opus-5")


def test_a_moved_thought_may_be_dropped_on_request() -> None:
    body = messages_body(
        user("hello"),
        assistant(thought(OPUS, user("hi")), text("hello")),
        user("bye"),
        model=OPUS,
        thinking={
            "type": "adaptive",
            "block_binding": {"prefix_mismatch_behavior": "drop_block"},
        },
    )
    headers = {**VERSION, "anthropic-beta": "thinking-binding-controls-2026-08-01"}
    check_messages_request(body, headers, SECRET)


def test_budget_thinking_wants_the_thought_of_the_current_tool_loop() -> None:
    model = "claude-sonnet-4-5"
    block = thought(model, user("hi"))
    loop = [tool_use(), user(tool_result())]
    expected = "Expected `thinking` or `redacted_thinking`, but found `tool_use`"
    with pytest.raises(Refusal, match=expected):
        check(user("hi"), assistant(loop[0]), loop[1], model=model, thinking=BUDGET)
    check(user("hi"), assistant(block, loop[0]), loop[1], model=model, thinking=BUDGET)
    check(user("hi"), assistant(loop[0]), loop[1], model=model)
    check(
        user("hi"), assistant(loop[0]), loop[1], assistant("ok"), user("x"), model=model,
        thinking=BUDGET,
    )  # fmt: skip
    check(
        user("hi"), assistant(block, loop[0]), loop[1],
        assistant(tool_use("toolu_2")), user(tool_result("toolu_2")), model=model, thinking=BUDGET,
    )  # fmt: skip
