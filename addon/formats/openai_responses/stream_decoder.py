"""Read a stream of `POST /v1/responses`: from server-sent events to the hub's events.

Follows https://platform.openai.com/docs/api-reference/responses-streaming. Providers leave out what
that page promises: sequence numbers, beginnings, deltas, or everything but the last event; Copilot
names an item anew in each event. So items are told apart by their place, and every later event may
fill what an earlier one left open.
"""

from __future__ import annotations

from typing import override

from addon.formats.openai_responses.answer_reader import AnswerReader, Wire
from addon.formats.openai_responses.errors import find_error_object, parse_failure
from addon.neutral import Event, Loss
from addon.wire.answer_decoder import TypedEventDecoder
from addon.wire.reading import integer, mapping, text

_QUIET = frozenset((
    "keepalive", "ping", "response.content_part.added", "response.output_text.done",
    "response.queued", "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done", "response.reasoning_summary_text.done",
    "response.reasoning_text.done", "response.refusal.done",
))  # fmt: skip
"""Events whose news comes with another one."""
_HOSTED = (
    "response.web_search_call", "response.file_search_call", "response.code_interpreter_call",
    "response.image_generation_call", "response.mcp_", "response.shell_call",
    "response.apply_patch_call", "response.compaction", "response.computer_call",
)  # fmt: skip
"""Events of items that are listed as lost already."""


class ResponsesDecoder(TypedEventDecoder):
    """Reads one stream."""

    def __init__(self) -> None:
        self._reader = AnswerReader()
        super().__init__(self._reader.losses)
        self._places: dict[str, int] = {}
        self._last_place = 0
        self._handlers = {
            "response.output_text.delta": self._on_text,
            "response.function_call_arguments.delta": self._on_arguments,
            "response.custom_tool_call_input.delta": self._on_arguments,
            "response.reasoning_summary_text.delta": self._on_summary,
            "response.reasoning_text.delta": self._on_thought,
            "response.refusal.delta": self._on_refusal,
            "response.function_call_arguments.done": self._on_arguments_done,
            "response.custom_tool_call_input.done": self._on_arguments_done,
            "response.output_text.annotation.added": self._on_annotation,
            "response.content_part.done": self._on_part_done,
            "response.output_item.added": self._on_item_added,
            "response.output_item.done": self._on_item_done,
            "response.created": self._on_created,
            "response.in_progress": self._on_created,
            "response.completed": self._on_completed,
            "response.done": self._on_completed,
            "response.incomplete": self._on_incomplete,
            "response.failed": self._on_failed,
            "error": self._on_failed,
        }

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Items and events that have no counterpart in the hub."""
        return self._losses.to_tuple()

    @override
    def _take_other(self, kind: str, wire: Wire) -> list[Event]:
        if kind in _QUIET or kind.startswith(_HOSTED):
            return []
        error = None if kind.startswith("response.") else find_error_object(wire)
        return self._fail(error) if error is not None else super()._take_other(kind, wire)

    def _place(self, wire: Wire) -> int:
        """Find the place of the item that an event is about."""
        place = wire.get("output_index")
        if type(place) is int:
            return place
        return self._places.get(text(wire.get("item_id")), self._last_place)

    def _on_text(self, wire: Wire) -> list[Event]:
        piece = integer(wire.get("content_index")) or 0
        return self._reader.say(self._place(wire), piece, text(wire.get("delta")), "text")

    def _on_refusal(self, wire: Wire) -> list[Event]:
        piece = integer(wire.get("content_index")) or 0
        return self._reader.say(self._place(wire), piece, text(wire.get("delta")), "refusal")

    def _on_arguments(self, wire: Wire) -> list[Event]:
        return self._reader.argue(self._place(wire), text(wire.get("delta")))

    def _on_summary(self, wire: Wire) -> list[Event]:
        section = integer(wire.get("summary_index")) or 0
        return self._reader.think(self._place(wire), "summary", section, text(wire.get("delta")))

    def _on_thought(self, wire: Wire) -> list[Event]:
        section = integer(wire.get("content_index")) or 0
        return self._reader.think(self._place(wire), "content", section, text(wire.get("delta")))

    def _on_arguments_done(self, wire: Wire) -> list[Event]:
        whole = text(wire.get("arguments")) or text(wire.get("input"))
        return self._reader.end_arguments(self._place(wire), whole)

    def _on_annotation(self, wire: Wire) -> list[Event]:
        piece = integer(wire.get("content_index")) or 0
        return self._reader.cite(self._place(wire), piece, wire.get("annotation"))

    def _on_part_done(self, wire: Wire) -> list[Event]:
        part = mapping(wire.get("part"))
        if part.get("type") not in ("output_text", "refusal"):
            return []
        piece = integer(wire.get("content_index")) or 0
        return self._reader.end_piece(self._place(wire), piece, part)

    def _on_item_added(self, wire: Wire) -> list[Event]:
        item = mapping(wire.get("item"))
        place = integer(wire.get("output_index"))
        if place is None:
            place = len(self._places)
        self._last_place = place
        self._places[text(item.get("id"))] = place
        return self._reader.begin_item(place, item)

    def _on_item_done(self, wire: Wire) -> list[Event]:
        item = mapping(wire.get("item"))
        place = integer(wire.get("output_index"))
        if place is None:
            place = self._places.get(text(item.get("id")))
        if place is None:
            return self._on_item_added(wire) + self._reader.end_item(self._last_place, item)
        self._places.setdefault(text(item.get("id")), place)
        return self._reader.end_item(place, item)

    def _on_created(self, wire: Wire) -> list[Event]:
        return self._reader.start(mapping(wire.get("response")))

    def _on_completed(self, wire: Wire) -> list[Event]:
        return self._finish(wire, "completed")

    def _on_incomplete(self, wire: Wire) -> list[Event]:
        return self._finish(wire, "incomplete")

    def _finish(self, wire: Wire, status: str) -> list[Event]:
        self._ended = True
        return self._reader.end(mapping(wire.get("response")), status)

    def _on_failed(self, wire: Wire) -> list[Event]:
        response = mapping(wire.get("response"))
        return self._fail(parse_failure(response or wire))
