"""`POST /v1/responses/compact`, by the model that the rules choose for it."""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from addon.engine import Head
from addon.formats.base import RequestLine
from addon.formats.openai_responses import FORMAT, NAME
from addon.formats.openai_responses.compaction import (
    COMPACT_PATH,
    TRIGGER,
    compacted,
    compaction_events,
    summary_request,
)
from addon.formats.openai_responses.dialects import dialect
from addon.interceptor.following import Items
from addon.interceptor.planning import Incoming, Plan, Route, plan
from addon.interceptor.state import State
from addon.neutral import ClientRequestError, ProviderResponseError
from addon.rules import Rules
from addon.stateful.items import item_id, name_of, shown, split_input
from addon.stateful.responses import new_id
from addon.stateful.turns import read_fields
from addon.wire.codec import decode, decode_object
from addon.wire.reading import mapping

EVENT_STREAM = "text/event-stream; charset=utf-8"
PATH = f"/v1{COMPACT_PATH}"


def plan_compaction(incoming: Incoming, rules: Rules, keep_alive: float, state: State) -> Plan:
    """Say what becomes of a request for compaction: rules look at it as at any other response.

    A provider that compacts by itself gets it as it is; any other is asked for a summary.

    Raises:
        DetourError: It cannot be done.
    """
    turn = state.history.begin(incoming.body)
    fields = read_fields(turn.body)
    items = split_input(fields.get("input", b"null"))
    body = decode_object(turn.body)
    if body is None or not items:
        raise ClientRequestError("Missing required parameter: 'input'.", "input")
    endpoint = msgspec.structs.replace(
        incoming.endpoint, format=NAME, name="responses", line=RequestLine("/v1/responses")
    )
    asked = summary_request(body, map(msgspec.Raw, items))
    asking = msgspec.structs.replace(incoming, endpoint=endpoint, body=asked)
    planned = plan(asking, rules, keep_alive, state.memory)
    if not isinstance(planned, Route):
        return planned
    destination = planned.call.destination
    if (
        destination.format == NAME
        and dialect(destination.provider.dialect).keeps_conversations
        and turn.keepers <= {destination.provider.id}
    ):
        rewritten = FORMAT.rewrite_request(
            incoming.body, incoming.endpoint.line, destination.model, destination.provider.dialect
        )
        planned.call.rendered = msgspec.structs.replace(
            planned.call.rendered,
            url=destination.base_url.rstrip("/") + COMPACT_PATH,
            body=rewritten.body,
        )
        planned.call.body = incoming.body
        return msgspec.structs.replace(planned, original_body=incoming.body)
    identifier = new_id()
    said = [
        shown(item, item_id(item, identifier, position))
        for position, item in enumerate(items)
        if name_of(item).role == "user"
    ]

    def compact(answer: bytes) -> bytes:
        return compacted(answer, said, identifier)

    return msgspec.structs.replace(planned, original_body=incoming.body, transform=compact)


def is_triggered(incoming: Incoming) -> bool:
    """Tell whether a request for a response asks for compaction instead, as Codex does."""
    return incoming.endpoint.name == "responses" and TRIGGER.encode() in incoming.body


def plan_triggered(incoming: Incoming, rules: Rules, keep_alive: float, state: State) -> Plan:
    """Say what becomes of a request whose input ends in a trigger for compaction.

    A provider that compacts by itself gets it as it is; of any other a summary is asked, which the
    agent gets as the one item of a response.

    Raises:
        DetourError: It cannot be done.
    """
    turn = state.history.begin(incoming.body)
    body = decode_object(turn.body)
    items = split_input(read_fields(turn.body).get("input", b"null"))
    kept = [item for item in items if mapping(decode(item)).get("type") != TRIGGER]
    if body is None or len(kept) == len(items) or not kept:
        return plan(incoming, rules, keep_alive, state.memory, state.history)
    asked = summary_request(body, map(msgspec.Raw, kept))
    asking = msgspec.structs.replace(incoming, body=asked)
    planned = plan(asking, rules, keep_alive, state.memory)
    if not isinstance(planned, Route):
        return planned
    provider = planned.call.destination.provider
    if planned.call.destination.format == NAME and dialect(provider.dialect).keeps_conversations:
        return plan(incoming, rules, keep_alive, state.memory, state.history)
    identifier = new_id()

    def compact(answer: bytes) -> bytes:
        return compaction_events(answer, identifier)

    return msgspec.structs.replace(
        planned, original_body=incoming.body, transform=compact, transform_type=EVENT_STREAM
    )


async def transforming(items: Items, route: Route) -> Items:
    """Give the agent what a route makes of the provider's whole answer; errors pass as they are."""
    assert route.transform is not None
    head: Head | None = None
    body = b""
    reword = route.transform_stream if route.call.stream else None
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Head):
                head = item
                if reword is not None and head.status == 200:
                    yield head
            elif reword is not None and head is not None and head.status == 200:
                if piece := reword(item):
                    yield piece
            else:
                body += item
    if head is None or (reword is not None and head.status == 200):
        return
    status, headers = head.status, head.headers
    if status == 200:
        try:
            body = route.transform(body)
        except ProviderResponseError as problem:
            rendered = FORMAT.render_error(problem.to_error_info())
            status, headers, body = rendered.status, rendered.headers, rendered.body
        else:
            if route.transform_type is not None:
                headers = (("content-type", route.transform_type),)
    kept = tuple(pair for pair in headers if pair[0].lower() != "content-length")
    yield Head(status, (*kept, ("content-length", str(len(body)))))
    if body:
        yield body
