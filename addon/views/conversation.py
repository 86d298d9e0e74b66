"""The view "Detour conversation": what was said, to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import override

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from addon.formats import COUNT, FORMATS, format_for_path
from addon.formats.base import FormatName, RequestLine
from addon.neutral import (
    DetourError,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    Request,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from addon.views.answers import Answer, answer_of, format_of
from addon.views.json_text import LARGEST, pretty, write_body
from addon.views.metadata import Kept, request_of
from addon.views.page import LONGEST_TEXT, MOST, Page, size
from addon.views.parts import tool_names, write_message, write_parts
from addon.views.view import NOT_OURS, DetourView
from addon.wire.codec import decode_object, encode_text
from addon.wire.reading import text

SOCKET_FORMAT = "openai-responses"
ASKS = "response.create"
"""The message of a socket that asks for a response."""
LONGEST_EVENT = 300


class ConversationView(DetourView):
    """Shows the agent's messages beside its request, and the answer beside the response."""

    title = "Detour conversation"

    @override
    def write(self, flow: http.HTTPFlow, kept: Kept, data: bytes, metadata: Metadata) -> str:
        """Write the messages, the answer, or the message of a WebSocket."""
        if metadata.websocket_message is not None:
            return _write_socket_message(data)
        if isinstance(metadata.http_message, http.Response):
            answer = answer_of(flow, kept)
            return _write_answer(answer, kept) if answer is not None else _no_conversation(kept)
        spoken = format_of(flow, kept)
        if spoken is None:
            return _no_conversation(kept)
        asked = kept.original or request_of(flow)
        return write_request(asked.body, spoken, _line_of(asked.url))

    @override
    def fits(self, flow: http.HTTPFlow, kept: Kept, metadata: Metadata) -> float:
        """Fit what Detour has handled and can read."""
        if not kept.action:
            return -1
        if metadata.websocket_message is not None:
            return 2
        if format_of(flow, kept) is None or not _is_spoken(flow, kept):
            return -1
        if isinstance(metadata.http_message, http.Response):
            return 2 if metadata.http_message.status_code < 400 else -1
        return 2


def write_request(body: bytes, spoken: FormatName, line: RequestLine) -> str:
    """Write what an agent asks: its messages, its tools and its other wishes."""
    if len(body) > LARGEST:
        return f"[{size(len(body))} are too many to be read]"
    try:
        request = FORMATS[spoken].parse_request(body, line)
    except DetourError as error:
        return f"# {error}\n\n{pretty(body)}"
    page = Page()
    _write_wishes(page, request)
    names = tool_names(request.messages)
    for message in _within_bounds([*request.system, *request.messages]):
        if isinstance(message, int):
            page.add(f"[... {message:,} messages left out ...]\n")
        else:
            write_message(page, message, names)
    return page.write()


def _write_wishes(page: Page, request: Request) -> None:
    wishes: list[str] = [f"model: {request.model}"]
    if request.stream:
        wishes.append("streamed")
    if request.max_output_tokens is not None:
        wishes.append(f"at most {request.max_output_tokens:,} tokens")
    if request.reasoning is not None and request.reasoning.effort is not None:
        wishes.append(f"effort {request.reasoning.effort}")
    if request.response_format is not None and request.response_format.kind != "text":
        wishes.append(f"answer as {request.response_format.kind}")
    page.add(", ".join(wishes))
    names = [tool.name if isinstance(tool, Tool) else _hosted_name(tool) for tool in request.tools]
    if names:
        page.add(f"tools: {', '.join(names)}")
    page.add()


def _hosted_name(tool: object) -> str:
    kind = getattr(tool, "kind", "")
    return kind or type(tool).__name__.removesuffix("Tool")


def _within_bounds(
    messages: Sequence[Message | SystemMessage],
) -> list[Message | SystemMessage | int]:
    """Return the messages that fit on a page: the first, and above all the last.

    A number in between says how many were left out.
    """
    sizes = [sum(map(_length, message.parts)) + 50 for message in messages]
    if sum(sizes) <= MOST:
        return [*messages]
    first, last = 0, len(messages)
    room = MOST // 4
    while first < last and sizes[first] <= room:
        room -= sizes[first]
        first += 1
    room = MOST // 2
    while last > first and (sizes[last - 1] <= room or last == len(messages)):
        last -= 1
        room -= sizes[last]
    return [*messages[:first], last - first, *messages[last:]]


def _length(part: Part) -> int:
    """Say about how many characters a part takes on a page."""
    match part:
        case TextPart() | ReasoningPart() | RefusalPart():
            return min(len(part.text), LONGEST_TEXT) + 20
        case ToolCallPart():
            return min(len(part.arguments) * 2, LONGEST_TEXT) + 50
        case ToolResultPart():
            return sum(map(_length, part.content)) + 50
        case _:
            return 200


def _write_answer(answer: Answer, kept: Kept) -> str:
    page = Page()
    author = kept.target or answer.model
    page.add(f"assistant:  # {author}" if author else "assistant:")
    write_parts(page, answer.parts)
    if answer.left_out:
        page.add(f"[... {size(answer.left_out)} of the stream left out ...]", 2)
    page.add()
    if answer.error is not None:
        page.add(f"failed: {answer.error.kind}: {answer.error.message}")
    elif answer.finish_reason is not None:
        page.add(f"ended: {answer.finish_reason}")
    else:
        page.add("[... still answering ...]")
    usage = kept.known_usage or answer.usage
    if usage is not None and usage.output_tokens is not None:
        page.add(f"tokens: {usage.input_tokens or 0:,} read, {usage.output_tokens:,} written")
    return page.write()


def _write_socket_message(data: bytes) -> str:
    """Write a message of a WebSocket: what is asked in full, events in a line."""
    event = decode_object(data) if len(data) <= LARGEST else None
    if event is None:
        return pretty(data)
    kind = text(event.get("type"))
    if kind == ASKS:
        return f"# {kind}\n{write_request(data, SOCKET_FORMAT, RequestLine())}"
    delta = event.get("delta")
    if isinstance(delta, str):
        return f"{kind}: {encode_text(delta[:LONGEST_EVENT])}"
    page = Page()
    page.add(f"{kind}:")
    write_body(page, data, 2)
    return page.write()


def _is_spoken(flow: http.HTTPFlow, kept: Kept) -> bool:
    """Tell whether the agent called an address at which something is said."""
    url = kept.original.url if kept.original is not None else flow.request.pretty_url
    found = format_for_path(_line_of(url).path)
    return found is not None and found[1] != COUNT


def _line_of(url: str) -> RequestLine:
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    return RequestLine(f"/{path}", query)


def _no_conversation(kept: Kept) -> str:
    return "Nothing is said in this call." if kept.action else NOT_OURS
