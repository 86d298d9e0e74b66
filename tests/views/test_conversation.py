"""What the view "Detour conversation" makes of what was said."""

import base64
import json

from addon.formats.base import RequestLine
from addon.views.conversation import write_request

LINE = RequestLine("/v1/chat/completions")


def written(*messages, **more):
    body = {"model": "gpt-5.1", "messages": list(messages), **more}
    return write_request(json.dumps(body).encode(), "openai-chat", LINE)


def user(content):
    return {"role": "user", "content": content}


def test_tools_are_named_where_they_were_called():
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "ls", "arguments": '{"path": "/", "all": true}'},
    }
    told = written(
        {"role": "system", "content": "Be brief."},
        user("List."),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "bin\netc"},
        max_completion_tokens=2000,
        reasoning_effort="low",
    )
    assert told.splitlines() == [
        "model: gpt-5.1, at most 2,000 tokens, effort low",
        " ",
        "system:",
        "  Be brief.",
        " ",
        "user:",
        "  List.",
        " ",
        "assistant:",
        "  calls ls:  # call_1",
        '    {"path":"/","all":true}',
        " ",
        "tool:",
        "  ls returns:  # call_1",
        "    bin",
        "    etc",
    ]


def test_pictures_are_told_by_their_size():
    data = base64.b64encode(b"x" * 34_000).decode()
    told = written(
        user(
            [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
            ]
        )
    )
    assert "  [picture, image/png, 34.0 kB]" in told
    assert "  [picture, at https://example.com/cat.png]" in told
    assert "xxxx" not in told


def test_long_lines_are_broken_between_words():
    told = written(user("word " * 100))
    assert max(map(len, told.splitlines())) <= 76
    assert told.count("word") == 100


def test_of_a_long_conversation_the_last_messages_are_there():
    told = written(*(user(f"message {number} {'x' * 2000}") for number in range(500)))
    assert "message 0 " in told
    assert "message 499 " in told
    assert "messages left out ...]" in told
    assert len(told) < 250_000


def test_what_cannot_be_read_shows_as_it_is():
    told = write_request(b'{"model": "m", "messages": 7}', "openai-chat", LINE)
    assert told.startswith("# ")
    assert '"messages":7' in told.replace(" ", "")
