"""Go on after `stop_reason: pause_turn`, by which the API suspends a long turn of its own tools.

Follows https://docs.anthropic.com/en/api/handling-stop-reasons: the same request again, with what
the model has said so far as its last message, every block exactly as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from addon.wire.codec import decode, decode_object, encode
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.sse import SseDecoder

_SERVER_TOOL = b'"type":"web_search_'
"""The only tool of the API's own that requests from other formats can bring along."""
_PAUSED = "pause_turn"
_JOINED = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""Fields of deltas, which are called like those of the block that they lengthen."""

type Block = dict[str, Any]


class AnthropicContinuation:
    """Keeps the blocks of an answer as they come."""

    joins_text = False

    def __init__(self, body: bytes) -> None:
        self._request = decode_object(body) or {}
        self._said: list[Block] = []
        """The blocks of the answers before this one."""
        self._begin()

    def _begin(self) -> None:
        self._sse = SseDecoder()
        self._blocks: dict[int | None, Block] = {}
        self._inputs: dict[int | None, list[str]] = {}
        self._stop_reason = ""

    def feed(self, data: bytes) -> None:
        """Read along with a stream."""
        for event in self._sse.feed(data):
            wire = decode_object(event.data) or {}
            position = integer(wire.get("index"))
            match wire.get("type"):
                case "content_block_start":
                    self._blocks[position] = dict(mapping(wire.get("content_block")))
                case "content_block_delta" if position in self._blocks:
                    self._lengthen(position, mapping(wire.get("delta")))
                case "message_delta":
                    delta = mapping(wire.get("delta"))
                    self._stop_reason = text(delta.get("stop_reason")) or self._stop_reason
                case _:
                    pass

    def read_whole(self, body: bytes) -> None:
        """Read an answer that was not streamed."""
        wire = decode_object(body) or {}
        self._blocks = dict(enumerate(map(mapping, sequence(wire.get("content")))))
        self._stop_reason = text(wire.get("stop_reason"))

    def follow_up(self) -> bytes | None:
        """Return the body that asks for the rest; None where the answer is whole."""
        if self._stop_reason != _PAUSED:
            return None
        for position, pieces in self._inputs.items():
            self._blocks[position]["input"] = _read_input("".join(pieces))
        self._said += [block for block in self._blocks.values() if not _is_empty(block)]
        self._begin()
        turn = {"role": "assistant", "content": self._said}
        messages = [*sequence(self._request.get("messages")), turn]
        return encode({**self._request, "messages": messages})

    def _lengthen(self, position: int | None, delta: Block) -> None:
        block = self._blocks[position]
        kind = text(delta.get("type"))
        if kind == "input_json_delta":
            self._inputs.setdefault(position, []).append(text(delta.get("partial_json")))
        elif kind == "citations_delta":
            block["citations"] = [*sequence(block.get("citations")), delta.get("citation")]
        elif field := _JOINED.get(kind):
            block[field] = text(block.get(field)) + text(delta.get(field))


def continuation(body: bytes, _model: str) -> AnthropicContinuation | None:
    """Return what knows how to go on; None where the API has no reason to pause."""
    return AnthropicContinuation(body) if _SERVER_TOOL in body else None


def _read_input(arguments: str) -> object:
    try:
        return cast("Callable[[str], object]", decode)(arguments) if arguments.strip() else {}
    except ValueError:
        return {}


def _is_empty(block: Block) -> bool:
    """Tell whether a block is text without a word, which the API refuses to be given."""
    return block.get("type") == "text" and not text(block.get("text")).strip()
