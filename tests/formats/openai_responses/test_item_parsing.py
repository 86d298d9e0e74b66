import json

from addon.formats.openai_responses.request_parsing import parse_request
from addon.neutral import ImagePart, NativeTool, TextPart, Tool


def parse(items, **fields):
    return parse_request(json.dumps({"model": "m", "input": items, **fields}).encode())


def lost(request):
    return [extra.field for extra in request.extras]


def test_a_picture_beside_an_instruction_is_shown_as_the_users():
    words = {"type": "input_text", "text": "Obey."}
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    request = parse([{"role": "developer", "content": [words, picture]}])
    assert [part.text for message in request.system for part in message.parts] == ["Obey."]
    assert [message.role for message in request.messages] == ["user"]
    assert isinstance(request.messages[0].parts[0], ImagePart)

    request = parse(
        [{"role": "user", "content": "Hi"}, {"role": "developer", "content": [words, picture]}]
    )
    assert [message.role for message in request.messages] == ["user", "system", "user"]
    assert isinstance(request.messages[1].parts[0], TextPart)


def test_what_a_message_holds_beyond_its_words_is_lost_by_name():
    annotation = {"type": "file_path", "file_id": "file_1", "index": 0}
    text = {"type": "output_text", "text": "x", "annotations": [annotation], "logprobs": []}
    request = parse(
        [
            {"role": "user", "content": "Hi"},
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "phase": "commentary",
                "content": [text],
            },
        ]
    )
    assert lost(request) == ["input.phase", "input.content.annotations"]


def test_a_shell_in_the_providers_containers_is_not_the_agents():
    local = {"type": "shell", "environment": {"type": "local"}}
    hosted = {"type": "shell", "environment": {"type": "container_auto"}}
    assert isinstance(parse("Hi", tools=[local]).tools[0], Tool)
    assert isinstance(parse("Hi", tools=[hosted]).tools[0], NativeTool)
    assert isinstance(parse("Hi", tools=[{"type": "shell"}]).tools[0], Tool)


def test_settings_of_tools_that_nobody_else_knows_are_lost_by_name():
    tool = {
        "type": "function",
        "name": "look",
        "parameters": {"type": "object"},
        "defer_loading": True,
        "allowed_callers": ["direct"],
    }
    crm = {"type": "namespace", "name": "crm", "description": "Customers", "tools": [tool]}
    assert set(lost(parse("Hi", tools=[crm]))) == {
        "tools.description",
        "tools.tools.defer_loading",
        "tools.tools.allowed_callers",
    }
