import json
from itertools import product

import pytest

from addon.embedded.anthropic.models import CLAUDE_MODELS
from addon.embedded.anthropic.validation import check_messages_request
from addon.embedded.refusal import Refusal
from addon.formats.anthropic import FORMAT
from addon.formats.base import RequestLine

LINE = RequestLine("/v1/messages", "beta=true")
VERSION = {"anthropic-version": "2023-06-01"}
ODD = b'{ "messages":[ {"role":"user","content":"\\u00fc"} ], "model" : "claude-opus-5", "x":1.0 }'
TOOL = {"name": "f", "input_schema": {"type": "object"}}
BILLING = {
    "type": "text",
    "text": "x-anthropic-billing-header: cc_version=2.1.329; cch=8cd23; cc_turn_index=1;",
}
PROMPT = {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}


def rewrite(target, dialect="anthropic", **fields):
    """Rewrite a request; return it, decoded, with the losses."""
    body = {"max_tokens": 4000, "messages": [{"role": "user", "content": "hi"}], **fields}
    rendered = FORMAT.rewrite_request(json.dumps(body).encode(), LINE, target, dialect)
    return json.loads(rendered.body), [loss.field for loss in rendered.losses]


@pytest.mark.parametrize("model", ["claude-opus-5", "claude-opus-5-20260401", "glm-5.3"])
def test_a_model_of_the_same_abilities_changes_no_other_byte(model):
    rendered = FORMAT.rewrite_request(ODD, LINE, model, "anthropic")
    assert rendered.body == ODD.replace(b"claude-opus-5", model.encode())
    assert rendered.path == "/v1/messages?beta=true"
    assert rendered.losses == ()


SETTINGS = [
    {},
    {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}},
    {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
    {"thinking": {"type": "between_tools"}},
    {"temperature": 0.5, "top_k": 3},
    {"tools": [TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    {"max_tokens": 128_000},
    {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object",
     "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}}}},
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: ",".join(settings) or "none")
def test_what_one_claude_takes_is_made_such_that_any_other_does(settings):
    fitting = 0
    for asked, given in product(CLAUDE_MODELS, repeat=2):
        body = {
            "model": asked,
            "max_tokens": 4000,
            "messages": [{"role": "user", "content": "hi"}],
            **settings,
        }
        try:
            check_messages_request(body, VERSION, b"")
        except Refusal:
            continue
        rewritten, _ = rewrite(given, **body)
        check_messages_request(rewritten, VERSION, b"")
        fitting += 1
    assert fitting >= len(CLAUDE_MODELS)


def test_a_budget_becomes_an_effort_and_the_rest_of_the_setting_stays():
    body, losses = rewrite(
        "claude-sonnet-5-5",
        model="claude-haiku-4-5",
        thinking={"type": "enabled", "budget_tokens": 8000, "display": "omitted"},
        output_config={"task_budget": {"total": 9}},
    )
    assert body["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert body["output_config"] == {"task_budget": {"total": 9}, "effort": "medium"}
    assert losses == ["thinking.budget_tokens"]


def test_a_budget_is_not_set_amid_a_tool_loop_without_thoughts():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    body, losses = rewrite(
        "claude-haiku-4-5",
        model="claude-opus-5-5",
        thinking={"type": "adaptive"},
        context_management={"edits": [{"type": "clear_thinking_20251015"}]},
        tools=[TOOL],
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
        ],
    )
    assert not {"thinking", "context_management", "output_config"} & body.keys()
    assert losses == ["thinking", "context_management"]


@pytest.mark.parametrize(
    ("limit", "thinking"),
    [(9000, {"type": "enabled", "budget_tokens": 4500}), (2000, None)],
)
def test_a_budget_stays_below_the_limit_of_the_answer(limit, thinking):
    body, _ = rewrite(
        "claude-opus-4-5",
        model="claude-opus-5",
        max_tokens=limit,
        thinking={"type": "adaptive"},
        output_config={"effort": "max"},
    )
    assert body.get("thinking") == thinking
    assert body["max_tokens"] == limit


def test_late_system_messages_move_into_the_users_turn():
    late = [{**PROMPT, "text": "Now."}, {"type": "text", "text": " "}]
    body, losses = rewrite(
        "claude-sonnet-5",
        model="claude-opus-5",
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "system", "content": late, "output_config": {"effort": "low"}},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "go"},
            {"role": "system", "content": "Then."},
        ],
    )
    assert [message["role"] for message in body["messages"]] == [
        "user", "user", "assistant", "user", "user"
    ]  # fmt: skip
    (block,) = body["messages"][1]["content"]
    assert block == {**PROMPT, "text": "<system>\nNow.\n</system>"}
    assert losses == ["messages.role"]


@pytest.mark.parametrize("dialect", ["zai", "office-gateway"])
def test_what_is_for_anthropics_accounts_goes_to_nobody_else(dialect):
    """It differs in every call, so it would spoil every other provider's prompt cache."""
    fields = {"model": "claude-opus-5", "system": [BILLING, PROMPT]}
    kept, _ = rewrite("claude-opus-5", **fields)
    assert kept["system"] == [BILLING, PROMPT]
    body, losses = rewrite("glm-5.3", dialect, **fields)
    assert body["system"] == [PROMPT]
    assert losses == ["system.x-anthropic-billing-header"]
    body, _ = rewrite("glm-5.3", dialect, **{**fields, "system": [BILLING]})
    assert "system" not in body


def test_nor_does_it_reach_the_prompt_of_another_format():
    body = {"model": "m", "max_tokens": 9, "messages": [], "system": [BILLING, PROMPT]}
    request = FORMAT.parse_request(json.dumps(body).encode(), LINE)
    (message,) = request.system
    assert message.parts[0].text == "Be kind."
    assert [extra.field for extra in request.extras] == ["system.x-anthropic-billing-header"]
