"""Write the conversation as messages of Chat.

Chat wants the results of a turn's calls directly behind that turn, one message each, and text in
them only. So results are moved there, missing ones are filled in, those without a call become user
text, and pictures follow in a user message. All of it depends on what came before alone: a longer
conversation begins with the same messages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.content_rendering import TEXT_SEPARATOR, Block, ContentRenderer
from addon.formats.openai_chat.returned_thoughts import signed, thoughts_of
from addon.neutral import (
    AudioPart,
    FilePart,
    ImagePart,
    LossList,
    Message,
    NativePart,
    OpaqueState,
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

NO_RESULT = "(no result recorded)"
BLANK_THOUGHT = " "
"""Stands for thoughts that are gone where a provider insists on some."""
SKIP_SIGNATURE = "skip_thought_signature_validator"
"""Google's documented word for a call whose thought signature is gone."""

_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_NAMED_RESULT = "Result of an earlier tool call ({}):"


class MessageRenderer:
    """Writes the messages of one request."""

    def __init__(self, content: ContentRenderer, losses: LossList) -> None:
        self._content = content
        self._dialect = content.dialect
        self._losses = losses

    def system(self, messages: Iterable[SystemMessage], instruction: str | None) -> list[Block]:
        """Write what stands before the conversation, an instruction of our own last."""
        systems = [message for message in messages if message.parts]
        if instruction is not None:
            systems.append(SystemMessage((TextPart(instruction),)))
        if self._dialect.merged_system and systems:
            parts = (part.text for message in systems for part in message.parts)
            return [{"role": "system", "content": TEXT_SEPARATOR.join(parts)}]
        return [
            {
                "role": self._system_role(developer=message.role == "developer"),
                "content": self._content.texts(message.parts),
            }
            for message in systems
        ]

    def conversation(self, messages: Sequence[Message]) -> list[Block]:
        """Write the conversation.

        Raises:
            UnsupportedFeature: It holds content that cannot be expressed.
        """
        nothing: tuple[str, ...] = ()
        rendered, calls = _written.write(
            messages, self._content.target, nothing, self._losses, self._write
        )
        if calls:
            rendered = [*rendered, *self._missing_results(calls)]
        if rendered and self._dialect.prefix_flag and rendered[-1]["role"] == "assistant":
            rendered = [*rendered[:-1], {**rendered[-1], "prefix": True}]
        return rendered

    def _write(
        self, run: Run, calls: tuple[str, ...], losses: LossList
    ) -> tuple[list[Block], tuple[str, ...]]:
        """Write what one side says; also return the ids of the calls that it leaves open."""
        if losses is not self._losses:
            alone = MessageRenderer(self._content.reporting_to(losses), losses)
            return alone._write(run, calls, losses)
        if run[0].role != "assistant":
            return self._between(run, calls), ()
        parts = run[0].parts if len(run) == 1 else tuple(_parts(run))
        made = tuple([part.call_id for part in parts if type(part) is ToolCallPart])
        return self._assistant(run, parts), made

    def call_id(self, call_id: str) -> str:
        """Return an id that the provider takes; calls and results get the same one."""
        nine = self._dialect.call_ids == "nine"
        if _NINE.fullmatch(call_id) if nine else len(call_id) <= int(self._dialect.call_ids):
            return call_id
        digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
        return digest[:9] if nine else f"call_{digest[:32]}"

    def _system_role(self, *, developer: bool) -> str:
        return "developer" if developer and self._dialect.developer_role else "system"

    def _assistant(self, turn: Run, parts: tuple[Part, ...]) -> list[Block]:
        texts: list[TextPart] = []
        calls: list[Block] = []
        thoughts: list[ReasoningPart] = []
        for part in parts:
            if type(part) is TextPart:
                texts.append(part)
            elif type(part) is ToolCallPart:
                calls.append(self._call(part))
            elif type(part) is ReasoningPart:
                thoughts.append(part)
            elif type(part) is RefusalPart:
                texts.append(TextPart(part.text))
        content = self._content.texts([text for text in texts if text.text])
        message: Block = {"role": "assistant", "content": content or (None if calls else "")}
        if thoughts or self._dialect.echo == "required":
            message |= self._thoughts(thoughts, bool(calls))
        if calls:
            if self._dialect.thought_signatures and "extra_content" not in calls[0]:
                calls[0]["extra_content"] = signed(SKIP_SIGNATURE)
            message["tool_calls"] = calls
        self._lose_others(parts)
        if name := next((message.name for message in turn if message.name), None):
            self._put_name(message, name)
        return [message] if content or calls else []

    def _thoughts(self, thoughts: list[ReasoningPart], has_calls: bool) -> Block:
        fields = thoughts_of(thoughts, self._dialect)
        if not fields and any(part.text for part in thoughts):
            self._losses.dropped("reasoning", "the provider takes no earlier thoughts back")
        if not fields and has_calls and self._dialect.echo == "required":
            return {self._dialect.thoughts_name: BLANK_THOUGHT}
        return fields

    def _call(self, part: ToolCallPart) -> Block:
        call: dict[str, Any] = {"id": self.call_id(part.call_id), "type": "function"}
        if part.kind == "custom" and self._dialect.custom_tools:
            call["type"] = "custom"
            call["custom"] = {"name": part.name, "input": part.arguments}
        else:
            arguments = part.arguments or "{}"
            if part.kind == "custom":
                arguments = encode_text(wrap_input(part.arguments))
            call["function"] = {"name": part.name, "arguments": arguments}
        state = part.state
        if self._dialect.thought_signatures and state is not None and state.format == NAME:
            call["extra_content"] = signed(state.data)
        return call

    def _lose_others(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if type(part) is TextPart or type(part) is ToolCallPart:
                if _is_foreign(part.state):
                    self._losses.dropped("reasoning.state", "another provider's opaque state")
                continue
            match part:
                case NativePart(_, kind, _):
                    self._losses.dropped(kind, "exists at its own provider only")
                case ReasoningPart(_, state) if _is_foreign(state):
                    self._losses.dropped("reasoning.state", "another provider's opaque state")
                case ImagePart() | FilePart() | AudioPart():
                    lose_part(part, self._losses, "an assistant turn takes text and calls only")
                case _:
                    pass

    def _between(self, messages: Run, calls: Sequence[str]) -> list[Block]:
        """Write what stands between two assistant turns: results first, then everything else."""
        results: dict[str, ToolResultPart] = {}
        orphans = False
        for message in messages:
            for part in message.parts:
                if type(part) is not ToolResultPart:
                    continue
                if part.call_id not in calls:
                    orphans = True
                else:
                    if part.call_id in results:
                        lost = "the earlier of two results for one tool call"
                        self._losses.dropped("messages", lost)
                    results[part.call_id] = part
        rendered: list[Block] = []
        attachments: list[Part] = []
        for part in results.values():
            rendered.append(self._result(part, attachments))
        if len(results) < len(calls):
            rendered += self._missing_results([call for call in calls if call not in results])
        if attachments:
            self._losses.approximated(
                "messages.content", "pictures and files of a tool's result follow it as user's"
            )
            rendered.append({"role": "user", "content": self._content.parts(attachments)})
        for message in messages:
            if orphans or message.role != "tool":
                rendered += self._other(message, results)
        return rendered

    def _result(self, part: ToolResultPart, attachments: list[Part]) -> Block:
        texts: list[TextPart] = []
        media: list[ImagePart | FilePart] = []
        for piece in part.content:
            if type(piece) is TextPart:
                texts.append(piece)
            elif type(piece) is NativePart:
                self._losses.dropped(piece.kind, "exists at its own provider only")
            elif type(piece) is ImagePart or type(piece) is FilePart:
                media.append(piece)
        if media:
            attachments += [TextPart(f"Output of tool call {self.call_id(part.call_id)}:"), *media]
            if not texts:
                texts = [TextPart("(see the attachment below)")]
        if part.is_error:
            self._losses.dropped("tool_result.is_error", "Chat has no mark for failed calls")
        if texts and part.cache_breakpoint is not None:
            last = texts[-1]
            texts[-1] = TextPart(last.text, last.citations, part.cache_breakpoint)
        return {
            "role": "tool",
            "tool_call_id": self.call_id(part.call_id),
            "content": self._content.texts(texts),
        }

    def _missing_results(self, calls: Sequence[str]) -> list[Block]:
        if calls:
            self._losses.approximated("messages", "tool calls without a result got an empty one")
        return [
            {"role": "tool", "tool_call_id": self.call_id(call), "content": NO_RESULT}
            for call in calls
        ]

    def _other(self, message: Message, results: dict[str, ToolResultPart]) -> list[Block]:
        if message.role == "system":
            return self._late_system(message)
        parts = self._unanswered(message.parts, results)
        if not parts:
            return []
        rendered: Block = {"role": "user", "content": self._content.parts(parts)}
        if message.name:
            self._put_name(rendered, message.name)
        return [rendered]

    def _unanswered(
        self, parts: tuple[Part, ...], results: dict[str, ToolResultPart]
    ) -> list[Part]:
        """Leave out the results that have been written, and turn orphaned ones into text."""
        kept: list[Part] = []
        for part in parts:
            if type(part) is not ToolResultPart:
                kept.append(part)
            elif part.call_id not in results:
                self._losses.approximated(
                    "messages", "a tool result without its call became user text"
                )
                kept.append(TextPart(_NAMED_RESULT.format(part.call_id)))
                kept += part.content
        return kept

    def _late_system(self, message: Message) -> list[Block]:
        texts = [part for part in message.parts if isinstance(part, TextPart)]
        if not texts:
            return []
        if not self._dialect.merged_system:
            role = self._system_role(developer=message.developer)
            return [{"role": role, "content": self._content.texts(texts)}]
        self._losses.approximated("messages.role", "a late system message became user text")
        text = TEXT_SEPARATOR.join(part.text for part in texts)
        return [{"role": "user", "content": f"<system>\n{text}\n</system>"}]

    def _put_name(self, message: Block, name: str) -> None:
        if self._dialect.message_names:
            message["name"] = name
        else:
            self._losses.dropped("messages.name", "the provider's messages carry no name")


_written: WrittenRuns[Block, tuple[str, ...]] = WrittenRuns()


def _is_foreign(state: OpaqueState | None) -> bool:
    return state is not None and state.format != NAME


def _parts(messages: Iterable[Message]) -> Iterator[Part]:
    return (part for message in messages for part in message.parts)
