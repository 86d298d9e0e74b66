"""Write the items of an answer, each as the events that build it up and as the finished object.

    added (part added, delta*, done, part done)* item done

The finished item stands whole in its last event: agents such as Codex read nothing else. What stays
the same in all deltas of an item is encoded once.
"""

from __future__ import annotations

from typing import Any, Literal

from addon.formats.openai_responses.builtin_tools import builtin_call
from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.tool_names import Route
from addon.neutral import Citation, OpaqueState
from addon.wire.carrier import Carried, mint
from addon.wire.codec import encode
from addon.wire.custom_tools import InputExtractor

type Wire = dict[str, Any]


class Frames:
    """Numbers the events of one stream and puts them into frames."""

    def __init__(self) -> None:
        self._sequence = 0

    def write(self, kind: str, fields: Wire) -> bytes:
        """Write one event."""
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(event))

    def delta(self, head: bytes, words: str, tail: bytes) -> bytes:
        """Write a delta whose unchanging bytes come from `delta_frame`."""
        number = self._sequence
        self._sequence = number + 1
        return b'%b%d,"delta":%b%b' % (head, number, encode(words), tail)


def delta_frame(kind: str, fields: Wire, *, logprobs: bool = False) -> tuple[bytes, bytes]:
    """Return what stands before and behind the number and words of an item's deltas."""
    place = encode({"type": kind, **fields})[:-1]
    head = b"event: %b\ndata: %b" % (kind.encode(), place) + b',"sequence_number":'
    return head, b',"logprobs":[]}\n\n' if logprobs else b"}\n\n"


