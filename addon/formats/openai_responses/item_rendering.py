"""Write a conversation as items.

The API wants an output for every call and a call for every output, and a thought only before what
came of it. Results are put behind the turn that asked for them, missing ones are filled in and
those without a call become user text. All of it depends on what came before alone, so that a
longer conversation begins with the same items (decision D8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.content_rendering import Block, render_part
from addon.formats.openai_responses.dialects import Dialect
from addon.neutral import (
    LossList,
    Message,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire.codec import encode_text
from addon.wire.custom_tools import wrap_input
from addon.wire.unexpressed import lose_part
from addon.wire.written_runs import Run, WrittenRuns

EMPTY_MESSAGE: Block = {"type": "message", "role": "user", "content": "(empty)"}
NO_RESULT = "(no result recorded)"
_LONGEST_ID = 64
_NAMED_RESULT = "Result of an earlier tool call ({}):"


class ItemRenderer:
    """Writes the items of one request."""

    def __init__(self, dialect: Dialect, losses: LossList) -> None:
        self._dialect = dialect
        self._losses = losses

    def system(self, messages: tuple[SystemMessage, ...]) -> tuple[str | None, list[Block]]:
        """Write what stands before the conversation, as instructions or as items."""
        texts = ["\n\n".join(part.text for part in message.parts) for message in messages]
        if all(message.role == "system" for message in messages):
            return "\n\n".join(text for text in texts if text) or None, []
        return None, [
            {"type": "message", "role": message.role, "content": text}
            for message, text in zip(messages, texts, strict=True)
            if text
        ]

    def conversation(self, messages: Sequence[Message]) -> list[Block]:
        """Write the conversation.

        Raises:
            UnsupportedFeature: It holds content that cannot be expressed.
        """
        nothing: _State = (False, ())
        dialect = id(self._dialect)  # there is one object of each
        items, (_, calls) = _written.write(messages, dialect, nothing, self._losses, self._write)
        return [*items, *(self._output(call, kind, NO_RESULT) for call, kind in calls)]

    def _write(self, run: Run, state: _State, losses: LossList) -> tuple[list[Block], _State]:
        """Write what one side says."""
        if losses is not self._losses:
            return ItemRenderer(self._dialect, losses)._write(run, state, losses)
        begun, calls = state
        items: list[Block] = []
        if run[0].role == "assistant":
            made = self._assistant(run, items)
            return items, (begun or bool(items), tuple(made.items()))
        self._between(run, dict(calls), items)
        if not items and not begun:  # a blank beginning must not vanish when more follows it
            items.append(EMPTY_MESSAGE)
        return items, (True, ())

    def _assistant(self, turn: Run, items: list[Block]) -> dict[str, str]:
        """Write one turn; return the kinds of the calls it makes, by id."""
        calls: dict[str, str] = {}
        thoughts: list[Block] = []
        if any(message.name for message in turn):
            self._losses.dropped("messages.name", "items carry no name")
        for part in _parts(turn):
            if isinstance(part, ReasoningPart):
                thoughts += self._thought(part)
                continue
            item = self._said(part, calls)
            if item is not None:
                items += thoughts  # one that nothing came of is refused
                thoughts = []
                items.append(item)
        return calls

    def _said(self, part: Part, calls: dict[str, str]) -> Block | None:
        match part:
            case TextPart(text) | RefusalPart(text):
                if isinstance(part, TextPart):
                    self._lose_state(part)
                return {"type": "message", "role": "assistant", "content": text} if text else None
            case ToolCallPart():
                call_id = legal_call_id(part.call_id)
                if call_id in calls:
                    self._losses.dropped("tool_calls", "a second call with the same id")
                    return None
                call = self._call(part, call_id)
                calls[call_id] = call["type"]
                return call
            case NativePart(_, kind, _):
                self._losses.dropped(kind, "exists at its own provider only")
            case _:
                lose_part(
                    part, self._losses, "an assistant turn takes text, thoughts and calls only"
                )
        return None

    def _thought(self, part: ReasoningPart) -> list[Block]:
        state = part.state
        if state is not None and state.format == NAME and self._dialect.encrypted:
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            return [{"type": "reasoning", "summary": summary, "encrypted_content": state.data}]
        if part.text and self._dialect.open_thoughts:
            content = [{"type": "reasoning_text", "text": part.text}]
            return [{"type": "reasoning", "summary": [], "content": content}]
        self._losses.dropped("reasoning", "thoughts that the provider did not sign are refused")
        return []

    def _call(self, part: ToolCallPart, call_id: str) -> Block:
        self._lose_state(part)
        if part.kind == "custom" and self._dialect.custom_tools:
            return {
                "type": "custom_tool_call",
                "call_id": call_id,
                "name": part.name,
                "input": part.arguments,
            }
        arguments = part.arguments or "{}"
        if part.kind == "custom":
            arguments = encode_text(wrap_input(part.arguments))
        return {
            "type": "function_call",
            "call_id": call_id,
            "name": part.name,
            "arguments": arguments,
        }

    def _lose_state(self, part: TextPart | ToolCallPart) -> None:
        if part.state is not None and part.state.format != NAME:
            self._losses.dropped("reasoning.state", "another provider's state means nothing here")

    def _between(self, messages: Run, calls: dict[str, str], items: list[Block]) -> None:
        """Write what stands between two assistant turns: outputs first, then everything else."""
        results: dict[str, ToolResultPart] = {}
        for part in _parts(messages):
            if isinstance(part, ToolResultPart) and legal_call_id(part.call_id) in calls:
                if legal_call_id(part.call_id) in results:
                    self._losses.dropped("messages", "the earlier of two results for one tool call")
                results[legal_call_id(part.call_id)] = part
        for call, kind in calls.items():
            if call in results:
                items.append(self._output(call, kind, self._result(results[call])))
            else:
                self._losses.approximated(
                    "messages", "tool calls without a result got an empty one"
                )
                items.append(self._output(call, kind, NO_RESULT))
        for message in messages:
            items += self._other(message, calls)

    def _output(self, call_id: str, kind: str, output: str | list[Block]) -> Block:
        return {"type": f"{kind}_output", "call_id": call_id, "output": output}

    def _result(self, part: ToolResultPart) -> str | list[Block]:
        if part.is_error:
            self._losses.dropped("tool_result.is_error", "there is no mark for failed calls")
        blocks = [
            block
            for piece in part.content
            if (block := render_part(piece, self._losses)) is not None
        ]
        if len(blocks) == 1 and blocks[0]["type"] == "input_text":
            return blocks[0]["text"]
        return blocks or ""

    def _other(self, message: Message, calls: dict[str, str]) -> list[Block]:
        role = message.role
        if role == "system":
            role = "developer" if message.developer else "system"
        elif role == "tool":
            role = "user"
        if message.name:
            self._losses.dropped("messages.name", "items carry no name")
        content = [
            block
            for part in self._unanswered(message.parts, calls)
            if (block := render_part(part, self._losses)) is not None
        ]
        return [{"type": "message", "role": role, "content": content}] if content else []

    def _unanswered(self, parts: tuple[Part, ...], calls: dict[str, str]) -> Iterator[Part]:
        """Leave out the results that have been written, and turn orphaned ones into text."""
        for part in parts:
            if not isinstance(part, ToolResultPart):
                yield part
            elif legal_call_id(part.call_id) not in calls:
                self._losses.approximated(
                    "messages", "a tool result without its call became user text"
                )
                yield TextPart(_NAMED_RESULT.format(part.call_id))
                yield from part.content


type _State = tuple[bool, tuple[tuple[str, str], ...]]
"""Whether anything was written yet, and the calls that wait for their results: id and kind."""

_written: WrittenRuns[Block, _State] = WrittenRuns()


def legal_call_id(call_id: str) -> str:
    """Return a call id that is short enough; the same one for the same input."""
    if len(call_id) <= _LONGEST_ID:
        return call_id
    digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"call_{digest[:32]}"


def _parts(messages: Iterable[Message]) -> Iterator[Part]:
    for message in messages:
        yield from message.parts
