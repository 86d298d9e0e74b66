"""Realtime: a socket over which items and responses go, and what leads to one by HTTP.

Pages followed: https://platform.openai.com/docs/api-reference/realtime and
https://platform.openai.com/docs/api-reference/realtime-server-events.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from addon.embedded.connection import ReceivedRequest
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, checked, error_body
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.other_endpoints.forms import read_form
from addon.embedded.other_endpoints.realtime_shapes import CALL, CLIENT_SECRET, EVENT
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import Content, pieces, script_of
from addon.embedded.socket import check_handshake
from addon.wire.codec import decode_object

type Event = dict[str, Any]

_LARGEST_FORM = 1024 * 1024
_SECONDS = 600
_SHORTEST_AUDIO = 4800
"""Bytes of a tenth of a second."""


def connect(request: ReceivedRequest, _: Sequence[str], turn: int) -> RealtimeSession:
    """Answer `GET /v1/realtime`.

    Raises:
        Refusal: It is no handshake, or names no model.
    """
    check_handshake(request)
    model = parse_qs(request.query).get("model", [""])[0]
    if not model:
        raise Refusal("You must provide a model parameter.", param="model", code="missing_model")
    check_model(model, "realtime")
    return RealtimeSession(model, turn)


def make_secret(request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
    """Answer `POST /v1/realtime/client_secrets`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_json(request), CLIENT_SECRET)
    session = {"type": "realtime", "model": "gpt-realtime", **body.get("session", {})}
    check_model(session["model"], "realtime")
    seconds = body.get("expires_after", {}).get("seconds", _SECONDS)
    return {
        "value": unique_name("ek_", turn),
        "expires_at": CREATED + seconds,
        "session": {**session, "id": unique_name("sess_", turn), "object": "realtime.session"},
    }


