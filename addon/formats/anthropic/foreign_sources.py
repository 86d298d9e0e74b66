"""Take sources out of a request that Anthropic's own search did not find, in place.

What other providers searched and cited is told to agents in Anthropic's words, but without the
encrypted texts that only Anthropic can write. Agents return it, and the API refuses it.
"""

from __future__ import annotations

from typing import Any

from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text

_EMPTY = b'[{"type":"text","text":"."}]'
"""Stands for a turn that held a search alone: an empty one is refused."""

type Block = dict[str, Any]


def without_foreign_sources(body: bytes) -> bytes:
    """Return the request without citations and searches of other providers."""
    if b'"encrypted_' not in body:
        return body
    messages = list(map(mapping, sequence((decode_object(body) or {}).get("messages"))))
    changed = {
        index: blocks
        for index, message in enumerate(messages)
        if message.get("role") == "assistant"
        and (blocks := list(map(mapping, sequence(message.get("content")))))
        and any(_cites_foreign(block) or _is_foreign_search(block) for block in blocks)
    }
    if not changed:
        return body
    place = next(member for member in members(body) if member.key == "messages")
    spans = items(body, place.value_start)
    return splice(
        body,
        [
            Splice(*spans[index], _edit(body[slice(*spans[index])], blocks))
            for index, blocks in changed.items()
        ],
    )


def _edit(span: bytes, blocks: list[Block]) -> bytes:
    place = next(member for member in members(span) if member.key == "content")
    content = span[place.value_start : place.value_end]
    gone = {text(block.get("tool_use_id")) for block in blocks if _is_foreign_search(block)}
    kept = [
        _without_citations(content[start:end], block)
        for block, (start, end) in zip(blocks, items(content), strict=True)
        if not _is_foreign_search(block)
        and not (block.get("type") == "server_tool_use" and block.get("id") in gone)
    ]
    return edit_object(span, {"content": b"[" + b",".join(kept) + b"]" if kept else _EMPTY})


def _without_citations(span: bytes, block: Block) -> bytes:
    if not _cites_foreign(block):
        return span
    own = [one for one in sequence(block["citations"]) if not _is_foreign_citation(one)]
    return edit_object(span, {"citations": encode(own) if own else None})


def _cites_foreign(block: Block) -> bool:
    cited = sequence(block.get("citations")) if block.get("type") == "text" else ()
    return any(map(_is_foreign_citation, cited))


def _is_foreign_citation(citation: object) -> bool:
    return mapping(citation).get("encrypted_index") == ""


def _is_foreign_search(block: Block) -> bool:
    return block.get("type") == "web_search_tool_result" and any(
        mapping(page).get("encrypted_content") == "" for page in sequence(block.get("content"))
    )
