"""Sources of an answer: Gemini's `groundingMetadata` and the hub's citations.

Follows https://ai.google.dev/gemini-api/docs/google-search. Gemini counts the UTF-8 bytes of the
whole answer's text, the hub the characters of one text part.
"""

from __future__ import annotations

from typing import Any

from addon.neutral import Citation
from addon.wire.reading import integer, mapping, sequence, text

_CHUNK_KINDS = ("web", "maps", "retrievedContext")


def parse_grounding(wire: dict[str, Any], before: int, words: str) -> tuple[Citation, ...]:
    """Read the citations that concern one text part.

    Args:
        wire: The `groundingMetadata`.
        before: Bytes of the answer's text before this part.
        words: The part's text.
    """
    sources = [_source(mapping(chunk)) for chunk in sequence(wire.get("groundingChunks"))]
    supports = [mapping(support) for support in sequence(wire.get("groundingSupports"))]
    if not supports:
        return tuple(Citation(url, title) for url, title in sources if url)
    data = words.encode("utf-8", "replace")
    offsets = _Characters(data)
    citations: list[Citation] = []
    for support in supports:
        segment = mapping(support.get("segment"))
        start = (integer(segment.get("startIndex")) or 0) - before
        end = (integer(segment.get("endIndex")) or 0) - before
        if not 0 <= start <= end <= len(data):
            continue
        for index in sequence(support.get("groundingChunkIndices")):
            number = integer(index)
            if number is None or not 0 <= number < len(sources) or not sources[number][0]:
                continue
            url, title = sources[number]
            cited = text(segment.get("text"))
            citations.append(Citation(url, title, cited, offsets.at(start), offsets.at(end)))
    return tuple(citations)


def concerns_words_before(wire: dict[str, Any], end: int) -> bool:
    """Tell whether a source is named for words among the first `end` bytes of an answer's text."""
    supports = map(mapping, sequence(wire.get("groundingSupports")))
    segments = [mapping(support.get("segment")) for support in supports]
    return any((integer(segment.get("startIndex")) or 0) < end for segment in segments)


def render_grounding(parts: list[tuple[str, tuple[Citation, ...]]]) -> dict[str, Any] | None:
    """Write the citations of an answer's text parts; None when there are none.

    Args:
        parts: The text of each part with its citations, in order.
    """
    sources: dict[tuple[str, str], int] = {}
    supports: list[dict[str, Any]] = []
    before = 0
    for words, citations in parts:
        for citation in citations:
            index = sources.setdefault((citation.url, citation.title), len(sources))
            start = citation.start or 0
            end = len(words) if citation.end is None else citation.end
            segment = {
                "startIndex": before + _length(words[:start]),
                "endIndex": before + _length(words[:end]),
                "text": words[start:end],
            }
            supports.append({"segment": segment, "groundingChunkIndices": [index]})
        before += _length(words)
    if not supports:
        return None
    chunks = [{"web": {"uri": url, "title": title}} for url, title in sources]
    return {"groundingChunks": chunks, "groundingSupports": supports}


class _Characters:
    """Turns byte offsets into character offsets, fast when they ascend."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._byte = 0
        self._character = 0

    def at(self, offset: int) -> int:
        if offset < self._byte:
            self._byte = self._character = 0
        passed = self._data[self._byte : offset]
        # Continuation bytes begin no character.
        self._character += sum(byte & 0xC0 != 0x80 for byte in passed)
        self._byte = offset
        return self._character


def _source(chunk: dict[str, Any]) -> tuple[str, str]:
    kind = next((kind for kind in _CHUNK_KINDS if kind in chunk), "")
    source = mapping(chunk.get(kind))
    return text(source.get("uri")), text(source.get("title"))


def _length(words: str) -> int:
    return len(words.encode("utf-8", "replace"))
