"""Sources named for an answer: OpenAI's annotations and Perplexity's lists, in and out."""

from __future__ import annotations

from typing import Any

from addon.neutral import Citation
from addon.wire.reading import integer, mapping, sequence, text


def parse_annotations(wire: object) -> list[Citation]:
    """Read `annotations`; entries that are no web sources (files, ...) are passed over."""
    citations: list[Citation] = []
    for item in sequence(wire):
        source = mapping(mapping(item).get("url_citation"))
        if url := text(source.get("url")):
            start, end = integer(source.get("start_index")), integer(source.get("end_index"))
            citations.append(
                Citation(
                    url,
                    text(source.get("title")),
                    text(source.get("content")),
                    start if end else None,
                    end or None,
                )
            )
    return citations


def parse_sources(citations: object, search_results: object) -> list[Citation]:
    """Read Perplexity's `search_results`, or its older `citations`, a list of bare addresses."""
    results = [mapping(item) for item in sequence(search_results)]
    found = [
        Citation(url, text(result.get("title")))
        for result in results
        if (url := text(result.get("url")))
    ]
    return found or [Citation(url) for item in sequence(citations) if (url := text(item))]


def render_annotations(citations: list[tuple[Citation, int, int]]) -> list[dict[str, Any]]:
    """Write `annotations`; beside each citation stands where its text part begins and ends."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": begin if citation.start is None else begin + citation.start,
                "end_index": end if citation.end is None else begin + citation.end,
                "title": citation.title,
                "url": citation.url,
            },
        }
        for citation, begin, end in citations
    ]
