"""Read from an agent's request what its answer must look like; never complain."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from addon.formats.base import Reply
from addon.formats.openai_responses.tool_names import Route
from addon.formats.openai_responses.tool_parsing import ToolBox
from addon.neutral import ClientRequestError
from addon.wire.opened_body import encoded_member, glance
from addon.wire.reading import mapping, sequence, text
from addon.wire.readings import NotJson
from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

_EXTENSION = "openai-responses"

_ECHOED: dict[str, Any] = {
    "background": False,
    "conversation": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What a response repeats of its request, and what it says when the request did not.

The tools are left out: they are long, and no client reads them from the answer.
"""


_SHAPING = (*_ECHOED, "client_metadata", "model", "stream")


class Wishes(msgspec.Struct, frozen=True):
    """What only this format's encoder needs to know of the request."""

    routes: Mapping[str, Route] = {}
    """How calls of each tool are told, by the flat name that the provider knows."""
    echo: Mapping[str, Any] = msgspec.field(default_factory=lambda: _ECHOED)
    refusal_as_text: bool = False
    """Whether a refusal is told as plain text, for Codex, which drops messages that hold one."""
    response_id: str = ""
    """What the response is called; empty: as the provider calls its answer."""


def read_reply(body: bytes, created: int) -> Reply:
    """Read what shapes the answer."""
    wire = glance(body, _SHAPING)
    routes = _routes(body)
    echo = {
        key: value if (value := wire.get(key)) is not None else default
        for key, default in _ECHOED.items()
    }
    if isinstance(echo["conversation"], str):
        echo["conversation"] = {"id": echo["conversation"]}
    if echo["service_tier"] == "auto":
        echo["service_tier"] = "default"
    client = mapping(wire.get("client_metadata"))
    wishes = Wishes(routes, echo, any(key.startswith("x-codex-") for key in client))
    wish = mapping(mapping(wire.get("text")).get("format"))
    return Reply(
        model=text(wire.get("model")) or None,
        created=created,
        custom_tools=frozenset(name for name, route in routes.items() if route.kind == "custom"),
        stream=wire.get("stream") is True,
        json_answer=wish.get("type") in ("json_schema", "json_object"),
        extensions={_EXTENSION: wishes},
    )


def with_state(reply: Reply, response_id: str, stated: Mapping[str, Any]) -> Reply:
    """Name the response, and let it repeat what was said of state.

    Args:
        reply: What shapes the answer.
        response_id: The id of the response.
        stated: Parameters that were taken out of the request before `reply` was read from it.
    """
    wishes = wishes_of(reply)
    wishes = msgspec.structs.replace(
        wishes, response_id=response_id, echo={**wishes.echo, **stated}
    )
    return msgspec.structs.replace(reply, extensions={**reply.extensions, _EXTENSION: wishes})


def wishes_of(reply: Reply) -> Wishes:
    """Return what `read_reply` put aside, or defaults for a reply made elsewhere."""
    wishes = reply.extensions.get(_EXTENSION)
    return wishes if isinstance(wishes, Wishes) else Wishes()


def _routes(body: bytes) -> dict[str, Route]:
    tools = ToolBox()
    _add_declared(tools, body)
    if body.count(b'"tools"') > 1:  # items may offer some as well
        for item in map(mapping, sequence(glance(body, ("input",)).get("input"))):
            if sequence(item.get("tools")):
                with suppress(ClientRequestError):
                    tools.add_all(Fields(item))
    return tools.routes


def _add_declared(tools: ToolBox, body: bytes) -> None:
    declared = encoded_member(body, "tools")
    if declared[:1] == b"[":
        with suppress(ClientRequestError, NotJson):
            tools.add_encoded(declared, Unread())
            return
    with suppress(ClientRequestError):  # up to the first that makes no sense
        tools.add_all(Fields(glance(body, ("tools",))))
