"""What a client of the Realtime API may say, transcribed into shapes.

Page followed: https://platform.openai.com/docs/api-reference/realtime-client-events.
"""

from __future__ import annotations

from addon.embedded.shapes import (
    Shape,
    anything,
    boolean,
    each,
    integer,
    mapping,
    nullable,
    one_of,
    record,
    string_or,
    tagged,
    text,
)

_COUNT = string_or(integer(1, 4096), string=one_of("inf"))
_MODALITIES = each(one_of("text", "audio"), least=1, most=1)
_FUNCTION = record(
    {"type": one_of("function"), "name": text(shortest=1)},
    {"description": text(), "parameters": mapping},
)
_SHARED: dict[str, Shape] = {
    "audio": mapping,
    "instructions": text(),
    "max_output_tokens": _COUNT,
    "output_modalities": _MODALITIES,
    "prompt": mapping,
    "tool_choice": string_or(mapping, string=one_of("none", "auto", "required")),
    "tools": each(tagged({"function": _FUNCTION, "mcp": mapping})),
}
SESSION = tagged(
    {
        "realtime": record(
            {"type": text()},
            {
                **_SHARED,
                "include": each(text()),
                "model": text(shortest=1),
                "parallel_tool_calls": boolean,
                "reasoning": mapping,
                "tracing": nullable(anything),
                "truncation": anything,
            },
        ),
        "transcription": record({"type": text()}, {"audio": mapping, "include": each(text())}),
    }
)
CLIENT_SECRET = record(
    {},
    {
        "expires_after": record({}, {"anchor": one_of("created_at"), "seconds": integer(10, 7200)}),
        "session": SESSION,
    },
)
CALL = record({"sdp": text(shortest=1)}, {"session": SESSION})

_TEXT = {"type": text(), "text": text()}
_PARTS = {
    "input_text": record(_TEXT),
    "input_audio": record({"type": text(), "audio": text()}, {"transcript": nullable(text())}),
    "input_image": record({"type": text(), "image_url": text()}, {"detail": text()}),
    "output_text": record(_TEXT),
    "output_audio": record({"type": text()}, {"audio": text(), "transcript": text()}),
}
_KNOWN = {"id": text(), "object": text(), "status": text()}
_ITEM = tagged(
    {
        "message": record(
            {
                "type": text(),
                "role": one_of("user", "assistant", "system"),
                "content": each(tagged(_PARTS), least=1),
            },
            _KNOWN,
        ),
        "function_call": record(
            {"type": text(), "name": text(), "arguments": text()}, {**_KNOWN, "call_id": text()}
        ),
        "function_call_output": record(
            {"type": text(), "call_id": text(), "output": text()}, _KNOWN
        ),
    }
)
_RESPONSE = record(
    {},
    {
        **_SHARED,
        "conversation": one_of("auto", "none"),
        "input": each(anything),
        "metadata": nullable(mapping),
    },
)
_EVENT = {"type": text()}
_WITH_ID = {"event_id": text(longest=512)}
EVENT = tagged(
    {
        "session.update": record({**_EVENT, "session": SESSION}, _WITH_ID),
        "input_audio_buffer.append": record({**_EVENT, "audio": text()}, _WITH_ID),
        "input_audio_buffer.commit": record(_EVENT, _WITH_ID),
        "input_audio_buffer.clear": record(_EVENT, _WITH_ID),
        "conversation.item.create": record(
            {**_EVENT, "item": _ITEM}, {**_WITH_ID, "previous_item_id": nullable(text())}
        ),
        "conversation.item.delete": record({**_EVENT, "item_id": text()}, _WITH_ID),
        "response.create": record(_EVENT, {**_WITH_ID, "response": _RESPONSE}),
        "response.cancel": record(_EVENT, {**_WITH_ID, "response_id": text()}),
    }
)