class MessageWriter:
    """A message that holds one text, or one refusal."""

    def __init__(
        self, frames: Frames, index: int, item_id: str, kind: Literal["text", "refusal"]
    ) -> None:
        self._frames = frames
        self._index = index
        self._id = item_id
        self.kind = kind
        self._pieces: list[str] = []
        self.length = 0
        """Characters written so far."""
        self._annotations: list[Wire] = []
        name = "output_text" if kind == "text" else "refusal"
        self._name = name
        self._place = {"item_id": item_id, "output_index": index, "content_index": 0}
        self._head, self._tail = delta_frame(
            f"response.{name}.delta", self._place, logprobs=kind == "text"
        )

    def begin(self) -> bytes:
        """Announce the item and its one part."""
        write = self._frames.write
        return write(
            "response.output_item.added",
            {"output_index": self._index, "item": self._item("in_progress", [])},
        ) + write("response.content_part.added", {**self._place, "part": self._part("")})

    def delta(self, words: str) -> bytes:
        """Write more words."""
        self._pieces.append(words)
        self.length += len(words)
        return self._frames.delta(self._head, words, self._tail)

    def cite(self, citations: tuple[Citation, ...], begin: int) -> bytes:
        """Name the sources of the words since `begin`."""
        pieces: list[bytes] = []
        for citation in citations:
            start, end = citation.start, citation.end
            annotation = {
                "type": "url_citation",
                "start_index": begin + (start or 0),
                "end_index": self.length if end is None else begin + end,
                "title": citation.title,
                "url": citation.url,
            }
            place = {**self._place, "annotation_index": len(self._annotations)}
            self._annotations.append(annotation)
            fields = {**place, "annotation": annotation}
            pieces.append(self._frames.write("response.output_text.annotation.added", fields))
        return b"".join(pieces)

    def end(self) -> tuple[bytes, Wire]:
        """Complete the item; also return it."""
        words = "".join(self._pieces)
        part = self._part(words)
        item = self._item("completed", [part])
        write = self._frames.write
        said: Wire = {"text": words, "logprobs": []} if self.kind == "text" else {"refusal": words}
        return (
            write(f"response.{self._name}.done", {**self._place, **said})
            + write("response.content_part.done", {**self._place, "part": part})
            + write("response.output_item.done", {"output_index": self._index, "item": item})
        ), item

    def _item(self, status: str, content: list[Wire]) -> Wire:
        return {
            "type": "message",
            "id": self._id,
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _part(self, words: str) -> Wire:
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": words}
        annotations = list(self._annotations)
        return {"type": "output_text", "text": words, "annotations": annotations, "logprobs": []}


class ReasoningWriter:
    """A thought: its words as a summary, its state as encrypted content."""

    def __init__(self, frames: Frames, index: int, item_id: str) -> None:
        self._frames = frames
        self._index = index
        self._id = item_id
        self._pieces: list[str] = []
        self._place = {"item_id": item_id, "output_index": index, "summary_index": 0}
        self._head, self._tail = delta_frame("response.reasoning_summary_text.delta", self._place)

    def begin(self) -> bytes:
        """Announce the item."""
        item: Wire = {"type": "reasoning", "id": self._id, "summary": []}
        fields = {"output_index": self._index, "item": item}
        return self._frames.write("response.output_item.added", fields)

    def delta(self, words: str) -> bytes:
        """Write more words."""
        opening = b"" if self._pieces else self._open_summary()
        self._pieces.append(words)
        return opening + self._frames.delta(self._head, words, self._tail)

    def end(self, state: OpaqueState | None, carried: Carried | None = None) -> tuple[bytes, Wire]:
        """Complete the item; also return it.

        Args:
            state: What vouches for the thought.
            carried: Another part's state, which the item was made to carry home.
        """
        words = "".join(self._pieces)
        write = self._frames.write
        output = b""
        summary: list[Wire] = []
        if self._pieces:
            part = {"type": "summary_text", "text": words}
            summary.append(part)
            said = {**self._place, "text": words}
            output = write("response.reasoning_summary_text.done", said)
            output += write("response.reasoning_summary_part.done", {**self._place, "part": part})
        item: Wire = {"type": "reasoning", "id": self._id, "summary": summary}
        if state is not None and state.format == NAME:
            item["encrypted_content"] = state.data
        elif envelope := mint([carried or Carried(words, state)]):
            item["encrypted_content"] = envelope
        fields = {"output_index": self._index, "item": item}
        return output + write("response.output_item.done", fields), item

    def _open_summary(self) -> bytes:
        part = {"type": "summary_text", "text": ""}
        fields = {**self._place, "part": part}
        return self._frames.write("response.reasoning_summary_part.added", fields)


class CallWriter:
    """A call of a function, or of a custom tool with free text."""

    def __init__(
        self,
        frames: Frames,
        index: int,
        ids: tuple[str, str],
        route: Route,
        extractor: InputExtractor | None,
    ) -> None:
        """Prepare for one call.

        Args:
            frames: The stream's.
            index: The item's place in the output.
            ids: The item's id and the call's.
            route: How the call is told.
            extractor: Unwraps the input of a custom tool that the provider knows as a function.
        """
        self._frames = frames
        self._index = index
        self._id, self._call_id = ids
        self._route = route
        self._extractor = extractor
        self._pieces: list[str] = []
        custom = route.kind == "custom"
        self._field = "input" if custom else "arguments"
        self._event = (
            "response.custom_tool_call_input" if custom else "response.function_call_arguments"
        )
        self._place = {"item_id": self._id, "output_index": index}
        self._head, self._tail = delta_frame(f"{self._event}.delta", self._place)

    def begin(self) -> bytes:
        """Announce the item, without arguments."""
        fields = {"output_index": self._index, "item": self._item("in_progress", "")}
        return self._frames.write("response.output_item.added", fields)

    def delta(self, words: str) -> bytes:
        """Write more of the arguments."""
        if self._extractor is not None:
            words = self._extractor.feed(words)
        return self._write(words) if words else b""

    def end(self) -> tuple[bytes, Wire]:
        """Complete the item; also return it."""
        output = b""
        if self._extractor is not None and (rest := self._extractor.finish()):
            output = self._write(rest)
        elif not self._pieces and self._route.kind == "function":
            output = self._write("{}")  # agents parse the arguments of a function
        words = "".join(self._pieces)
        item = self._item("completed", words)
        write = self._frames.write
        output += write(f"{self._event}.done", {**self._place, self._field: words})
        fields = {"output_index": self._index, "item": item}
        return output + write("response.output_item.done", fields), item

    def _write(self, words: str) -> bytes:
        self._pieces.append(words)
        return self._frames.delta(self._head, words, self._tail)

    def _item(self, status: str, words: str) -> Wire:
        kind = "custom_tool_call" if self._route.kind == "custom" else "function_call"
        item: Wire = {"type": kind, "id": self._id, "call_id": self._call_id}
        if self._route.namespace:
            item["namespace"] = self._route.namespace
        return {**item, "name": self._route.name, self._field: words, "status": status}


class BuiltinCallWriter:
    """A call of a built-in tool, told whole: its shape is known only with all its arguments."""

    def __init__(self, frames: Frames, index: int, ids: tuple[str, str], route: Route) -> None:
        self._frames = frames
        self._index = index
        self._id, self._call_id = ids
        self._route = route
        self._pieces: list[str] = []

    def begin(self) -> bytes:
        """Say nothing yet."""
        return b""

    def delta(self, words: str) -> bytes:
        """Keep more of the arguments."""
        self._pieces.append(words)
        return b""

    def end(self) -> tuple[bytes, Wire]:
        """Write the whole item; also return it."""
        item = builtin_call(self._route, self._id, self._call_id, "".join(self._pieces))
        begun = {**item, "status": "in_progress"}
        write = self._frames.write
        return (
            write("response.output_item.added", {"output_index": self._index, "item": begun})
            + write("response.output_item.done", {"output_index": self._index, "item": item})
        ), item
