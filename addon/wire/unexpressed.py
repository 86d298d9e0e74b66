"""List what several formats have no way to say in a request."""

from __future__ import annotations

from addon.neutral import (
    AudioPart,
    FilePart,
    ImagePart,
    LossList,
    Part,
    Request,
    Tool,
    ToolCallPart,
    ToolResultPart,
)

_NAMES: dict[type, str] = {
    AudioPart: "audio",
    FilePart: "file",
    ImagePart: "image",
    ToolCallPart: "tool_calls",
    ToolResultPart: "tool_result",
}


def lose_part(part: Part, losses: LossList, reason: str) -> None:
    """List a part that stands where the provider takes none of its kind."""
    kind = _NAMES.get(type(part), "reasoning")
    losses.dropped(f"messages.{kind}", reason)


def lose_cache_marks(request: Request, losses: LossList) -> None:
    """List the author's cache marks, for providers that cache by themselves."""
    if request.cache_ttl is not None or _has_marks(request):
        losses.dropped("cache_control", "the provider caches by itself")


def lose_document_settings(part: FilePart, losses: LossList) -> None:
    """List what the author says about a document, for providers that take no more than its name."""
    if part.context:
        losses.dropped("messages.document.context", "the provider takes a name and nothing more")
    if part.citations_enabled:
        losses.dropped("messages.document.citations", "the provider cites no documents")


def _has_marks(request: Request) -> bool:
    if any(isinstance(tool, Tool) and tool.cache_breakpoint for tool in request.tools):
        return True
    for message in (*request.system, *request.messages):
        for part in message.parts:
            if getattr(part, "cache_breakpoint", None) is not None:
                return True
            if type(part) is ToolResultPart:
                for piece in part.content:
                    if getattr(piece, "cache_breakpoint", None) is not None:
                        return True
    return False
