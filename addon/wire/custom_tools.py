"""Custom (free text) tools for formats that only know tools with JSON arguments.

OpenAI's `custom` tools take their input as plain text, perhaps in a grammar. Elsewhere such a tool
becomes a function with one string argument, and the calls are unwrapped on the way back. The
wrapping is deterministic, so that an old call is written the same way in every later request.
"""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from addon.neutral import Tool
from addon.wire.codec import decode

ARGUMENT = "input"
"""Name of the one argument of a wrapped tool."""

_FIRST_MEMBER = re.compile(r'\s*+\{\s*+"(?:[^"\\]|\\.)*+"\s*+:\s*+(\S)', re.DOTALL)
_PLAIN = re.compile(r'[^"\\]++')
_SIMPLE_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LONGEST_OPENING = 1024
"""Characters within which the argument must begin to be streamed; else it waits for the end."""
_REPLACEMENT = "\ufffd"

type _State = Literal["opening", "string", "closed", "raw", "whole"]


def wrapper_schema() -> dict[str, Any]:
    """Return the JSON Schema of a wrapped tool's arguments."""
    return {
        "type": "object",
        "properties": {
            ARGUMENT: {
                "type": "string",
                "description": "The tool's raw input: no JSON, no code fence.",
            }
        },
        "required": [ARGUMENT],
        "additionalProperties": False,
    }


def wrapper_description(tool: Tool) -> str | None:
    """Return the description of a wrapped tool, which also tells the model the grammar."""
    grammar = tool.grammar
    if grammar is None:
        return tool.description
    rule = (
        f"The value of `{ARGUMENT}` is passed verbatim to the tool and must match this "
        f"{grammar.syntax} grammar:\n{grammar.definition}"
    )
    return f"{tool.description}\n\n{rule}" if tool.description else rule


def wrap_input(text: str) -> dict[str, Any]:
    """Return the arguments that stand for a custom call's input."""
    return {ARGUMENT: text}


def unwrap_arguments(arguments: str) -> str:
    """Return the input that a model put into a wrapped tool's arguments.

    Models err: a bare JSON string, another argument name and unquoted text are understood as well.
    """
    extractor = InputExtractor()
    return extractor.feed(arguments) + extractor.finish()


class InputExtractor:
    """Reads the input out of wrapped arguments while they arrive, cut anywhere.

    The result does not depend on the cuts. Text is handed on as soon as it is certain: an escape or
    a surrogate pair that is cut in two waits for its other half.
    """

    def __init__(self) -> None:
        self._state: _State = "opening"
        self._pending = ""
        self._held: list[str] = []
        self._high_surrogate = ""

    def feed(self, fragment: str) -> str:
        """Take the next piece of the JSON text and return the input that it completes."""
        match self._state:
            case "opening":
                return self._open(self._pending + fragment)
            case "string":
                if self._pending or self._high_surrogate or '"' in fragment or "\\" in fragment:
                    return self._read_string(self._pending + fragment)
                return fragment
            case "raw":
                return fragment
            case "whole":
                self._held.append(fragment)
                return ""
            case "closed":
                return ""

    def finish(self) -> str:
        """Return what is left when the arguments have ended."""
        match self._state:
            case "opening" | "whole":
                return _read_whole("".join((*self._held, self._pending)))
            case "string":
                return self._take_surrogate()
            case "raw" | "closed":
                return ""

    def _open(self, text: str) -> str:
        self._pending = text
        stripped = text[:_LONGEST_OPENING].lstrip()
        if stripped.startswith('"'):
            return self._begin_string(text.lstrip()[1:])
        if stripped and not stripped.startswith("{"):
            self._state, self._pending = "raw", ""
            return text
        member = _FIRST_MEMBER.match(text, 0, _LONGEST_OPENING)
        if member and member[1] == '"':
            return self._begin_string(text[member.end() :])
        if member or len(text) >= _LONGEST_OPENING:
            self._state, self._pending = "whole", ""
            self._held.append(text)
        return ""

    def _begin_string(self, rest: str) -> str:
        self._state = "string"
        return self._read_string(rest)

    def _read_string(self, text: str) -> str:
        pieces: list[str] = []
        position = 0
        self._pending = ""
        while position < len(text):
            if plain := _PLAIN.match(text, position):
                pieces.append(self._take_surrogate() + plain[0])
                position = plain.end()
            elif text[position] == '"':
                pieces.append(self._take_surrogate())
                self._state = "closed"
                break
            else:
                end = position + (6 if text[position + 1 : position + 2] == "u" else 2)
                if end > len(text):
                    self._pending = text[position:]
                    break
                pieces.append(self._unescape(text[position + 1 : end]))
                position = end
        return "".join(pieces)

    def _unescape(self, escape: str) -> str:
        if escape[0] != "u":
            return self._take_surrogate() + _SIMPLE_ESCAPES.get(escape, escape)
        try:
            unit = int(escape[1:], 16)
        except ValueError:
            return self._take_surrogate() + _REPLACEMENT
        if 0xD800 <= unit < 0xDC00:
            lost = self._take_surrogate()
            self._high_surrogate = chr(unit)
            return lost
        if 0xDC00 <= unit < 0xE000:
            high, self._high_surrogate = self._high_surrogate, ""
            if not high:
                return _REPLACEMENT
            return chr(0x10000 + ((ord(high) - 0xD800) << 10) + (unit - 0xDC00))
        return self._take_surrogate() + chr(unit)

    def _take_surrogate(self) -> str:
        """Give up waiting for the second half of a surrogate pair."""
        if not self._high_surrogate:
            return ""
        self._high_surrogate = ""
        return _REPLACEMENT


def _read_whole(arguments: str) -> str:
    """Find the input in arguments whose first member is not a string."""
    try:
        value = decode(arguments)
    except ValueError:
        return arguments
    if not isinstance(value, dict):
        return arguments
    members = cast("dict[str, Any]", value)
    if not members:
        return ""
    texts = [item for item in members.values() if isinstance(item, str)]
    text = members.get(ARGUMENT)
    if isinstance(text, str):
        return text
    return texts[0] if len(texts) == 1 else arguments
