import json

import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import (
    CacheBreakpoint,
    ClientRequestError,
    CodeExecutionTool,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    LogprobsConfig,
    Message,
    NativePart,
    OpaqueState,
    ReasoningConfig,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolGrammar,
    ToolResultPart,
    UnsupportedFeature,
    UrlMedia,
    WebSearchTool,
)

FORMAT = FORMATS["openai-responses"]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def parse(**fields):
    body = {"model": "gpt-6", "input": "hi", **fields}
    return FORMAT.parse_request(json.dumps(body).encode(), RequestLine())


def messages(*items):
    return parse(input=list(items)).messages


def test_a_string_is_a_message_of_the_user():
    request = parse(instructions="Be brief.")
    assert request.messages == (Message("user", (TextPart("hi"),)),)
    assert request.system == (SystemMessage((TextPart("Be brief."),)),)


def test_messages_need_no_type_and_take_strings_or_parts():
    request = parse(
        input=[
            {"role": "developer", "content": "context"},
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {
                "type": "message",
                "role": "assistant",
                "id": "m",
                "content": [
                    {"type": "output_text", "text": "b", "annotations": []},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {"role": "system", "content": "late"},
        ]
    )
    assert request.system == (SystemMessage((TextPart("context"),), "developer"),)
    assert request.messages == (
        Message("user", (TextPart("a"),)),
        Message("assistant", (TextPart("b"), RefusalPart("no"))),
        Message("system", (TextPart("late"),)),
    )


def test_thoughts_words_and_calls_of_one_turn_are_one_message():
    found = messages(
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAA",
        },
        {"type": "message", "role": "assistant", "content": "so"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** x"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [
                {"type": "input_text", "text": "2"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                {
                    "type": "input_file",
                    "file_data": "data:application/pdf;base64,JVBE",
                    "filename": "a.pdf",
                },
            ],
        },
    )
    assert found == (
        Message("assistant", (
            ReasoningPart("hm", OpaqueState("openai-responses", "gAAA")),
            TextPart("so"),
            ToolCallPart("c1", "f", "{}"),
            ToolCallPart("c2", "patch", "*** x", kind="custom"),
        )),
        Message("tool", (
            ToolResultPart("c1", (TextPart("1"),)),
            ToolResultPart("c2", (
                TextPart("2"),
                ImagePart(InlineMedia("image/png", "AAAA")),
                FilePart(InlineMedia("application/pdf", "JVBE"), "a.pdf"),
            )),
        )),
    )  # fmt: skip


def test_raw_thoughts_are_preferred_to_their_summary():
    (message,) = messages(
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "short"}],
         "content": [{"type": "reasoning_text", "text": "a"},
                     {"type": "reasoning_text", "text": "b"}], "encrypted_content": None}
    )  # fmt: skip
    assert message.parts == (ReasoningPart("a\n\nb"),)


