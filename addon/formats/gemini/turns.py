"""Write a conversation as the contents that the API demands.

The rules (https://ai.google.dev/gemini-api/docs/function-calling, and its 400s otherwise):

* `user` and `model` alternate, beginning and ending with `user`
* the content after one with calls begins with the responses to all of them, in their order, and
  each names the function
* no content is empty, no text blank
* from Gemini 3 on, the first call of a step carries the signature that came with it

Agents break all of them: they cut histories, answer out of order and forget results. Every repair
depends on the content at hand and those before it, never on what follows, so that a longer
conversation begins with the same parts (decision D8).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addon.formats.gemini.content import Wire, render_audio, render_file, render_image, unseen_type
from addon.formats.gemini.models import GeminiModel
from addon.formats.gemini.names import NAME
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
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire.codec import decode_object
from addon.wire.custom_tools import wrap_input
from addon.wire.unexpressed import lose_part
from addon.wire.written_runs import Run, WrittenRuns

SENTINEL = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""`skip_thought_signature_validator` in base64: stands for a signature that is gone."""

NO_RESULT = "(no result recorded)"
CONTINUE = "Continue."
EMPTY = "."


def render_contents(
    messages: Sequence[Message], model: GeminiModel, losses: LossList, preface: list[Wire]
) -> list[Wire]:
    """Write the conversation.

    Args:
        messages: The conversation without the instructions before it.
        model: What the target model accepts.
        losses: Takes what had to be repaired or left out.
        preface: Parts to stand at the very beginning, for models without a place for instructions.

    Raises:
        UnsupportedFeature: A part cannot be expressed.
    """
    contents: list[Wire] = []
    if preface:
        contents.append({"role": "user", "parts": preface})
    write = _RunWriter(model, losses).write
    nothing: _Calls = ()
    written, calls = _written.write(messages, model, nothing, losses, write)
    if calls:
        written = [*written, *write((_NOTHING,), calls, losses)[0]]
    for content in written:
        _add(contents, content, losses)
    _end_with_user(contents, losses)
    return contents


type _Calls = tuple[tuple[str, str], ...]
"""The calls that wait for their results, in order: the id and the name of each."""

_written: WrittenRuns[Wire, _Calls] = WrittenRuns()
_NOTHING = Message("user", ())


def _add(contents: list[Wire], content: Wire, losses: LossList) -> None:
    """Append a content, or lengthen the last one when it is of the same side."""
    role = content["role"]
    if contents and contents[-1]["role"] == role:
        contents[-1] = {"role": role, "parts": [*contents[-1]["parts"], *content["parts"]]}
        return
    if not contents and role == "model":
        losses.approximated("messages", "a conversation begins with the user")
        contents.append(_text_content(EMPTY))
    contents.append(content)


def _end_with_user(contents: list[Wire], losses: LossList) -> None:
    if not contents:
        losses.approximated("messages", "an empty conversation got a placeholder")
        contents.append(_text_content(EMPTY))
    elif contents[-1]["role"] == "model":
        losses.approximated("messages", f"the model takes no prefill; `{CONTINUE}` added")
        contents.append(_text_content(CONTINUE))


