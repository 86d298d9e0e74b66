"""Write a conversation as the alternating turns that the API demands.

The rules (https://docs.anthropic.com/en/api/messages, and the 400s it answers otherwise):

* user and assistant alternate; adjacent messages of one side become one turn
* the turn after a `tool_use` holds the results of all its calls, before anything else
* no block may be blank, no turn empty, and most models want the last turn to be the user's
* `system` messages amid the conversation exist on some models only

Agents break all of them: they cut histories, answer out of order and forget results. Every repair
depends on the turn at hand and those before it, never on what follows, so that a longer
conversation begins with the same bytes (decision D8).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from addon.formats.anthropic.call_ids import legal_call_id
from addon.formats.anthropic.content import (
    NAME,
    Block,
    render_file,
    render_image,
    render_text,
    render_tool_input,
    with_cache_control,
)
from addon.formats.anthropic.models import ClaudeModel
from addon.neutral import (
    AudioPart,
    FilePart,
    HostedCallPart,
    ImagePart,
    LossList,
    Message,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UnsupportedFeature,
)
from addon.wire.custom_tools import wrap_input
from addon.wire.unexpressed import lose_part
from addon.wire.written_runs import Run, WrittenRuns

NO_RESULT = "(no result recorded)"
CONTINUE = "Continue."
EMPTY = "."

type Turn = dict[str, Any]


type _State = tuple[bool, tuple[str, ...]]
"""Whether anything was written yet, and the ids of the calls that wait for their results."""


def render_turns(
    messages: Sequence[Message], model: ClaudeModel, losses: LossList, instruction: str | None
) -> list[Turn]:
    """Write the conversation.

    Args:
        messages: The conversation without the instructions before it.
        model: What the target model accepts.
        losses: Takes what had to be repaired or left out.
        instruction: One more instruction, to stand at the very end; None for none.

    Raises:
        UnsupportedFeature: A part cannot be expressed.
    """
    write = partial(_write_run, model)
    nothing: _State = (False, ())
    written, (_, calls) = _written.write(messages, model.mid_system, nothing, losses, write)
    turns = _joined(written)
    if calls:
        losses.approximated("messages", "tool calls without a result got an empty one")
        turns.append({"role": "user", "content": [_missing_result(call) for call in calls]})
    _end_with_user(turns, model, losses)
    if instruction is not None:
        _append_system(turns, instruction, model)
    return turns


def _joined(written: list[Turn]) -> list[Turn]:
    """Make one turn of several of one side between which nothing of the other side came."""
    turns: list[Turn] = []
    speaking = ""
    for turn in written:
        role = turn["role"]
        if role == speaking != "system":
            turns[-1] = _lengthened(turns[-1], turn["content"])
        else:
            turns.append(turn)
        speaking = role
    return turns


def _lengthened(turn: Turn, blocks: list[Block]) -> Turn:
    return {**turn, "content": [*turn["content"], *blocks]}


def _write_run(
    model: ClaudeModel, run: Run, state: _State, losses: LossList
) -> tuple[list[Turn], _State]:
    """Write what one side says."""
    begun, calls = state
    if run[0].role == "assistant":
        blocks, made = _assistant_blocks(run, losses)
        turns: list[Turn] = [{"role": "assistant", "content": blocks}] if blocks else []
        return turns, (begun or bool(turns), tuple(made))
    turns = _user_turns(run, calls, model, losses)
    if not turns and not begun:  # a blank beginning must not vanish when more follows it
        turns = [{"role": "user", "content": [{"type": "text", "text": EMPTY}]}]
    return turns, (True, ())


_written: WrittenRuns[Turn, _State] = WrittenRuns()


def _assistant_blocks(messages: Run, losses: LossList) -> tuple[list[Block], list[str]]:
    """Write one assistant turn; also return the ids of the calls it makes."""
    blocks: list[Block] = []
    calls: list[str] = []
    for message in messages:
        if message.name:
            losses.dropped("messages.name", "Anthropic's messages carry no name")
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                call_id = legal_call_id(part.call_id)
                if call_id in calls:
                    losses.dropped("tool_calls", "a second call with the same id")
                    continue
                calls.append(call_id)
                blocks.append(_call_block(part, call_id, losses))
            else:
                blocks += _assistant_part(part, losses)
    return _thinking_first(blocks), calls


def _assistant_part(part: Part, losses: LossList) -> list[Block]:
    match part:
        case TextPart():
            if part.state is not None:
                losses.dropped("reasoning.state", "another provider's state means nothing here")
            return [render_text(part)] if part.text.strip() else []
        case RefusalPart(text):
            return [{"type": "text", "text": text}] if text.strip() else []
        case ReasoningPart():
            return _reasoning_blocks(part, losses)
        case NativePart(format, _, data) if format == NAME:
            return [dict(data)]
        case NativePart(_, kind, _):
            losses.dropped(kind, "exists at its own provider only")
        case AudioPart():
            losses.dropped("audio", "Anthropic has no audio")
        case _:
            lose_part(part, losses, "an assistant turn takes text, thoughts and calls only")
    return []


def _thinking_first(blocks: list[Block]) -> list[Block]:
    """Move a turn's thoughts to its front when words stand before them.

    A turn merged from several messages may hold `text, thinking, tool_use`; interleaved thinking
    between calls is legal and stays.
    """
    kinds = [block["type"] for block in blocks]
    if "tool_use" in kinds or not kinds:
        return blocks
    return sorted(blocks, key=lambda block: block["type"] == "text")


def _reasoning_blocks(part: ReasoningPart, losses: LossList) -> list[Block]:
    state = part.state
    if state is None or state.format != NAME:
        # Never as visible text: the model would imitate it in its answers.
        losses.dropped("reasoning", "thoughts without Anthropic's own signature are refused")
        return []
    if state.kind == "redacted":
        return [{"type": "redacted_thinking", "data": state.data}]
    return [{"type": "thinking", "thinking": part.text, "signature": state.data}]


def _call_block(part: ToolCallPart, call_id: str, losses: LossList) -> Block:
    if part.kind == "custom":
        arguments: dict[str, Any] = wrap_input(part.arguments)
    else:
        arguments = render_tool_input(part.arguments, losses)
    if part.state is not None:
        losses.dropped("reasoning.state", "another provider's state means nothing to Anthropic")
    block: Block = {"type": "tool_use", "id": call_id, "name": part.name, "input": arguments}
    return with_cache_control(block, part.cache_breakpoint)


def _user_turns(
    messages: Run, calls: Sequence[str], model: ClaudeModel, losses: LossList
) -> list[Turn]:
    """Write what stands between two assistant turns: one user turn, then system messages."""
    results = _result_blocks(messages, calls, losses)
    blocks: list[Block] = []
    systems: list[Turn] = []
    for message in messages:
        if message.name:
            losses.dropped("messages.name", "Anthropic's messages carry no name")
        if message.role == "system":
            _add_system(message, model, blocks, systems, losses)
            continue
        for part in message.parts:
            blocks += _user_part(part, calls, losses)
    content = [*results, *blocks]
    if not content:
        if not systems and not calls:
            return []
        content = [{"type": "text", "text": CONTINUE if systems else EMPTY}]
    return [{"role": "user", "content": content}, *systems]


def _add_system(
    message: Message, model: ClaudeModel, blocks: list[Block], systems: list[Turn], losses: LossList
) -> None:
    texts = [part for part in message.parts if isinstance(part, TextPart)]
    text = "\n\n".join(part.text for part in texts)
    if not text.strip():
        return
    marks = [part.cache_breakpoint for part in texts if part.cache_breakpoint is not None]
    mark = marks[-1] if marks else None
    if not model.mid_system:
        losses.approximated("messages.role", "a late system message became text in a user turn")
        blocks.append(with_cache_control(system_block(text), mark))
    elif mark is None:
        systems.append({"role": "system", "content": text})
    else:
        block = with_cache_control({"type": "text", "text": text}, mark)
        systems.append({"role": "system", "content": [block]})


def system_block(text: str) -> Block:
    """Write a late instruction as text of the user's turn."""
    return {"type": "text", "text": f"<system>\n{text}\n</system>"}