def test_media_of_the_user():
    (message,) = messages(
        {"role": "user", "content": [
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            {"type": "input_image", "file_id": "file-1"},
            {"type": "input_file", "file_url": "https://x/y.pdf"},
            {"type": "input_file", "file_id": "file-2", "filename": None},
            {"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ]}
    )  # fmt: skip
    assert message.parts == (
        ImagePart(UrlMedia("https://x/y.png"), "low"),
        ImagePart(FileReference("openai-responses", "file-1")),
        FilePart(UrlMedia("https://x/y.pdf")),
        FilePart(FileReference("openai-responses", "file-2")),
        TextPart("t", cache_breakpoint=CacheBreakpoint()),
    )


def test_built_in_tools_of_the_agent_become_functions():
    action = {"type": "exec", "command": ["ls"], "env": {}}
    found = messages(
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": action,
         "status": "completed"},
        {"type": "local_shell_call_output", "id": "lsh_1", "output": "a.txt"},
        {"type": "shell_call", "call_id": "c2", "action": {"commands": ["pwd"]}},
        {"type": "shell_call_output", "call_id": "c2", "output": [
            {"stdout": "/", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
        {"type": "apply_patch_call", "call_id": "c3", "status": "completed",
         "operation": {"type": "delete_file", "path": "a"}},
        {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed"},
    )  # fmt: skip
    calls = [message.parts[0] for message in found[::2]]
    results = [message.parts[0] for message in found[1::2]]
    assert [(call.call_id, call.name, json.loads(call.arguments)) for call in calls] == [
        ("c1", "local_shell", {"command": ["ls"], "env": {}}),
        ("c2", "shell", {"commands": ["pwd"]}),
        ("c3", "apply_patch", {"operation": {"type": "delete_file", "path": "a"}}),
    ]
    assert [result.call_id for result in results] == ["c1", "c2", "c3"]
    assert results[0].content == (TextPart("a.txt"),)
    assert '"exit_code":0' in results[1].content[0].text
    assert results[2].is_error


@pytest.mark.parametrize(
    "kind",
    ["web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools",
     "image_generation_call", "computer_call", "program", "something_new"],
)  # fmt: skip
def test_work_of_a_provider_stays_native(kind):
    item = {"type": kind, "id": "x", "status": "completed"}
    (message,) = messages(item)
    assert message == Message("assistant", (NativePart("openai-responses", kind, item),))


@pytest.mark.parametrize("kind", ["item_reference", "compaction", "compaction_trigger"])
def test_what_only_openai_holds_is_refused_by_name(kind):
    request = parse(input=[{"role": "user", "content": "x"}, {"type": kind, "id": "x"}])
    for target, model in (("anthropic", "claude-opus-5-5"), ("openai-chat", "gpt-4.1")):
        with pytest.raises(UnsupportedFeature) as refusal:
            FORMATS[target].render_request(request, model, "openai")
        assert refusal.value.feature == kind


@pytest.mark.parametrize("field", ["conversation", "prompt", "background"])
def test_stateful_parameters_are_refused_by_name(field):
    request = parse(**{field: True if field == "background" else {"id": "x"}})
    with pytest.raises(UnsupportedFeature) as refusal:
        FORMATS["anthropic"].render_request(request, "claude-opus-5-5", "anthropic")
    assert refusal.value.feature == field


def test_an_unknown_previous_response_is_refused_in_openais_words():
    with pytest.raises(ClientRequestError) as refusal:
        parse(previous_response_id="resp_1")
    error = json.loads(FORMAT.render_error(refusal.value.to_error_info()).body)["error"]
    assert error == {
        "message": "Previous response with id 'resp_1' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }


def test_tools_of_every_kind():
    request = parse(
        tools=[
            {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA,
             "strict": True},
            {"type": "custom", "name": "p", "format": {
                "type": "grammar", "syntax": "lark", "definition": "start: x"}},
            {"type": "namespace", "name": "crm", "description": "", "tools": [
                {"type": "function", "name": "find", "parameters": SCHEMA, "strict": False}]},
            {"type": "web_search", "search_context_size": "low",
             "filters": {"allowed_domains": ["a.b"]},
             "user_location": {"type": "approximate", "city": "Bern"}},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "tool_search", "execution": "client", "description": "find",
             "parameters": SCHEMA},
        ],
        input=[
            {"type": "additional_tools", "role": "developer", "tools": [
                {"type": "function", "name": "late", "parameters": None}]},
            {"role": "user", "content": "x"},
        ],
    )  # fmt: skip
    assert request.tools == (
        Tool("f", "d", SCHEMA, True),
        Tool("p", kind="custom", grammar=ToolGrammar("lark", "start: x")),
        Tool("crm__find", None, SCHEMA, False),
        WebSearchTool("low", ("a.b",), city="Bern"),
        CodeExecutionTool(),
        Tool("tool_search", "find", SCHEMA),
        Tool("late"),
    )


def test_tools_found_by_a_search_are_offered_from_then_on():
    request = parse(
        input=[
            {"type": "tool_search_call", "call_id": "c", "execution": "client",
             "arguments": {"query": "mail"}},
            {"type": "tool_search_output", "call_id": "c", "execution": "client", "tools": [
                {"type": "namespace", "name": "mail", "tools": [
                    {"type": "function", "name": "send", "parameters": SCHEMA}]}]},
        ]
    )  # fmt: skip
    assert [tool.name for tool in request.tools] == ["mail__send"]
    assert request.messages[0].parts == (ToolCallPart("c", "tool_search", '{"query":"mail"}'),)
    assert request.messages[1].parts[0].call_id == "c"


def test_a_long_namespace_gives_a_legal_name_that_is_always_the_same():
    tool = {"type": "function", "name": "n" * 60, "parameters": SCHEMA}
    spaces = [{"type": "namespace", "name": name, "tools": [tool]} for name in ("aaaa", "bbbb")]
    names = [tool.name for tool in parse(tools=spaces).tools]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)
    call = {"type": "function_call", "namespace": "aaaa", "name": "n" * 60, "call_id": "c",
            "arguments": "{}"}  # fmt: skip
    assert messages(call)[0].parts[0].name == names[0]


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("tool", "f")),
        ({"type": "custom", "name": "p"}, ToolChoice("tool", "p")),
        ({"type": "shell"}, ToolChoice("tool", "shell")),
        ({"type": "web_search"}, ToolChoice("tool", "web_search")),
        ({"type": "code_interpreter"}, ToolChoice("tool", "code_execution")),
        ({"type": "file_search"}, None),
        (
            {"type": "allowed_tools", "mode": "required",
             "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("required", allowed=("f",)),
        ),
    ],
)  # fmt: skip
def test_tool_choice(wire, choice):
    assert parse(tool_choice=wire).tool_choice == choice


def test_parameters():
    request = parse(
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "high", "format": {"type": "json_schema", "name": "n",
                                              "schema": SCHEMA, "strict": True}},
        max_output_tokens=7, temperature=0.5, top_p=0.9, parallel_tool_calls=False,
        service_tier="flex", safety_identifier="u", prompt_cache_retention="24h",
        top_logprobs=2, include=["reasoning.encrypted_content", "file_search_call.results"],
        metadata={"a": "b"}, store=False, truncation="disabled", stream=True,
        prompt_cache_key="k", user=None,
    )  # fmt: skip
    assert request.reasoning == ReasoningConfig(effort="low", visible=True)
    assert request.response_format == ResponseFormat("json_schema", "n", SCHEMA, True)
    assert request.verbosity == "high"
    assert (request.max_output_tokens, request.parallel_tool_calls) == (7, False)
    assert (request.sampling.temperature, request.sampling.top_p) == (0.5, 0.9)
    assert (request.service_tier, request.user_id, request.cache_ttl) == ("flex", "u", "1h")
    assert request.logprobs == LogprobsConfig(2)
    assert request.stream
    assert [extra.field for extra in request.extras] == [
        "prompt_cache_key", "include.file_search_call.results"]  # fmt: skip


def test_the_last_configuration_update_holds():
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    request = parse(reasoning={"effort": "low"}, input=[update, {"role": "user", "content": "x"}])
    assert request.reasoning == ReasoningConfig(effort="high")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"content": "x"}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]},
         "input[0].call_id"),
        ({"input": [{"type": "function_call", "name": "f", "call_id": "c", "arguments": {}}]},
         "input[0].arguments"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tool_choice": "never"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
         "tool_choice.tools"),
        ({"reasoning": {"effort": "wild"}}, "reasoning.effort"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"text": {"format": {}}}, "text.format.type"),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_their_place(fields, param):
    with pytest.raises(ClientRequestError) as mistake:
        parse(**fields)
    assert mistake.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(ClientRequestError):
        FORMAT.parse_request(body, RequestLine())