class _RunWriter:
    """Writes what one side says before the other side speaks again."""

    def __init__(self, model: GeminiModel, losses: LossList) -> None:
        self._model = model
        self._losses = losses
        self._contents: list[Wire] = []
        self._calls: dict[str, str] = {}

    def write(self, run: Run, calls: _Calls, losses: LossList) -> tuple[list[Wire], _Calls]:
        """Return the contents, and the calls that wait for their results then."""
        if losses is not self._losses:
            return _RunWriter(self._model, losses).write(run, calls, losses)
        self._contents, self._calls = [], dict(calls)
        if run[0].role == "assistant":
            self._add_model(run)
        else:
            self._add_user(run)
        return self._contents, tuple(self._calls.items())

    def _add(self, role: str, parts: list[Wire]) -> None:
        if parts:
            self._contents.append({"role": role, "parts": parts})

    def _add_model(self, messages: Run) -> None:
        """Write what the model said before the user spoke again."""
        calls: dict[str, str] = {}
        parts: list[Wire] = []
        for message in messages:
            if message.name:
                self._losses.dropped("messages.name", "Gemini's contents carry no name")
            for part in message.parts:
                if isinstance(part, ToolCallPart):
                    parts += self._call(part, calls)
                else:
                    parts += self._model_part(part)
        if parts:
            self._calls = calls
            self._add("model", parts)

    def _add_user(self, messages: Run) -> None:
        """Write what stands between two contents of the model: results first."""
        known = self._calls
        results: dict[str, ToolResultPart] = {}
        for message in messages:
            for part in message.parts:
                if isinstance(part, ToolResultPart) and part.call_id in known:
                    if part.call_id in results:
                        self._losses.dropped("messages", "the earlier of two results for one call")
                    results[part.call_id] = part
        parts = self._answer_calls(results)
        for message in messages:
            if message.name:
                self._losses.dropped("messages.name", "Gemini's contents carry no name")
            if message.role == "system":
                parts += self._late_instruction(message.parts)
                continue
            for part in message.parts:
                if not isinstance(part, ToolResultPart):
                    parts += self._user_part(part)
                elif part.call_id not in known:
                    parts += self._orphan(part)
        self._add("user", parts)

    def _answer_calls(self, results: dict[str, ToolResultPart]) -> list[Wire]:
        """Write a response to every open call; return parts that have to follow the responses."""
        names, self._calls = self._calls, {}
        if len(results) < len(names):
            self._losses.approximated("messages", "tool calls without a result got an empty one")
        responses: list[Wire] = []
        following: list[Wire] = []
        for call_id, name in names.items():
            response: Wire = {"id": call_id} if self._model.call_ids else {}
            response["name"] = name
            if call_id in results:
                following += self._put_result(response, results[call_id])
            else:
                response["response"] = {"error": NO_RESULT}
            responses.append({"functionResponse": response})
        self._add("user", responses)
        return following

    def _put_result(self, response: Wire, part: ToolResultPart) -> list[Wire]:
        """Put a result into its response; return the media that the model takes only after it."""
        texts: list[str] = []
        media: list[Wire] = []
        for piece in part.content:
            if isinstance(piece, TextPart):
                texts.append(piece.text)
            elif isinstance(piece, NativePart):
                self._losses.dropped(piece.kind, "exists at its own provider only")
            else:
                media += self._result_part(piece)
        if media:
            texts += [wire["text"] for wire in media if "text" in wire]
            media = [wire for wire in media if "text" not in wire]
        # Always a text: an object could hold `$ref`, which the API follows.
        response["response"] = {"error" if part.is_error else "output": "\n".join(texts)}
        if not media:
            return []
        if self._model.media_in_results and all("inlineData" in wire for wire in media):
            response["parts"] = media
            return []
        self._losses.approximated("messages", "pictures of a tool's result stand after it")
        return [{"text": f"Media of the result of `{response['name']}`:"}, *media]

    def _result_part(self, part: TextPart | ImagePart | FilePart | NativePart) -> list[Wire]:
        """Write a piece of a result; what a tool gave back is no reason to refuse a request."""
        if isinstance(part, ImagePart) and (unseen := unseen_type(part)):
            self._losses.dropped("messages", f"Gemini takes no {unseen}")
            return [{"text": f"(a picture of the type {unseen}, which cannot be shown)"}]
        return self._user_part(part)

    def _call(self, part: ToolCallPart, calls: dict[str, str]) -> list[Wire]:
        if part.call_id in calls:
            self._losses.dropped("tool_calls", "a second call with the same id")
            return []
        first = not calls
        calls[part.call_id] = part.name
        call: Wire = {"id": part.call_id} if self._model.call_ids else {}
        call["name"] = part.name
        call["args"] = self._arguments(part)
        wire: Wire = {"functionCall": call}
        signature = self._signature(part.state)
        if signature is None and first and self._model.signed_calls:
            self._losses.approximated("tool_calls", "the call's thought signature is gone")
            signature = SENTINEL
        return [_signed(wire, signature)]

    def _arguments(self, part: ToolCallPart) -> Wire:
        if part.kind == "custom":
            return wrap_input(part.arguments)
        if not part.arguments.strip():
            return {}
        arguments = decode_object(part.arguments)
        if arguments is None:
            self._losses.approximated(
                "tool_calls.arguments", "not a JSON object; kept as text under `_raw`"
            )
            return {"_raw": part.arguments}
        return arguments

    def _signature(self, state: OpaqueState | None) -> str | None:
        if state is None:
            return None
        if state.format != NAME:
            self._losses.dropped("reasoning", "another provider's state means nothing to Gemini")
            return None
        return state.data

    def _model_part(self, part: Part) -> list[Wire]:
        match part:
            case TextPart(text):
                signature = self._signature(part.state)
                if not text.strip() and signature is None:
                    return []
                return [_signed({"text": text}, signature)]
            case RefusalPart(text):
                return [{"text": text}] if text.strip() else []
            case ReasoningPart(text, state):
                signature = self._signature(state)
                if signature is None:
                    # Never as visible text: the model would imitate it in its answers.
                    self._losses.dropped("reasoning", "thoughts without Gemini's signature")
                    return []
                return [_signed({"text": text, "thought": True}, signature)]
            case NativePart(format, _, data) if format == NAME:
                return [dict(data)]
            case NativePart(_, kind, _):
                self._losses.dropped(kind, "exists at its own provider only")
            case AudioPart():
                self._losses.dropped("audio", "Gemini takes no sound from the model's side")
            case _:
                lose_part(part, self._losses, "a model content takes text and calls only")
        return []

    def _user_part(self, part: Part) -> list[Wire]:
        match part:
            case TextPart(text):
                return [{"text": text}] if text.strip() else []
            case ImagePart():
                return [render_image(part, self._model, self._losses)]
            case FilePart():
                return [render_file(part, self._model, self._losses)]
            case AudioPart():
                return [render_audio(part, self._model)]
            case NativePart(format, _, data) if format == NAME:
                return [dict(data)]
            case NativePart(_, kind, _):
                self._losses.dropped(kind, "exists at its own provider only")
            case _:
                lose_part(part, self._losses, "a user content takes no calls or thoughts")
        return []

    def _orphan(self, part: ToolResultPart) -> list[Wire]:
        self._losses.approximated("messages", "a tool result without its call became user text")
        label = {"text": f"Result of an earlier tool call ({part.call_id}):"}
        return [label, *(wire for piece in part.content for wire in self._result_part(piece))]

    def _late_instruction(self, parts: tuple[Part, ...]) -> list[Wire]:
        text = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
        if not text.strip():
            return []
        self._losses.approximated("messages.role", "a late system message became user text")
        return [{"text": f"<system>\n{text}\n</system>"}]


def _signed(wire: Wire, signature: str | None) -> Wire:
    if signature is not None:
        wire["thoughtSignature"] = signature
    return wire


def _text_content(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}
