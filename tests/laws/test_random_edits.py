"""Every edit of rules.yaml, by every way, of any file that people might write."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.commands import detour
from addon.dashboard.failures import ApiError
from addon.dashboard.operations import ROUTER
from addon.dashboard.requests import Asked
from addon.dashboard.workspace import Workspace
from addon.rules import RulesError, load_rules, read_rules
from addon.rules.nodes import parse, to_json
from addon.rules.places import find_places
from addon.rules.rewriting import digest
from tests.laws.random_edits import Ask, Edit, File, Refused, of_model, of_provider, of_rule
from tests.laws.written_rules import written_rules

COMMENT = re.compile(r"# (?:of (.+)|free) \d+$", re.MULTILINE)
MARK = "\ufeff".encode()


class Author:
    """Makes edits in a folder."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.path = folder / "rules.yaml"
        self.backup = folder / "rules.yaml.before"
        settings = cast("Any", SimpleNamespace(rules=self.path, home=self.home))

        async def prepare() -> Workspace:
            return Workspace(lambda: settings, list, cast("Any", None), lambda: None)

        self.workspace = asyncio.run(prepare())
        self.workspace.tell = lambda kind, data: None

    def begin(self, data: bytes) -> None:
        self.path.write_bytes(data)
        self.backup.unlink(missing_ok=True)

    @property
    def text(self) -> str:
        return read_rules(self.path)

    def make(self, ask: Ask, revision: str | None = None) -> str | None:
        """Make an edit, and return why it was refused."""
        if isinstance(ask[-1], dict):
            method, path, body = ask
            operation, names = ROUTER.find(method, path)
            body = {"revision": revision or digest(self.text), **cast("dict[str, Any]", body)}
            try:
                operation(self.workspace, Asked(names=names, body=body))
            except ApiError as error:
                return f"{error.status} {error}"
            return None
        files = ("--rules", str(self.path), "--home", str(self.home))
        result = CliRunner().invoke(detour, ["providers", *cast("Any", ask), *files])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.output if result.exit_code else None


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Author:
    return Author(tmp_path_factory.mktemp("author"))


def meaning(text: str) -> File:
    """Read a file, leaving out what says nothing."""
    file = cast("File", to_json(parse(text, pytest.fail)))
    for entry in (*(file.get("rules") or ()), *(file.get("providers") or {}).values()):
        if entry.get("enabled") is True:
            del entry["enabled"]
    return {key: value for key, value in file.items() if value not in ([], {}, None)}


def is_valid(file: File) -> bool:
    try:
        load_rules(json.dumps(file), "rules.yaml", {})
    except RulesError:
        return False
    return True


@st.composite
def randoms(draw: st.DrawFn) -> Random:
    return Random(draw(st.integers(0, 1 << 32)))


# Laws


def comments(text: str, but: str = "") -> list[str]:
    """Return the comments in their order, without those of one owner."""
    return [match[0] for match in COMMENT.finditer(text) if not but or match[1] != but]


def check_places(text: str) -> None:
    """Check that comments stand where what they are about stands, in a file without brackets."""
    starts: dict[str, int] = {}
    lines = text.split("\n")
    names = [rule["name"] for rule in meaning(text).get("rules", [])]
    for place in find_places(text):
        match place.path:
            case ("rules", int() as index) if place.kind == "map":
                starts[names[index]] = place.mark.line
            case ("providers", str() as name) if place.kind == "key":
                starts[name] = place.mark.line
            case (str(),) if place.kind == "key":
                starts[f"({place.path[0]})"] = place.mark.line
    for number, line in enumerate(lines, 1):
        match = COMMENT.search(line)
        owner = match and match[1]
        if not owner or owner not in starts or line.lstrip()[:1] == "{":
            continue
        above = line.lstrip().startswith("#") and number < starts[owner]
        if above:
            between = lines[number : starts[owner] - 1]
            assert all(other.lstrip()[:1] in ("#", "-") for other in between), (line, text)
        else:
            later = [start for start in starts.values() if start > starts[owner]]
            assert number < min(later, default=len(lines) + 1), (line, text)


def check_edit(author: Author, edit: Edit) -> bool:
    """Make an edit, hold what must be so, and tell whether it was made."""
    data, before = author.path.read_bytes(), author.text
    had_backup = author.backup.read_bytes() if author.backup.exists() else None
    expected = meaning(before)
    try:
        edit.change(expected)
        sound = is_valid(expected)
    except Refused:
        sound = False
    refusal = author.make(edit.ask)
    if refusal is not None:
        assert not sound or "&same" in before, (edit.ask, refusal, before)
        assert author.path.read_bytes() == data
        assert (author.backup.read_bytes() if author.backup.exists() else None) == had_backup
        return False
    after = author.text
    told = (edit.ask, before, after)
    assert sound, told
    assert meaning(after) == {k: v for k, v in expected.items() if v not in ([], {}, None)}, told
    load_rules(after, "rules.yaml", {})
    if author.path.read_bytes() != data:
        assert author.backup.read_bytes() == data
    assert author.path.read_bytes().startswith(MARK) is data.startswith(MARK)
    if b"\r\n" in data:
        assert b"\n" not in author.path.read_bytes().replace(b"\r\n", b"")
    assert set(comments(after)) <= set(comments(before)), told
    if edit.moves:  # past what belongs to nothing, which stays where it is
        assert sorted(comments(after)) == sorted(comments(before)), told
    else:
        assert comments(after, edit.owner) == comments(before, edit.owner), told
    for section in ("providers", "aliases"):
        kept = [
            name for name in meaning(before).get(section, {}) if name in expected.get(section, {})
        ]
        assert [name for name in meaning(after).get(section, {}) if name in kept] == kept, told
    return True


def check_undo(author: Author, edit: Edit, before: File) -> None:
    """Take an edit back."""
    after = meaning(author.text)
    if before == after:
        return
    refusal = author.make(edit.undo(before, after))
    if refusal is None:
        assert {"default": "pass"} | meaning(author.text) == {"default": "pass"} | before
    else:
        assert "&same" in author.text, (edit.ask, refusal, author.text)


KINDS = (of_provider, of_model, of_rule)


@pytest.mark.parametrize("first", KINDS)
@settings(max_examples=settings.default.max_examples // 2)
@given(
    text=written_rules(),
    line_end=st.sampled_from(("\n", "\n", "\r\n")),
    mark=st.sampled_from((b"", b"", MARK)),
    others=st.lists(st.sampled_from(KINDS), max_size=2),
    random=randoms(),
)
def test_an_edit_changes_what_was_asked_and_nothing_else(
    author: Author,
    first: Any,
    text: str,
    line_end: str,
    mark: bytes,
    others: list[Any],
    random: Random,
) -> None:
    author.begin(mark + text.replace("\n", line_end).encode())
    placed = True
    try:
        check_places(text)
    except AssertionError:
        placed = False
    for make in (first, *others):
        edit = make(random, meaning(author.text))
        before = meaning(author.text)
        if isinstance(edit.ask[-1], dict):
            refusal = author.make(edit.ask, "of another time")
            assert refusal is not None
            assert refusal.startswith(("409", "400", "404"))
            assert meaning(author.text) == before
        if check_edit(author, edit) and placed:
            check_places(author.text)
    check_undo(author, edit, before)
