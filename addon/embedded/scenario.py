"""What the provider answers: the neutral script that both wire formats play.

Without directives it behaves like a small, obliging model: offered a tool that writes files or runs
commands it calls that tool once, then says so; asked for JSON by a schema it gives a fitting value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, cast

from addon.embedded.directives import Directives, ToolCall, parse_directives
from addon.embedded.prefix import CHARACTERS_PER_TOKEN
from addon.embedded.schema_sample import sample

GREETING = "Hello! This is the embedded provider; it says the same to everybody."
DONE = "Done. The tool has answered."
THOUGHT = "The request is simple, so a short answer will do."

_FAVOURITES = (
    "write_file",
    "write",
    "create_file",
    "exec_command",
    "shell",
    "shell_command",
    "local_shell",
    "bash",
    "run_command",
    "execute_command",
    "exec",
    "terminal",
)
_FILE_NAME = re.compile(r"\bfile (?:named|called) [`'\"]?([\w.-]*\w)")
_FILE_TEXT = re.compile(r"\b(?:exactly the text|containing(?! exactly)) [`'\"]?(\w+)")
_PATHS = frozenset({"path", "file_path", "filepath", "filename", "file_name", "file"})
_TEXTS = frozenset({"content", "contents", "text", "file_text", "data"})
_COMMANDS = frozenset({"command", "cmd", "commands"})
_INTERPRETERS = frozenset({"exec"})
"""Tools that run JavaScript, in which Codex's other tools are functions."""
_SCRIPTS = frozenset({"input", "code", "script"})


@dataclass(frozen=True)
class Tool:
    """A tool that the request offers."""

    name: str
    schema: Mapping[str, Any]
    freeform: bool = False
    """Whether its input is plain text by a grammar."""


@dataclass(frozen=True)
class Prompt:
    """What decides the answer, taken out of a request of either format."""

    text: str
    """The last text of the user."""
    turns_since: int
    """Assistant turns that stand behind that text: the step within its script."""
    answers_tool: bool
    """Whether the last message brings tool results and no new text."""
    tools: Sequence[Tool]
    choice: str
    """`auto`, `none`, `any`, or the name of the one tool that must be called."""
    parallel: bool
    schema: Mapping[str, Any] | None
    """The schema that the answer's text must satisfy."""
    json_object: bool
    thinks: bool
    max_tokens: int | None
    stop_sequences: Sequence[str]


@dataclass(frozen=True)
class Script:
    """The answer before any wire format."""

    thinking: str | None
    redacted: bool
    text: str
    calls: tuple[ToolCall, ...]
    stop: str
    """Anthropic's stop reason; Chat has its own words for it."""
    stop_sequence: str | None
    directives: Directives

    @property
    def output_tokens(self) -> int:
        """Tokens of the whole answer."""
        arguments = sum(len(json.dumps(call.arguments)) for call in self.calls)
        length = len(self.text) + len(self.thinking or "") + arguments
        return 1 + length // CHARACTERS_PER_TOKEN

    @property
    def thinking_tokens(self) -> int:
        """Tokens of the thinking alone."""
        return len(self.thinking or "") // CHARACTERS_PER_TOKEN


EVENT_STREAM = "text/event-stream; charset=utf-8"


class Frame(NamedTuple):
    """One event of a stream as it goes over the wire."""

    data: bytes
    is_delta: bool
    """Whether it brings text or a piece of a call; thinking does not count."""


@dataclass(frozen=True)
class Content:
    """A body that is no JSON, such as sound."""

    body: bytes
    content_type: str


class Answer(Protocol):
    """A script in the words of one wire format."""

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        ...

    def plain(self) -> dict[str, Any] | Content:
        """Return the body of a plain answer."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        ...

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error of this type."""
        ...


def write_script(prompt: Prompt) -> Script:
    """Decide the answer.

    Raises:
        Refusal: The prompt holds a directive that makes no sense.
    """
    steps = parse_directives(prompt.text)
    step = prompt.turns_since
    directives = steps[step] if step < len(steps) else Directives()
    calls = _choose_calls(prompt, directives)
    text = _choose_text(prompt, directives, bool(calls))
    text, stop, sequence = _limit(text, prompt)
    thinking = directives.think
    forced = prompt.choice not in ("auto", "none")
    if thinking is None and prompt.thinks and not directives.redacted and not forced:
        thinking = THOUGHT
    reason = directives.stop or stop or ("tool_use" if calls else "end_turn")
    if prompt.max_tokens == 0:
        return Script(None, False, "", (), "max_tokens", None, directives)
    return Script(thinking, directives.redacted, text, calls, reason, sequence, directives)


