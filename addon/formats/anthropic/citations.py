"""Sources of an answer: the `citations` of a text block and the hub's.

Follows https://docs.anthropic.com/en/docs/build-with-claude/citations. Anthropic cites whole text
blocks, of which an answer has many; others cite stretches of one long text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from addon.neutral import Citation, LossList
from addon.wire.reading import mapping, sequence, text


def parse_citations(value: object) -> tuple[Citation, ...]:
    """Read the citations of a text block; those without a web address keep their title."""
    return tuple(parse_citation(item) for item in sequence(value))


def parse_citation(value: object) -> Citation:
    """Read one citation of whatever location type."""
    citation = mapping(value)
    return Citation(
        url=text(citation.get("url")) or text(citation.get("source")),
        title=text(citation.get("title")) or text(citation.get("document_title")),
        cited_text=text(citation.get("cited_text")),
    )


def render_citations(citations: Iterable[Citation], losses: LossList) -> list[dict[str, Any]]:
    """Write the citations of a text block, as of pages that a search found."""
    written: list[dict[str, Any]] = []
    for citation in citations:
        if citation.start is not None or citation.end is not None:
            losses.approximated("citations", "Anthropic cites a text as a whole")
        written.append(
            {
                "type": "web_search_result_location",
                "url": citation.url,
                "title": citation.title or None,
                "cited_text": citation.cited_text,
                "encrypted_index": "",
            }
        )
    return written
