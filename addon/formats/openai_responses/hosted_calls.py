"""Tools that the provider ran: `web_search_call` and `code_interpreter_call` items.

Follows https://platform.openai.com/docs/guides/tools. What they do is known only when they are
done, so an item is announced without it.
"""

from __future__ import annotations

from typing import Any, Protocol

from addon.neutral import Citation, HostedCallPart
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]

ITEMS = {"web_search_call": "web_search", "code_interpreter_call": "code_execution"}
PREFIXES = {"web_search": "ws", "code_execution": "ci"}


class Writer(Protocol):
    """What numbers and frames events."""

    def write(self, kind: str, fields: Wire) -> bytes:
        """Write one event."""
        ...


def read_item(item: Wire) -> HostedCallPart:
    """Read an item, finished or not."""
    kind = text(item.get("type"))
    call_id = text(item.get("id"))
    failed = item.get("status") == "failed"
    if kind == "code_interpreter_call":
        printed = (text(mapping(output).get("logs")) for output in sequence(item.get("outputs")))
        output = "\n".join(filter(None, printed))
        return HostedCallPart(call_id, ITEMS[kind], text(item.get("code")), output, failed=failed)
    action = mapping(item.get("action"))
    queries = [text(query) for query in sequence(action.get("queries"))]
    asked = text(action.get("query")) or "; ".join(queries) or text(action.get("url"))
    sources = (text(mapping(source).get("url")) for source in sequence(action.get("sources")))
    found = tuple(Citation(url) for url in sources if url)
    return HostedCallPart(call_id, ITEMS[kind], asked, sources=found, failed=failed)


class HostedCallWriter:
    """Writes the item of one call."""

    def __init__(self, frames: Writer, index: int, item_id: str, tool: str) -> None:
        self._frames = frames
        self._index = index
        self._tool = tool
        kind = "web_search_call" if tool == "web_search" else "code_interpreter_call"
        self._event = f"response.{kind}"
        self._item: Wire = {"type": kind, "id": item_id}
        self._place: Wire = {"item_id": item_id, "output_index": index}

    def begin(self) -> bytes:
        """Announce the call."""
        searching = self._tool == "web_search"
        begun = {**self._item, "status": "in_progress"}
        if not searching:
            begun |= {"container_id": "", "code": None, "outputs": None}
        return (
            self._added("added", begun)
            + self._frames.write(f"{self._event}.in_progress", self._place)
            + self._frames.write(
                f"{self._event}.{'searching' if searching else 'interpreting'}", self._place
            )
        )

    def end(self, call: HostedCallPart) -> tuple[bytes, Wire]:
        """Complete the item; also return it."""
        item = {**self._item, "status": "failed" if call.failed else "completed"}
        if self._tool == "web_search":
            sources = [{"type": "url", "url": source.url} for source in call.sources]
            item["action"] = {"type": "search", "query": call.input, "sources": sources}
        else:
            logs = [{"type": "logs", "logs": call.output}] if call.output else []
            item |= {"container_id": "", "code": call.input, "outputs": logs}
        completed = self._frames.write(f"{self._event}.completed", self._place)
        return completed + self._added("done", item), item

    def _added(self, when: str, item: Wire) -> bytes:
        fields = {"output_index": self._index, "item": item}
        return self._frames.write(f"response.output_item.{when}", fields)
