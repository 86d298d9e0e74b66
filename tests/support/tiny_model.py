"""A language model of two megabytes that says known words, for real servers of local models.

It is a Llama whose layers do nothing: each token is a direction of its own, and the output matrix
turns it into the token that follows. What it says hangs on the last token of the prompt alone, and
its chat template chooses that one by the conversation. So a real llama.cpp answers the same at
every temperature, in milliseconds, without weights that anybody has trained.

The file is in GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

CONTEXT = 32768
ANSWER = "Hello from a tiny model."
THOUGHT = "Let me see"
CALLED, ARGUMENTS = "get_weather", '{"city": "Paris"}'
REPORT = "Sunny in Paris!"

_WIDTH, _HEADS, _INNER = 320, 10, 32
_HEAD_WIDTH = _WIDTH // _HEADS
_CERTAINTY = 4.0
"""How far the following token stands out: enough for every temperature."""
_ALIGNMENT = 32

_END = "<|end|>"
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
_SAYINGS: dict[str, tuple[str, ...]] = {
    "<|to_say|>": ("Hello", " from", " a", " tiny", " model", ".", _END),
    "<|to_think|>": ("<think>", "Let", " me", " see", "</think>", "Hello"),
    "<|to_call|>": (
        "<tool_call>",
        '\n{"name": "get_weather", "arguments": ',
        '{"city": "',
        "Par",
        "is",
        '"}',
        "}\n",
        "</tool_call>",
        _END,
    ),
    "<|to_report|>": ("Sunny", " in", " Paris", "!", _END),
    "<|to_sing|>": ("la", " la", " la"),
}
"""What follows each cue; a token is followed by the same one wherever it stands."""

TEMPLATE = """\
{%- if tools %}<|system|>Tools: {{ tools | tojson }}<|end|>{% endif %}
{%- for message in messages %}
    {{- '<|' + message.role + '|>' }}
    {%- if message.reasoning_content %}
        {{- '<think>' + message.reasoning_content + '</think>' }}
    {%- endif %}
    {%- if message.content %}{{ message.content }}{% endif %}
    {%- for call in message.tool_calls or [] %}
        {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
        {{- (call.function.arguments | tojson) + '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>' }}
    {%- set asked = messages[-1].content or '' %}
    {%- if messages[-1].role == 'tool' %}{{ '<|to_report|>' }}
    {%- elif tools %}{{ '<|to_call|>' }}
    {%- elif 'sing' in asked %}{{ '<|to_sing|>' }}
    {%- elif 'think' in asked %}{{ '<|to_think|>' }}
    {%- else %}{{ '<|to_say|>' }}
    {%- endif %}
{%- endif %}
"""
"""It sings, without an end, or thinks when it is told to; and calls the tool that it is given."""

_NORMAL, _UNKNOWN, _CONTROL, _OWN, _BYTE = 1, 2, 3, 4, 6


def write_tiny_model(path: Path) -> Path:
    """Write the model to a file, and return its path."""
    tokens, kinds = _vocabulary()
    after = _successors(tokens)
    facts = [
        _text("general.architecture", "llama"),
        _text("general.name", "tiny"),
        _number("llama.context_length", CONTEXT),
        _number("llama.embedding_length", _WIDTH),
        _number("llama.block_count", 1),
        _number("llama.feed_forward_length", _INNER),
        _number("llama.rope.dimension_count", _HEAD_WIDTH),
        _number("llama.attention.head_count", _HEADS),
        _number("llama.attention.head_count_kv", 1),
        _key("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-6),
        _text("tokenizer.ggml.model", "llama"),
        _list("tokenizer.ggml.tokens", 8, [_string(token) for token in tokens]),
        _list("tokenizer.ggml.scores", 6, [struct.pack("<f", -n) for n in range(len(tokens))]),
        _list("tokenizer.ggml.token_type", 5, [struct.pack("<i", kind) for kind in kinds]),
        _number("tokenizer.ggml.unknown_token_id", 0),
        _number("tokenizer.ggml.bos_token_id", 1),
        _number("tokenizer.ggml.eos_token_id", tokens.index(_END)),
        _key("tokenizer.ggml.add_bos_token") + struct.pack("<I?", 7, True),
        _key("tokenizer.ggml.add_space_prefix") + struct.pack("<I?", 7, False),
        _text("tokenizer.chat_template", TEMPLATE),
    ]
    own = _matrix(_WIDTH, len(tokens), {(token, token): 1.0 for token in range(len(tokens))})
    following = {(next, token): _CERTAINTY for token, next in after.items()}
    tensors = {
        "token_embd.weight": ((_WIDTH, len(tokens)), own),
        "output.weight": ((_WIDTH, len(tokens)), _matrix(_WIDTH, len(tokens), following)),
        "output_norm.weight": _ones(),
        "blk.0.attn_norm.weight": _ones(),
        "blk.0.ffn_norm.weight": _ones(),
        "blk.0.attn_q.weight": _zeros(_WIDTH, _WIDTH),
        "blk.0.attn_k.weight": _zeros(_WIDTH, _HEAD_WIDTH),
        "blk.0.attn_v.weight": _zeros(_WIDTH, _HEAD_WIDTH),
        "blk.0.attn_output.weight": _zeros(_WIDTH, _WIDTH),
        "blk.0.ffn_gate.weight": _zeros(_WIDTH, _INNER),
        "blk.0.ffn_up.weight": _zeros(_WIDTH, _INNER),
        "blk.0.ffn_down.weight": _zeros(_INNER, _WIDTH),
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    data = bytearray()
    for name, (shape, values) in tensors.items():
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += _string(name) + sizes + struct.pack("<IQ", 0, len(data))
        data += values + bytes(-len(values) % _ALIGNMENT)
    path.write_bytes(head + bytes(-len(head) % _ALIGNMENT) + data)
    return path


def _vocabulary() -> tuple[list[str], list[int]]:
    """Return the tokens and their kinds: all bytes, so that every prompt can be read, and words."""
    tokens = {"<unk>": _UNKNOWN, "<s>": _CONTROL, "</s>": _CONTROL}
    tokens |= {f"<0x{byte:02X}>": _BYTE for byte in range(256)}
    tokens |= dict.fromkeys((*_ROLES, *_SAYINGS, _END), _CONTROL)
    for words in _SAYINGS.values():
        for word in words:
            tokens.setdefault(_piece(word), _OWN if word.startswith("<") else _NORMAL)
    return list(tokens), list(tokens.values())


def _piece(word: str) -> str:
    return word.replace(" ", "\N{LOWER ONE EIGHTH BLOCK}")


def _successors(tokens: list[str]) -> dict[int, int]:
    numbers = {token: number for number, token in enumerate(tokens)}
    after = dict.fromkeys(range(len(tokens)), numbers[_END])
    for cue, words in _SAYINGS.items():
        said = [numbers[_piece(word)] for word in (cue, *words)]
        after |= dict(pairwise(said))
    return after


def _matrix(width: int, height: int, entries: dict[tuple[int, int], float]) -> bytes:
    values = bytearray(4 * width * height)
    for (row, column), value in entries.items():
        struct.pack_into("<f", values, 4 * (row * width + column), value)
    return bytes(values)


def _zeros(width: int, height: int) -> tuple[tuple[int, ...], bytes]:
    return (width, height), bytes(4 * width * height)


def _ones() -> tuple[tuple[int, ...], bytes]:
    return (_WIDTH,), struct.pack("<f", 1.0) * _WIDTH


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


_key = _string


def _text(name: str, value: str) -> bytes:
    return _key(name) + struct.pack("<I", 8) + _string(value)


def _number(name: str, value: int) -> bytes:
    return _key(name) + struct.pack("<II", 4, value)


def _list(name: str, kind: int, values: Iterable[bytes]) -> bytes:
    items = list(values)
    return _key(name) + struct.pack("<IIQ", 9, kind, len(items)) + b"".join(items)
