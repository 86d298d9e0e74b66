"""What an agent says and hears, in no format yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElF"
    "TkSuQmCC"
)
"""A red picture of 8 by 8 pixels, in base64."""
PDF = (
    "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2Vz"
    "L0tpZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUi9NZWRpYUJveFsw"
    "IDAgOTkgOTldPj5lbmRvYmoKdHJhaWxlcjw8L1Jvb3QgMSAwIFI+Pgo="
)
"""A document of one blank page, in base64."""


class Misshapen(Exception):
    """An answer breaks the rules of its format."""


@dataclass(frozen=True)
class Tool:
    """A tool that an agent offers."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A call that an answer makes."""

    id: str
    """Blank where the format has none."""
    name: str
    arguments: Any
    """Decoded, or the plain text of a custom tool."""


@dataclass
class Reply:
    """An answer as the agent understands it."""

    text: str = ""
    thinking: str = ""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    stop: str = ""
    """`stop`, `length`, `tool_calls`, `content_filter`, or whatever else the format says."""
    input_tokens: int = 0
    output_tokens: int = 0
    native: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What the agent puts into its history."""
    error: str | None = None
    """The error that ended a stream."""


@dataclass(frozen=True)
class UserTurn:
    """What the user says."""

    text: str
    image: str | None = None
    """A PNG in base64."""
    document: str | None = None
    """A PDF in base64."""


@dataclass(frozen=True)
class ToolResult:
    """What a tool gave."""

    call: ToolCall
    text: str
    image: str | None = None


type Turn = UserTurn | Reply | list[ToolResult]


@dataclass(frozen=True)
class Question:
    """One request."""

    turns: list[Turn]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    custom_tool: str | None = None
    """The name of a tool that takes plain text."""
    must_call: bool = False
    schema: dict[str, Any] | None = None
    json_mode: bool = False
    stop: str | None = None
    max_tokens: int = 4000
    thinks: bool = False
