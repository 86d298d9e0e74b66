"""Writing a rules file anew: whole or not at all."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import RulesError, load_rules, read_rules
from addon.rules.rewriting import EditConflict, EditError, digest, rewrite_rules

TEXT = """\
# mine
version: 1
providers:
  office:  {base_url: "http://office.example/v1"}   # all of them
rules:
  - name: a
    use: office:*
"""
OTHER = TEXT.replace("name: a", "name: b")


def check(text):
    return load_rules(text, "rules.yaml", {})


def off(text):
    return text.replace("providers:\n", "providers:\n  zai: {enabled: false}\n") + "# off\n"


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_an_edit_is_written_whole_and_the_file_before_is_kept(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)
    path.chmod(0o640)
    after = rewrite_rules(path, off, check)
    assert digest(path.read_text()) == after
    assert path.read_text() == off(TEXT)
    assert (tmp_path / "rules.yaml.before").read_text() == TEXT
    assert path.stat().st_mode & 0o777 == 0o640
    assert names_in(tmp_path) == ["rules.yaml", "rules.yaml.before"]


def test_a_file_that_is_not_there_is_begun(tmp_path):
    path = tmp_path / "rules.yaml"
    rewrite_rules(path, off, check)
    assert path.read_text() == off("version: 1\n")
    assert names_in(tmp_path) == ["rules.yaml"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.yaml").write_text(TEXT)
    (tmp_path / "rules.yaml").symlink_to("real.yaml")
    rewrite_rules(tmp_path / "rules.yaml", off, check)
    assert (tmp_path / "rules.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == off(TEXT)


def test_a_file_that_has_changed_is_not_overwritten(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)
    seen = digest(TEXT)
    path.write_text(TEXT + "# by somebody else\n")
    with pytest.raises(EditConflict, match="has changed meanwhile"):
        rewrite_rules(path, off, check, seen=seen)
    assert path.read_text().endswith("# by somebody else\n")


def test_a_file_that_changes_while_it_is_edited_is_not_overwritten(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)

    def rewrite(text):
        path.write_text(OTHER)
        return off(text)

    with pytest.raises(EditConflict):
        rewrite_rules(path, rewrite, check)
    assert path.read_text() == OTHER
    assert names_in(tmp_path) == ["rules.yaml"]


@pytest.mark.parametrize(
    "text", ["version: 2\n", "version: 1\nrules: [", "version: 1\nversion: 1\n"]
)
def test_a_file_with_mistakes_is_not_edited(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RulesError):
        rewrite_rules(path, off, check)
    assert path.read_text() == text


def test_an_edit_that_makes_a_mistake_is_not_written(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)
    with pytest.raises(RulesError, match="unknown provider `office`"):
        rewrite_rules(path, lambda text: text.replace("office:  ", "offise:  "), check)
    assert path.read_text() == TEXT
    assert names_in(tmp_path) == ["rules.yaml"]


def test_several_programs_can_edit_at_the_same_time(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)
    program = (
        "import sys; from pathlib import Path\n"
        "from addon.rules.rewriting import rewrite_rules\n"
        "line = f'  {sys.argv[2]}: {{base_url: http://h/v1}}\\n'\n"
        "add = lambda text: text.replace('providers:\\n', 'providers:\\n' + line)\n"
        "rewrite_rules(Path(sys.argv[1]), add, lambda text: None)\n"
    )
    names = ("one", "two", "three")
    started = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in names]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert set(names) <= set(check(path.read_text()).providers)


def test_what_was_private_stays_so_beside_it_too(tmp_path):
    path, backup = tmp_path / "rules.yaml", tmp_path / "rules.yaml.before"
    path.write_text(TEXT)
    path.chmod(0o600)
    backup.write_text("of old")
    backup.chmod(0o644)
    rewrite_rules(path, off, check)
    assert [file.stat().st_mode & 0o777 for file in (path, backup)] == [0o600, 0o600]


def test_what_cannot_be_written_is_told_and_left(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT)
    (tmp_path / "rules.yaml.before").mkdir()
    with pytest.raises(EditError, match="cannot be written: Is a directory"):
        rewrite_rules(path, off, check)
    assert path.read_text() == TEXT
    assert names_in(tmp_path) == ["rules.yaml", "rules.yaml.before"]


@given(
    lines=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=8),
    mark=st.booleans(),
    ended=st.booleans(),
    place=st.integers(0, 8),
    put=st.sampled_from(["new\n", "two\nmore\n", ""]),
    removed=st.integers(0, 2),
)
def test_line_ends_and_a_byte_order_mark_stay_as_they_are(
    tmp_path_factory, lines, mark, ended, place, put, removed
):
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    ends = {False: "\n", True: "\r\n"}
    own = [name + ends[end] for name, end in lines]
    own[-1] = own[-1] if ended else lines[-1][0]
    begin = b"\xef\xbb\xbf" if mark else b""
    data = begin + "".join(own).encode()
    path.write_bytes(data)
    assert read_rules(path) == "".join(own).replace("\r\n", "\n")

    def rewrite(text):
        parts = text.splitlines(keepends=True)
        return "".join([*parts[:place], put, *parts[place + removed :]])

    rewrite_rules(path, rewrite, lambda text: None)
    after = path.read_bytes()
    assert after.startswith(begin)
    assert read_rules(path) == rewrite("".join(own).replace("\r\n", "\n"))
    kinds = {line[-2:] == "\r\n" for line in own if line.endswith("\n")}
    if len(kinds) == 1 and kinds == {True}:
        assert after.count(b"\n") == after.count(b"\r\n")
    elif kinds == {False}:
        assert b"\r" not in after
    if not put and place >= len(own):
        assert after == data
    if after != data:
        assert path.with_name("rules.yaml.before").read_bytes() == data
