"""Mend one of the answers that a stream of chunks holds, where it would mislead a client.

Clients concatenate strings of all chunks, add up numbers and put lists together by `index`. So what
is repeated, not numbered or of the wrong type is put right; everything else stays, also fields that
OpenAI does not know.
"""

from __future__ import annotations

from typing import Any

from addon.formats.openai_chat.chunk import read_call, split_content
from addon.formats.openai_chat.finish_reasons import (
    broken_answer,
    parse_finish_reason,
    render_finish_reason,
)
from addon.formats.openai_chat.tool_call_matching import Call, CallTable
from addon.neutral import ErrorInfo
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]

_MOST_LISTS = 64
"""Fields of one delta whose entries are numbered."""


class ChoiceMender:
    """Follows one choice through a stream and mends its pieces in place."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._spoke = False
        self._role_sent = False
        self._calls = CallTable()
        self._unargued: dict[int, Call] = {}
        self._called = False
        self._function_called = False
        self._list_lengths: dict[str, int] = {}
        self.finished = False
        """Whether a finish reason has come."""
        self.error: ErrorInfo | None = None
        """The error that the finish reason stood for, if it was one."""

    def mend(self, choice: Wire) -> bool:
        """Put a piece right; return whether anything had to be changed."""
        changed = self._mend_delta(choice)
        return self._mend_finish(choice) or changed

    def missing_arguments(self) -> list[Wire]:
        """Return pieces for calls that ended without arguments, which agents fail to parse."""
        pieces: list[Wire] = [
            {"index": call.ordinal, "function": {"arguments": "{}"}}
            for call in self._unargued.values()
        ]
        self._unargued = {}
        return pieces

    def final_reason(self) -> str:
        """Return the finish reason for an answer that ended without one."""
        return render_finish_reason(parse_finish_reason("", called=self._called), legacy=False)

    def _mend_delta(self, choice: Wire) -> bool:
        changed = type(choice.get("delta")) is not dict
        if changed:
            message = mapping(choice.pop("message", None))
            choice["delta"] = {} if self._spoke else message
        wire = mapping(choice["delta"])
        changed = self._mend_role(wire) or changed
        changed = self._mend_content(wire) or changed
        changed = self._mend_calls(wire) or changed
        changed = self._mend_lists(wire) or changed
        self._spoke = True
        return changed

    def _mend_role(self, delta: Wire) -> bool:
        if not self._role_sent:
            self._role_sent = True
            changed = delta.get("role") != "assistant"
            delta["role"] = "assistant"
            return changed
        return delta.pop("role", None) is not None

    def _mend_content(self, delta: Wire) -> bool:
        content = delta.get("content")
        if content is None or isinstance(content, str):
            return False
        words, thoughts = split_content(content)
        delta["content"] = words or None
        if thoughts:
            delta["reasoning_content"] = text(delta.get("reasoning_content")) + thoughts
        return True

    def _mend_calls(self, delta: Wire) -> bool:
        changed = self._mend_function_call(delta)
        calls = delta.get("tool_calls")
        if calls is None:
            return changed
        entries = [mapping(entry) for entry in sequence(calls)] or [mapping(calls)]
        mended = [right for entry in entries if (right := self._mended_call(entry)) is not None]
        if mended == calls:
            return changed
        delta["tool_calls"] = mended
        return True

    def _mended_call(self, entry: Wire) -> Wire | None:
        """Return an entry put right; None when it has to be left out."""
        if not entry:
            return None
        piece = read_call(entry)
        name, arguments = piece.name_and_arguments()
        call = self._calls.find(piece, name, arguments)
        first = call is None
        call = call or self._calls.add(piece)
        if call is None:
            return None
        self._called = True
        arguments = call.spoken(arguments)
        new_name = "" if call.name else name
        call.name = call.name or name
        mended = {**entry, "index": call.ordinal}
        if first:
            mended |= {"id": call.call_id(self._seed), "type": call.kind}
            if call.kind == "function":
                self._unargued[call.ordinal] = call
        else:
            mended.pop("id", None)
        if call.kind in entry or first:
            body = mapping(entry.get(call.kind))
            mended[call.kind] = _mended_body(body, call, new_name, arguments)
        if arguments:
            self._unargued.pop(call.ordinal, None)
            call.progress.feed(arguments)
        return mended

    def _mend_function_call(self, delta: Wire) -> bool:
        wire = mapping(delta.get("function_call"))
        if not any(wire.values()):
            return False
        self._called = True
        first, self._function_called = not self._function_called, True
        arguments = wire.get("arguments")
        changed = arguments is not None and not isinstance(arguments, str)
        if changed:
            wire["arguments"] = encode_text(arguments)
        if not first:
            changed = wire.pop("name", None) is not None or changed
        return changed

    def _mend_lists(self, delta: Wire) -> bool:
        """Number the entries of lists that come in several chunks."""
        changed = False
        for field, value in delta.items():
            entries = sequence(value)
            if field == "tool_calls" or not entries or type(entries[0]) is not dict:
                continue
            start = self._list_lengths.get(field, 0)
            for position, entry in enumerate(map(mapping, entries)):
                if start and type(entry.get("index")) is not int:
                    entry["index"] = start + position
                    changed = True
            if start or len(self._list_lengths) < _MOST_LISTS:
                self._list_lengths[field] = start + len(entries)
        return changed

    def _mend_finish(self, choice: Wire) -> bool:
        reason = choice.get("finish_reason")
        if reason is None:
            return False
        word = text(reason)
        if not word:
            choice["finish_reason"] = None
            return True
        self.finished = True
        self.error = broken_answer(word)
        legacy = word == "function_call"
        right = render_finish_reason(parse_finish_reason(word, called=self._called), legacy=legacy)
        if right == word:
            return False
        choice["finish_reason"] = right
        return True


def _mended_body(body: Wire, call: Call, new_name: str, arguments: str) -> Wire:
    """Return the `function` or `custom` of an entry: the name once, arguments as text."""
    field = "arguments" if call.kind == "function" else "input"
    mended = dict(body)
    if arguments or field in body or new_name:
        mended[field] = arguments
    if not new_name:
        mended.pop("name", None)
    return mended