def _result_blocks(messages: Run, calls: Sequence[str], losses: LossList) -> list[Block]:
    """Write the results of the last turn's calls, in the order of the calls, none missing."""
    if not calls:
        return []
    found: dict[str, ToolResultPart] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResultPart) and legal_call_id(part.call_id) in calls:
                if legal_call_id(part.call_id) in found:
                    losses.dropped("messages", "the earlier of two results for one tool call")
                found[legal_call_id(part.call_id)] = part
    if len(found) < len(calls):
        losses.approximated("messages", "tool calls without a result got an empty one")
    return [
        _result_block(found[call], call, losses) if call in found else _missing_result(call)
        for call in calls
    ]


def _result_block(part: ToolResultPart, call_id: str, losses: LossList) -> Block:
    content: list[Block] = []
    for piece in part.content:
        match piece:
            case TextPart():
                if piece.text.strip():
                    content.append(render_text(piece))
            case ImagePart():
                content.append(render_image(piece, losses))
            case FilePart():
                content.append(render_file(piece))
            case NativePart(format, _, data) if format == NAME:
                content.append(dict(data))
            case NativePart(_, kind, _):
                losses.dropped(kind, "exists at its own provider only")
    block: Block = {"type": "tool_result", "tool_use_id": call_id}
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        block["content"] = content[0]["text"]
    elif content:  # an empty list is refused, an absent one is not
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return with_cache_control(block, part.cache_breakpoint)


