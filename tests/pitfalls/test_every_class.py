"""Every known way in which such a proxy breaks has a test of its own, or a reason for none."""

import ast
import re
from pathlib import Path

CLASSES = [
    f"{group}{number}"
    for group, count in (("T", 17), ("C", 15), ("S", 6), ("R", 10))
    for number in range(1, count + 1)
]
CANNOT_APPLY: dict[str, str] = {}
"""Classes without a test, each with the reason why it cannot happen here."""

_NAME = re.compile(r"test_([a-z])(\d\d)_")


def named_tests():
    found = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                match := _NAME.match(node.name)
            ):
                found.setdefault(f"{match[1].upper()}{int(match[2])}", []).append(node)
    return found


def test_each_of_the_48_classes_is_tested_or_has_a_reason():
    assert len(CLASSES) == 48
    assert sorted({*named_tests(), *CANNOT_APPLY}) == sorted(CLASSES)
    assert not named_tests().keys() & CANNOT_APPLY.keys()


def test_each_test_says_what_goes_wrong_without_it():
    assert all(ast.get_docstring(node) for nodes in named_tests().values() for node in nodes)