def script_of(
    text: str, *, max_tokens: int | None = None, stop_sequences: Sequence[str] = ()
) -> Script:
    """Decide the answer to a text that is no conversation.

    Raises:
        Refusal: It holds a directive that makes no sense.
    """
    return write_script(
        Prompt(
            text=text,
            turns_since=0,
            answers_tool=False,
            tools=(),
            choice="none",
            parallel=False,
            schema=None,
            json_object=False,
            thinks=False,
            max_tokens=max_tokens,
            stop_sequences=stop_sequences,
        )
    )


def _choose_calls(prompt: Prompt, directives: Directives) -> tuple[ToolCall, ...]:
    if prompt.choice == "none":
        return ()
    if directives.calls:
        return tuple(directives.calls if prompt.parallel else directives.calls[:1])
    if not prompt.tools:
        return ()
    if prompt.choice not in ("auto", "any"):
        tools = [tool for tool in prompt.tools if tool.name == prompt.choice]
        return (_call(tools[0], prompt.text),) if tools else ()
    if prompt.choice == "auto" and (
        directives.answers or prompt.answers_tool or prompt.turns_since
    ):
        return ()
    by_name = {_plain_name(tool): tool for tool in reversed(prompt.tools)}
    favourite = next((by_name[name] for name in _FAVOURITES if name in by_name), prompt.tools[0])
    return (_call(favourite, prompt.text),)


def _call(tool: Tool, text: str) -> ToolCall:
    """Make up a call: what the prompt asks for where the tool's parameters are recognised."""
    name = _FILE_NAME.search(text)
    content = _FILE_TEXT.search(text)
    file = name.group(1) if name else "hello.txt"
    line = content.group(1) if content else "hi"
    command = f"printf '{line}\\n' > {file}"
    script = f"const r = await tools.exec_command({json.dumps({'cmd': command})}); text(r);"
    if tool.freeform:
        return ToolCall(tool.name, script)
    arguments = sample(tool.schema, tool.name)
    if not isinstance(arguments, dict):
        return ToolCall(tool.name, {})
    fields = cast("dict[str, Any]", arguments)
    for key, value in fields.items():
        plain = key.lower().replace("-", "_")
        if plain in _SCRIPTS and _plain_name(tool) in _INTERPRETERS:
            fields[key] = script
        elif plain in _PATHS and isinstance(value, str):
            fields[key] = file
        elif plain in _TEXTS and isinstance(value, str):
            fields[key] = line
        elif plain in _COMMANDS:
            fields[key] = command if isinstance(value, str) else ["bash", "-lc", command]
    if _plain_name(tool) in _FAVOURITES:
        _keep_required(fields, tool.schema)
    return ToolCall(tool.name, fields)


def _plain_name(tool: Tool) -> str:
    """Name a tool without the namespace before it."""
    return tool.name.rsplit("__", 1)[-1].lower()


def _keep_required(fields: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Leave out the options of a tool that will really run, such as a made-up working folder."""
    required = cast("list[str]", schema.get("required", []))
    for key in list(fields):
        if required and key not in required:
            del fields[key]


def _choose_text(prompt: Prompt, directives: Directives, calls: bool) -> str:
    if directives.say is not None:
        return directives.say
    if calls and (directives.calls or not directives.answers):
        return ""
    if directives.events is not None:
        return " ".join(f"word{number}" for number in range(1, directives.events + 1))
    if prompt.schema is not None:
        return json.dumps(sample(prompt.schema))
    if prompt.json_object:
        return '{"answer": "embedded"}'
    return DONE if prompt.answers_tool else GREETING


def _limit(text: str, prompt: Prompt) -> tuple[str, str | None, str | None]:
    """End the text at the first stop sequence and at the token limit, as a model would."""
    found = [(text.find(stop), stop) for stop in prompt.stop_sequences if stop in text]
    if found:
        at, sequence = min(found)
        return text[:at], "stop_sequence", sequence
    if prompt.max_tokens is not None and len(text) > prompt.max_tokens * CHARACTERS_PER_TOKEN:
        return text[: prompt.max_tokens * CHARACTERS_PER_TOKEN], "max_tokens", None
    return text, None, None


def pieces(text: str, count: int | None) -> list[str]:
    """Cut text into the deltas of a stream: word by word, or into exactly `count`."""
    if not text:
        return []
    if count is None:
        return re.findall(r"\S+\s*|\s+", text)
    count = max(1, min(count, len(text)))
    bounds = [len(text) * number // count for number in range(count + 1)]
    return [text[start:end] for start, end in pairwise(bounds)]