def call(request: ReceivedRequest, _: Sequence[str], turn: int) -> Content:
    """Answer `POST /v1/realtime/calls` with what the other side of a call says of itself.

    Raises:
        Refusal: It is ill-formed.
    """
    form = checked(read_form(request, _LARGEST_FORM, ["session"]), CALL)
    if not form["sdp"].startswith("v=0"):
        raise Refusal("Invalid SDP offer.", param="sdp")
    check_model(form.get("session", {}).get("model", "gpt-realtime"), "realtime")
    return Content(b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n", "application/sdp")


class RealtimeSession:
    """One socket: the items said so far, and what comes of the next event."""

    def __init__(self, model: str, turn: int) -> None:
        self._turn = turn
        self._numbers = count(1)
        self._items: dict[str, Event] = {}
        self._audio = b""
        self._session: Event = {
            "type": "realtime",
            "object": "realtime.session",
            "id": unique_name("sess_", turn),
            "model": model,
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
        }

    def opening(self) -> Event:
        """Say what session has begun."""
        return self._event("session.created", session=self._session)

    def answer(self, message: bytes) -> Iterator[Event]:
        """Yield the events that a client's event leads to: an `error` where it is ill-formed."""
        said = decode_object(message)
        try:
            if said is None:
                raise Refusal("The event is not a JSON object.", code="invalid_json")
            yield from self._obey(checked(said, EVENT))
        except Refusal as refusal:
            error = error_body(refusal)["error"]
            error["event_id"] = (said or {}).get("event_id")
            yield self._event("error", error=error)

    def _obey(self, event: Event) -> Iterator[Event]:
        match event["type"]:
            case "session.update":
                self._update(event["session"])
                yield self._event("session.updated", session=self._session)
            case "input_audio_buffer.append":
                self._audio += _decoded(event["audio"])
            case "input_audio_buffer.clear":
                self._audio = b""
                yield self._event("input_audio_buffer.cleared")
            case "input_audio_buffer.commit":
                yield from self._commit()
            case "conversation.item.create":
                yield from self._add(event["item"])
            case "conversation.item.delete":
                name = event["item_id"]
                if self._items.pop(name, None) is None:
                    raise Refusal(f"Item with item_id not found: {name}", code="item_not_found")
                yield self._event("conversation.item.deleted", item_id=name)
            case "response.cancel":
                raise Refusal(
                    "Cancellation failed: no active response found",
                    code="response_cancel_not_active",
                )
            case _:
                yield from self._respond(event.get("response", {}))

    def _update(self, session: Event) -> None:
        named = session.get("model", self._session["model"])
        if named != self._session["model"]:
            raise Refusal("Cannot update a session's model.", param="session.model")
        if session["type"] != self._session["type"]:
            raise Refusal("Cannot update a session's type.", param="session.type")
        self._session = {**self._session, **session}

    def _commit(self) -> Iterator[Event]:
        if len(self._audio) < _SHORTEST_AUDIO:
            raise Refusal(
                "Error committing input audio buffer: buffer too small.",
                code="input_audio_buffer_commit_empty",
            )
        self._audio = b""
        part = {"type": "input_audio", "audio": None, "transcript": None}
        item = {"type": "message", "role": "user", "content": [part]}
        added = [*self._add(item)]
        name = added[0]["item"]["id"]
        yield self._event("input_audio_buffer.committed", item_id=name, previous_item_id=None)
        yield from added

    def _add(self, item: Event) -> Iterator[Event]:
        name = item.get("id") or self._name("item_")
        if name in self._items:
            raise Refusal(f"Item with item_id already exists: {name}", param="item.id")
        previous = next(reversed(self._items), None)
        kept = {"id": name, "object": "realtime.item", "status": "completed", **item}
        self._items[name] = kept
        yield self._event("conversation.item.added", previous_item_id=previous, item=kept)
        yield self._event("conversation.item.done", previous_item_id=previous, item=kept)

    def _respond(self, wanted: Event) -> Iterator[Event]:
        modality = (wanted.get("output_modalities") or self._session["output_modalities"])[0]
        script = script_of(self._last_words())
        kind = "output_text" if modality == "text" else "output_audio_transcript"
        field = "text" if modality == "text" else "transcript"
        part_type = "text" if modality == "text" else "audio"
        response: Event = {
            "object": "realtime.response",
            "id": self._name("resp_"),
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "output_modalities": [modality],
            "metadata": wanted.get("metadata"),
            "usage": None,
        }
        item: Event = {
            "id": self._name("item_"),
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        within = {"response_id": response["id"], "output_index": 0}
        place = {**within, "item_id": item["id"], "content_index": 0}
        yield self._event("response.created", response=response)
        yield self._event("response.output_item.added", **within, item=item)
        part = {"type": part_type, field: ""}
        yield self._event("response.content_part.added", **place, part=part)
        for piece in pieces(script.text, script.directives.events):
            yield self._event(f"response.{kind}.delta", **place, delta=piece)
            if modality == "audio":
                sound = base64.b64encode(piece.encode()).decode()
                yield self._event("response.output_audio.delta", **place, delta=sound)
        yield self._event(f"response.{kind}.done", **place, **{field: script.text})
        if modality == "audio":
            yield self._event("response.output_audio.done", **place)
        part = {**part, field: script.text}
        yield self._event("response.content_part.done", **place, part=part)
        content = [{"type": f"output_{part_type}", field: script.text}]
        item = {**item, "status": "completed", "content": content}
        self._items[item["id"]] = item
        yield self._event("response.output_item.done", **within, item=item)
        asked, said = estimate_tokens([*self._items.values()]), script.output_tokens
        usage = {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}
        done = {**response, "status": "completed", "output": [item], "usage": usage}
        yield self._event("response.done", response=done)

    def _last_words(self) -> str:
        for item in reversed(self._items.values()):
            if item.get("role") == "user":
                return " ".join(part.get("text", "") for part in item["content"])
        return ""

    def _event(self, kind: str, **fields: object) -> Event:
        return {"type": kind, "event_id": self._name("event_"), **fields}

    def _name(self, prefix: str) -> str:
        return unique_name(prefix, self._turn, next(self._numbers))


def _decoded(audio: str) -> bytes:
    try:
        return base64.b64decode(audio, validate=True)
    except ValueError as error:
        raise Refusal(
            "Invalid 'audio'. Expected base64-encoded audio bytes.",
            param="audio",
            code="invalid_value",
        ) from error
