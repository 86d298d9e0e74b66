"""Tools that the provider ran: `server_tool_use` blocks and the blocks with their results.

Follows https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool and the page on
code execution. A search that code made, rather than the model, is the code's own business.
"""

from __future__ import annotations

from typing import Any

from addon.neutral import Citation, HostedCallPart
from addon.wire.reading import mapping, sequence, text

type Block = dict[str, Any]

RESULTS = frozenset((
    "web_search_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result"
))  # fmt: skip

_INPUTS = {
    "web_search": ("web_search", "query"),
    "code_execution": ("code_execution", "code"),
    "bash_code_execution": ("code_execution", "command"),
}
"""The hub's name of each tool, and the field that says what it is to do."""
_PREFIX = "srvtoolu_"


def begin_call(block: Block) -> HostedCallPart | None:
    """Read a `server_tool_use` block without its input; None for a tool that others lack."""
    known = _INPUTS.get(text(block.get("name")))
    by_code = text(mapping(block.get("caller")).get("type")).startswith("code_execution")
    if known is None or by_code or block.get("type") != "server_tool_use":
        return None
    return HostedCallPart(text(block.get("id")), known[0])


def read_input(arguments: dict[str, Any]) -> str:
    """Return what the tool is to do: what to search for, or which code to run."""
    fields = (text(arguments.get(field)) for _, field in _INPUTS.values())
    return next(filter(None, fields), "")


def read_result(call: HostedCallPart, asked: str, block: Block) -> HostedCallPart:
    """Put a call, its input and the block with its result together."""
    content = block.get("content")
    outcome = mapping(content)
    failed = text(outcome.get("type")).endswith("_error") or bool(outcome.get("return_code"))
    printed = [text(outcome.get("stdout")), text(outcome.get("stderr"))]
    pages = [mapping(page) for page in sequence(content)]
    return HostedCallPart(
        call.call_id,
        call.tool,
        asked,
        "\n".join(filter(None, printed)),
        tuple(
            Citation(text(page.get("url")), text(page.get("title")))
            for page in pages
            if page.get("url")
        ),
        failed,
    )


def hosted_blocks(call: HostedCallPart) -> tuple[Block, Block]:
    """Write a call and its result."""
    call_id = call.call_id if call.call_id.startswith(_PREFIX) else f"{_PREFIX}{call.call_id}"
    use: Block = {"type": "server_tool_use", "id": call_id, "name": call.tool}
    if call.tool == "web_search":
        found = [
            {
                "type": "web_search_result",
                "url": source.url,
                "title": source.title,
                "encrypted_content": "",
                "page_age": None,
            }
            for source in call.sources
        ]
        use["input"] = {"query": call.input}
        return use, {"type": "web_search_tool_result", "tool_use_id": call_id, "content": found}
    outcome: Block = {
        "type": "code_execution_result",
        "stdout": call.output,
        "stderr": "",
        "return_code": int(call.failed),
        "content": [],
    }
    use["input"] = {"code": call.input}
    return use, {"type": "code_execution_tool_result", "tool_use_id": call_id, "content": outcome}
