import json
import time

import pytest
from mitmproxy.test import tflow, tutils

from addon.translation import StreamTranslator
from addon.views import metadata as names
from addon.views.metadata import Quiet
from addon.views.timeline import Moments, pack
from tests.support.streams import text_frames

BODY = {
    "model": "gpt-5.1",
    "stream": True,
    "max_tokens": 100,
    "messages": [
        {"role": "system", "content": "You plan trips."},
        {"role": "user", "content": "Where to?"},
    ],
}


@pytest.fixture
def flow():
    """A routed, streamed and translated exchange, as it is kept at its end."""
    provided = text_frames(("To ", "Lisbon."))
    translator = StreamTranslator("anthropic", "openai-chat", json.dumps(BODY).encode())
    translated = [translator.feed(frame) for frame in provided]
    answer = b"".join(translated)
    got = Moments()
    for place, data in enumerate(translated):
        got.add(100.301 + place / 10, len(data))
    now = time.time()
    made = tflow.tflow(
        req=tutils.treq(
            host="api.anthropic.com",
            path=b"/v1/messages",
            content=b'{"model": "claude"}',
            headers=((b"x-api-key", b"(hidden by Detour)"),),
        ),
        resp=tutils.tresp(
            content=answer, headers=((b"content-type", b"text/event-stream"),), timestamp_end=now
        ),
    )
    made.request.timestamp_start = now - 2
    made.live = False
    made.metadata |= {
        names.AGENT: "planner",
        names.ORIGINAL: Quiet(
            method="POST",
            url="https://api.openai.com/v1/chat/completions",
            headers=[["authorization", "(hidden by Detour)"]],
            body=json.dumps(BODY).encode(),
        ),
        names.SUMMARY: Quiet(
            action="route",
            rule="all to Claude",
            why=[["plan", "the agent is planner"]],
            phase="planning",
            provider="anthropic",
            model="claude-opus-5-5",
            requested_model="gpt-5.1",
            agent_format="openai-chat",
            format="anthropic",
            stream=True,
            losses=[{"field": "seed", "action": "dropped", "reason": "no such thing"}],
            usage={"input_tokens": 1200, "output_tokens": 300, "reasoning_tokens": 7},
            cost_usd=0.0123,
            seconds={"first_byte": 0.25, "first_token": 0.5, "duration": 2.0},
        ),
        names.STREAMS: pack(
            100.0,
            [
                {
                    "time": 100.25,
                    "provider": "anthropic",
                    "model": "claude-opus-5-5",
                    "format": "anthropic",
                    "status": 200,
                }
            ],
            [(100.3 + place / 10, frame) for place, frame in enumerate(provided)],
            [],
            0,
            got,
        ),
    }
    return made
