"""Decoders are made where a module is imported, by one thread, before another can use their types.

msgspec prepares a class at the first use, and lets other threads see it half prepared: two threads
that decode it for the first time at once end the whole process with a segmentation fault.
"""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "addon"
READERS = {"decode", "convert"}


def late_decoders(source):
    """Find the lines on which a function has msgspec prepare a class."""
    return [
        call.lineno
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and prepares(call)
    ]


def prepares(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    typed = any(keyword.arg == "type" for keyword in call.keywords)
    return name == "Decoder" or (name in READERS and typed)


def test_no_function_makes_a_decoder():
    late = {
        str(path.relative_to(ADDON)): lines
        for path in ADDON.rglob("*.py")
        if (lines := late_decoders(path.read_text(encoding="utf-8")))
    }
    assert late == {}


@pytest.mark.parametrize(
    "late",
    [
        "def read(data): return msgspec.json.decode(data, type=Table)",
        "async def read(data): return convert(data, type=Table)",
        "class A:\n def read(self, data): return msgspec.json.Decoder(Table).decode(data)",
        "read = lambda data: msgspec.json.decode(data, type=Table)",
    ],
)
def test_one_that_is_made_late_is_found(late):
    assert late_decoders(late)


def test_one_that_is_made_at_import_is_right():
    assert not late_decoders("read = Decoder(Table).decode\ndef f(data): return read(data)")