def _missing_result(call_id: str) -> Block:
    return {
        "type": "tool_result",
        "tool_use_id": call_id,
        "content": NO_RESULT,
        "is_error": True,
    }


def _user_part(part: Part, calls: Sequence[str], losses: LossList) -> list[Block]:
    match part:
        case TextPart():
            return [render_text(part)] if part.text.strip() else []
        case ImagePart():
            return [render_image(part, losses)]
        case FilePart():
            return [render_file(part)]
        case ToolResultPart():
            if legal_call_id(part.call_id) in calls:
                return []
            losses.approximated("messages", "a tool result without its call became user text")
            return _orphan_blocks(part, losses)
        case AudioPart():
            raise UnsupportedFeature("input_audio", "Anthropic takes no audio")
        case NativePart(format, _, data) if format == NAME:
            return [dict(data)]
        case NativePart(_, kind, _):
            losses.dropped(kind, "exists at its own provider only")
            return []
        case RefusalPart() | ReasoningPart() | ToolCallPart() | HostedCallPart():
            lose_part(part, losses, "a user turn takes no calls, thoughts or refusals")
            return []


def _orphan_blocks(part: ToolResultPart, losses: LossList) -> list[Block]:
    block = _result_block(part, legal_call_id(part.call_id), losses)
    content = block.get("content", [])
    inner: list[Block] = (
        [{"type": "text", "text": content}] if isinstance(content, str) else content
    )
    label: Block = {"type": "text", "text": f"Result of an earlier tool call ({part.call_id}):"}
    return [label, *inner]


def _end_with_user(turns: list[Turn], model: ClaudeModel, losses: LossList) -> None:
    if not turns:
        losses.approximated("messages", "an empty conversation got a placeholder")
        turns.append({"role": "user", "content": [{"type": "text", "text": EMPTY}]})
    last = turns[-1]
    if last["role"] != "assistant":
        return
    if model.prefill:
        turns[-1] = _without_final_blanks(last)
        return
    losses.approximated("messages", f"the model takes no prefill; `{CONTINUE}` was added")
    turns.append({"role": "user", "content": [{"type": "text", "text": CONTINUE}]})


def _without_final_blanks(turn: Turn) -> Turn:
    """Leave out trailing blanks of a prefilled answer, which are refused."""
    *others, last = turn["content"]
    if last["type"] != "text":
        return turn
    return {**turn, "content": [*others, {**last, "text": last["text"].rstrip()}]}


def _append_system(turns: list[Turn], text: str, model: ClaudeModel) -> None:
    if model.mid_system:
        turns.append({"role": "system", "content": text})
        return
    if turns[-1]["role"] == "user":
        turns[-1] = _lengthened(turns[-1], [system_block(text)])
    else:
        turns.append({"role": "user", "content": [system_block(text)]})
