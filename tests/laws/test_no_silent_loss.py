"""Nothing an agent says is lost in silence (decision D6).

Each field of a request is taken out in turn. Either the translation changes, and so the field had
its effect; or the loss list names the field, or what it stands in; or the request is refused. What
is none of these is lost without a word, unless it stands in the list below with its reason.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ClientRequestError, UnsupportedFeature
from tests.support.documented import documented_requests
from tests.support.recordings import captured_bodies, needs_recordings, recordings

LINE = RequestLine("/v1beta/models/asked-for:generateContent")
TARGETS = {
    "openai-chat": ("gpt-4.1", "openai"),
    "openai-responses": ("gpt-5.5", "openai"),
    "anthropic": ("claude-sonnet-4-6", "anthropic"),
    "gemini": ("gemini-3.8-flash", "google"),
}
PAIRS = [(source, target) for source in FORMATS for target in FORMATS if source != target]

DEFAULTS = (None, [], {}, "auto", "5m", "document.pdf")
"""Values that ask for nothing, or for what happens anyway, whatever the field."""
CONTAINERS = frozenset(("messages", "input", "contents", "tools", "content", "parts", "type"))
"""Too wide a word to account for something within."""
SCHEMAS = frozenset((
    "parameters", "input_schema", "schema", "parametersJsonSchema", "parameters_json_schema",
    "responseSchema", "responseJsonSchema", "response_schema", "response_json_schema", "args",
    "response", "input_examples", "arguments",
))  # fmt: skip
"""Their members are judged as a whole, by the tests of schemas."""

ALSO_CALLED = {
    "cache_control": "prompt_cache_breakpoint prompt_cache_options prompt_cache_retention",
    "code_execution": "code_interpreter codeExecution",
    "file": "document fileData inlineData input_file",
    "filename": "title document_name displayName",
    "image": "input_image image_url fileData inlineData",
    "reasoning": "thinking redacted_thinking encrypted_content reasoning_details thoughtSignature",
    "reasoning_effort": "reasoning thinkingConfig thinking output_config",
    "state": "thinking redacted_thinking encrypted_content reasoning thoughtSignature",
    "tool_calls": "tool_use",
    "web_search": "web_search_preview web_search_options googleSearch",
}
"""What a loss of this name accounts for, in the words of other formats."""

_ITEM = r"input\[\w+\]"
MEANS_NOTHING_ELSEWHERE = {
    rf"{_ITEM}\.(id|status|type)": "the books that the API keeps of an item",
    rf"{_ITEM}\.action\.type": "there is one kind of action",
    r"input\[additional_tools\]\.role": "tools are offered by the developer",
    r"input\[\w+_output\]\.(name|namespace)": "the call before it says what was called",
    r"input\[tool_search_\w+\]\.execution": "the call id says that the agent searches",
    r".*prompt_cache_breakpoint\.mode": "there is one mode",
    r"include": "thoughts travel encrypted whether asked for or not",
    r".*\.source\.media_type|.*\.inline_?[dD]ata\.mime_?[tT]ype": "data show their own type",
    r".*\.file_?[dD]ata\.mime_?[tT]ype": "whoever fetches a file learns its type",
    r".*\.content\[search_result\]\.content\[text\]\.type": "there is one kind of piece",
    r".*\.source\.content\[\w+\]\.(type|cache_control|citations)(\..*|\[.*)?": (
        "the pieces of a document are read as one"
    ),
    r"(system\[text\]|tools\[\w+\]|.*\.tool_calls\[\w+\])\.type": "the first kind is meant",
    r"tools\[(bash|code_execution|computer|memory|web_search)_\d+\]\.name": "each has one name",
    r"tools\[\w+\]\.eager_input_streaming": "calls are streamed eagerly everywhere else",
    r".*tools\[custom\]\.(custom\.)?format(\.type)?": "free text is the default",
    r".*tools\[code_interpreter\]\.container(\.type)?": "a new container is the default",
    r".*user_location\.type": "there is one kind of place",
    r".*\.external_web_access": "it is the default",
    r"messages\[tool\]\.name": "the call before it says what was called",
    r".*\.tool_calls\[\w+\]\.index": "calls stand in order",
    r"contents\[\w+\]\.role|systemInstruction\.role": "the user speaks unless it is said",
    r".*\.parts\[\w+\]\.thought": "means nothing where nobody thinks",
    r".*\.function_?[rR]esponse\.(id|name)": "the order of the calls says as much",
    r"generationConfig\.candidate_?[cC]ount|n": "one answer is the default",
    r"generationConfig\.response_?[mM]odalities|modalities": "words are the default",
    r"generationConfig\.thinking_?[cC]onfig(\.include_?[tT]houghts)?|thinking\.display": (
        "thoughts are shown wherever the provider shows any"
    ),
    r"generationConfig\.thinking_config\.thinking_(budget|level)": "the two exclude each other",
    r"generationConfig\.logprobs|top_logprobs": "means nothing unless they are asked for",
    r"model": "Gemini keeps it in the request line",
    r"parallel_tool_calls|tool_choice|service_tier": "true and `auto` are the defaults",
    r".*response_format|.*\.text(\.format)?": "free text is the default",
    r".*format(\.json_schema)?\.(name|strict)": "shapes have no names; they hold always or never",
    r".*\.tools\[function\]\.strict": "strictness of one function holds for all",
    r".*\.parameters(_json_schema)?": "the two exclude each other",
    r"messages\[assistant\]\.content\[text\]\.(cache_control|prompt_cache_breakpoint)": (
        "either of the two says as much"
    ),
    r"generationConfig\.thinkingConfig\.thinkingBudget": "no thinking is the default of some",
    r".*cache_control\.type": "there is one kind of mark",
    r"prompt_cache_options\.ttl|prompt_cache_retention": "either of the two says as much",
    r"truncation": "nothing is cut off without a word anywhere",
    r"stream_options(\.include_obfuscation)?": "padding says nothing",
    r"toolConfig\.include_?[sS]erver_?[sS]ide_?[tT]ool_?[iI]nvocations": "goes without saying",
}
"""Patterns of paths, each with the reason why taking the field out may change nothing."""

type Path = tuple[str | int, ...]


def fields_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every field of a request, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            if key not in SCHEMAS:
                yield from fields_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from fields_of(inner, (*path, index))


def without(value: Any, path: Path) -> Any:
    """The same request, one field less."""
    step, rest = path[0], path[1:]
    if not rest:
        return {key: inner for key, inner in value.items() if key != step}
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = without(value[step], rest)
    return copy


def walk(body: Any, path: Path) -> tuple[str, set[str], Any]:
    """Name a field without counting, and everything that a loss may call it by."""
    names: list[str] = []
    words: set[str] = set()
    value = body
    for step in path:
        value = value[step]
        if isinstance(step, str):
            names.append(f".{step}")
            words |= {step, re.sub(r"_(\w)", lambda match: match[1].upper(), step)}
        elif isinstance(value, dict):
            kind = value.get("type") or value.get("role") or next(iter(value), "")
            names.append(f"[{kind}]")
            words |= {kind, re.sub(r"(_preview)?(_\d+)*$", "", kind)}
        if isinstance(value, dict):
            words |= {text for key in ("type", "role") if isinstance(text := value.get(key), str)}
    return "".join(names).removeprefix("."), words - CONTAINERS, value


def says_nothing(value: Any) -> bool:
    blank = isinstance(value, str) and not value.strip()
    return blank or value is False or value in DEFAULTS


def encode(body: Any) -> bytes:
    return json.dumps(body, default=lambda value: base64.b64encode(value).decode()).encode()


def outcome(source: str, target: str, body: Any) -> Any:
    """What becomes of a request: what is sent, what is lost, and what the answer will be like."""
    wire = encode(body)
    try:
        request = FORMATS[source].parse_request(wire, LINE)
        rendered = FORMATS[target].render_request(request, *TARGETS[target])
    except (ClientRequestError, UnsupportedFeature) as refusal:
        return str(refusal)
    reply = msgspec.structs.replace(FORMATS[source].reply(wire, LINE), created=0)
    return rendered.path, rendered.body, rendered.losses, reply


def silent_losses(source: str, target: str, bodies: Iterator[tuple[str, Any]]) -> dict[str, str]:
    """Return the fields that make no difference, each with an example."""
    tried: set[str] = set()
    found: dict[str, str] = {}
    for example, body in bodies:
        whole = None
        for path in fields_of(body):
            name, words, value = walk(body, path)
            if name in tried or isinstance(path[-1], int) or says_nothing(value):
                continue
            if whole is None:
                whole = outcome(source, target, body)
            if isinstance(whole, str):
                break
            tried.add(name)
            named = {loss.field.rpartition(".")[2] for loss in whole[2]}
            named |= {word for name in named for word in ALSO_CALLED.get(name, "").split()}
            if words & named or any(re.fullmatch(known, name) for known in MEANS_NOTHING_ELSEWHERE):
                continue
            if outcome(source, target, without(body, path)) == whole:
                found[name] = example
    return found


def report(found: dict[str, str]) -> str:
    """List what was found, but not what stands within something listed."""
    outermost = [
        name
        for name in sorted(found)
        if not any(name.startswith((f"{other}.", f"{other}[")) for other in found)
    ]
    return "\n".join(f"{name} (in {found[name]})" for name in outermost)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_no_documented_field_is_lost_in_silence(source, target):
    found = silent_losses(source, target, documented_requests(source))
    assert not found, report(found)


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_no_recorded_field_is_lost_in_silence(source, target):
    bodies = (
        (recording.name, json.loads(recording.request))
        for recording in recordings(source)
        if recording.request is not None and recording.succeeded and len(recording.request) < 40_000
    )
    found = silent_losses(source, target, bodies)
    assert not found, report(found)


@needs_recordings
@pytest.mark.parametrize("target", [name for name in FORMATS if name != "openai-responses"])
def test_no_field_of_a_real_agent_is_lost_in_silence(target):
    bodies = ((name, json.loads(body)) for name, body in captured_bodies("/v1/responses"))
    found = silent_losses("openai-responses", target, bodies)
    assert not found, report(found)
