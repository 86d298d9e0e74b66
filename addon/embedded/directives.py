"""What a prompt may ask of the provider, so that a test or a demo scripts it through any proxy.

A directive stands in double square brackets anywhere in the last user text:

    [[say TEXT]]              answer with this text
    [[think TEXT]]            think this first
    [[redacted]]              think in secret first (a redacted block)
    [[tool NAME JSON]]        call a tool; several make parallel calls
    [[stop REASON]]           give this stop reason, such as max_tokens or refusal
    [[events N]]              send the text in N deltas
    [[error STATUS TYPE [N] [MESSAGE]]]  refuse; with N only the first N times that this body comes
    [[retry-after SECONDS]]   with that header
    [[html STATUS]]           answer as a gateway in front of the API does: HTML
    [[error-in-stream TYPE [N]]]  break off with an error event after N events (default 4)
    [[cut N]]                 close the connection in the middle of the body after N events
    [[reset N]]               the same with a TCP reset
    [[end N]]                 end the body in order, but without the format's last event
    [[slow SECONDS]]          wait between events
    [[silent SECONDS]]        wait before the status line
    [[gate]]                  wait for `release()` before each event after the first delta of text
                              or of a call
    [[plain]]                 answer JSON although a stream was asked for
    [[gzip]]                  compress the answer
    [[then]]                  what follows is for the agent's next turn, after its tool results
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from addon.embedded.refusal import Refusal

type Ending = Literal["complete", "error", "cut", "reset", "end"]

_CONDUCT = (
    *("failure", "retry_after", "ending", "ends_after", "stream_error"),
    *("slow", "silent", "gated", "plain", "gzip"),
)
_START = re.compile(r"\[\[\s*([a-z-]+)\s*")
_TOOL_NAME = re.compile(r"(\S+?)(?:\s+|(?=\]\]))")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class ToolCall:
    """One call that the answer makes."""

    name: str
    arguments: Any
    """The JSON value of the arguments, usually an object."""


@dataclass
class Failure:
    """An error status in place of an answer."""

    status: int
    kind: str
    message: str | None = None
    times: int | None = None


@dataclass
class Directives:
    """What one turn of the prompt asks for; the defaults ask for nothing."""

    say: str | None = None
    think: str | None = None
    redacted: bool = False
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    stop: str | None = None
    events: int | None = None
    failure: Failure | None = None
    retry_after: float | None = None
    ending: Ending = "complete"
    ends_after: int = 0
    """Events that are sent before an ending other than `complete`."""
    stream_error: str = "api_error"
    slow: float = 0
    silent: float = 0
    gated: bool = False
    plain: bool = False
    gzip: bool = False

    @property
    def answers(self) -> bool:
        """Whether the content of the answer is prescribed."""
        return self.say is not None or bool(self.calls) or self.think is not None

    def go_like(self, other: Directives) -> None:
        """Fail, wait and end as other directives ask for; what is said stays."""
        for name in _CONDUCT:
            setattr(self, name, getattr(other, name))


def parse_directives(text: str) -> list[Directives]:
    """Read the directives of a prompt, one entry for each turn that `[[then]]` separates.

    Raises:
        Refusal: A directive is not known or not complete; status 400, so that a mistake in a test
            shows.
    """
    turns = [Directives()]
    position = 0
    while found := _START.search(text, position):
        word = found.group(1)
        if word == "tool":
            call, position = _parse_tool(text, found.end())
            turns[-1].calls.append(call)
            continue
        end = text.find("]]", found.end())
        if end < 0:
            raise Refusal(f"directive [[{word}: the closing ]] is missing")
        position = end + 2
        if word == "then":
            turns.append(Directives())
        else:
            _apply(turns[-1], word, text[found.end() : end].strip())
    return turns


def _parse_tool(text: str, position: int) -> tuple[ToolCall, int]:
    name = _TOOL_NAME.match(text, position)
    if not name:
        raise Refusal("directive [[tool: a name is missing")
    position = name.end()
    arguments: Any = {}
    if not text.startswith("]]", position):
        try:
            arguments, position = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise Refusal(f"directive [[tool {name.group(1)}: {error}") from error
    end = text.find("]]", position)
    if end < 0 or text[position:end].strip():
        raise Refusal(f"directive [[tool {name.group(1)}: ]] must follow the arguments")
    return ToolCall(name.group(1), arguments), end + 2


def _failure(words: list[str]) -> Failure:
    rest = words[2:]
    times = int(rest.pop(0)) if rest and rest[0].isdecimal() else None
    return Failure(int(words[0]), words[1], " ".join(rest) or None, times)


def _apply(directives: Directives, word: str, value: str) -> None:  # noqa: C901 - one line a word
    words = value.split()
    try:
        match word:
            case "say":
                directives.say = (directives.say or "") + value
            case "think":
                directives.think = value
            case "redacted":
                directives.redacted = True
            case "stop":
                directives.stop = words[0]
            case "events":
                directives.events = int(value)
            case "error":
                directives.failure = _failure(words)
            case "html":
                directives.failure = Failure(int(value), "html")
            case "retry-after":
                directives.retry_after = float(value)
            case "error-in-stream":
                directives.ending, directives.stream_error = "error", words[0]
                directives.ends_after = int(words[1]) if len(words) > 1 else 4
            case "cut" | "reset" | "end":
                directives.ending, directives.ends_after = word, int(value)
            case "slow":
                directives.slow = float(value)
            case "silent":
                directives.silent = float(value)
            case "gate":
                directives.gated = True
            case "plain":
                directives.plain = True
            case "gzip":
                directives.gzip = True
            case _:
                raise Refusal(f"directive [[{word}]] is not known")
    except (ValueError, IndexError) as error:
        raise Refusal(f"directive [[{word} {value}]]: {error}") from error
