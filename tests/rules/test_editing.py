import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import RulesError, load_rules
from addon.rules.editing import EditConflict, EditError, apply_change, digest, edit_rules
from addon.rules.provider_edits import put_provider, remove_provider

SHIPPED = (Path(__file__).parents[2] / "rules.yaml").read_text(encoding="utf-8")
ODD = """\
# mine
version:   1
providers:
    office: {base_url:   "http://office.example/v1"}   # all of them

rules:
- name: 'quoted'     # why
  use:   office:*
  when: {model: [a,   b]}


- {name: "second", use: block}   # last
"""


def check(text):
    return load_rules(text, "rules.yaml", {})


def lines_of(text):
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("text", [SHIPPED, ODD, "version: 1\n", "version: 1"])
def test_without_a_change_not_a_byte_changes(text):
    assert apply_change(text, lambda document: None) == text


@pytest.mark.parametrize("text", [SHIPPED, ODD, "version: 1\n", "version: 1"])
def test_what_is_added_is_all_that_changes(text):
    change = put_provider("mine", {"base_url": "http://h/v1", "models": ["a", "b"]}, new=True)
    edited = apply_change(text, change)
    assert check(edited).providers["mine"].models == ("a", "b")
    assert set(lines_of(text)) <= set(lines_of(edited))
    assert re.findall("#.*", edited) == re.findall("#.*", text)


def test_an_entry_goes_to_the_end_of_its_section_not_behind_the_comments_of_the_next():
    edited = apply_change(SHIPPED, put_provider("zai", {"enabled": False}))
    before, entry, after = edited.partition("  zai:\n    enabled: false\n")
    assert before + after == SHIPPED
    assert entry
    assert before.splitlines()[-1].lstrip().startswith("api_key:")


def test_removing_what_was_added_gives_the_file_back():
    text = SHIPPED
    for name in ("zai", "qwen"):
        text = apply_change(text, put_provider(name, {"enabled": False}))
    for name in ("zai", "qwen"):
        text = apply_change(text, put_provider(name, {"enabled": True}))
    assert text == SHIPPED


def test_an_entry_that_is_removed_leaves_every_comment_but_its_own():
    edited = apply_change(SHIPPED, remove_provider("anthropic"))
    missing = [line for line in SHIPPED.splitlines() if line not in edited.splitlines()]
    assert missing == [
        "providers:",
        "  anthropic:",
        "    api_key: ${ANTHROPIC_API_KEY}         # this is the default",
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "zai", "anthropic"]),
            st.sampled_from(["put", "remove", "disable"]),
        ),
        max_size=6,
    ),
    st.sampled_from([SHIPPED, ODD, "version: 1"]),
)
def test_whatever_the_edits_the_file_stays_valid_and_keeps_its_comments(edits, text):
    edited = text
    for name, kind in edits:
        change = {
            "put": put_provider(name, {"base_url": "http://h/v1", "title": name}),
            "remove": remove_provider(name),
            "disable": put_provider(name, {"enabled": False}),
        }[kind]
        try:
            edited = apply_change(edited, change)
        except EditError:
            continue
    check(edited)
    kept = re.findall("# .*", edited)
    lost = [comment for comment in re.findall("# .*", text) if comment not in kept]
    assert lost in ([], ["# this is the default"], ["# all of them"])


def test_an_edit_is_written_whole_and_the_file_before_is_kept(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(ODD)
    path.chmod(0o640)
    after = edit_rules(path, put_provider("zai", {"enabled": False}), check)
    assert digest(path.read_text()) == after
    assert not check(path.read_text()).providers["zai"].enabled
    assert (tmp_path / "rules.yaml.before").read_text() == ODD
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rules.yaml", "rules.yaml.before"]


def test_a_file_that_is_not_there_is_begun(tmp_path):
    path = tmp_path / "rules.yaml"
    edit_rules(path, put_provider("zai", {"enabled": False}), check)
    assert path.read_text() == "version: 1\nproviders:\n  zai:\n    enabled: false\n"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.yaml").write_text(ODD)
    (tmp_path / "rules.yaml").symlink_to("real.yaml")
    edit_rules(tmp_path / "rules.yaml", put_provider("zai", {"enabled": False}), check)
    assert (tmp_path / "rules.yaml").is_symlink()
    assert not check((tmp_path / "real.yaml").read_text()).providers["zai"].enabled


def test_a_file_that_has_changed_is_not_overwritten(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(ODD)
    seen = digest(ODD)
    path.write_text(ODD + "# by somebody else\n")
    with pytest.raises(EditConflict, match="has changed meanwhile"):
        edit_rules(path, put_provider("zai", {"enabled": False}), check, seen=seen)
    assert path.read_text().endswith("# by somebody else\n")


def test_a_file_that_changes_while_it_is_edited_is_not_overwritten(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(ODD)

    def change(document):
        put_provider("zai", {"enabled": False})(document)
        path.write_text(SHIPPED)

    with pytest.raises(EditConflict):
        edit_rules(path, change, check)
    assert path.read_text() == SHIPPED
    assert "zai:\n" not in (tmp_path / "rules.yaml.before").read_text()


@pytest.mark.parametrize(
    "text", ["version: 2\n", "version: 1\nrules: [", "version: 1\nversion: 1\n"]
)
def test_a_file_with_mistakes_is_not_edited(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RulesError):
        edit_rules(path, put_provider("zai", {"enabled": False}), check)
    assert path.read_text() == text


def test_an_edit_that_makes_a_mistake_is_not_written(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(ODD)
    with pytest.raises(RulesError, match="unknown provider `office`"):
        edit_rules(path, remove_provider("office"), check)
    assert path.read_text() == ODD
    assert [file.name for file in tmp_path.iterdir()] == ["rules.yaml"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put_provider("offise", {"title": "x"}), "no provider offise; did you mean `office`"),
        (put_provider("new", {"title": "x"}, new=True), "needs a base URL"),
        (put_provider("office", {"title": "x"}, new=True), "a provider office already"),
        (remove_provider("zai"), "zai is built in and stays"),
        (remove_provider("nobody"), "there is no provider nobody"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, change, message):
    path = tmp_path / "rules.yaml"
    path.write_text(ODD)
    with pytest.raises(EditError, match=message):
        edit_rules(path, change, check)
    assert path.read_text() == ODD


def test_several_programs_can_edit_at_the_same_time(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(SHIPPED)
    program = (
        "import sys; from pathlib import Path\n"
        "from addon.rules.editing import edit_rules\n"
        "from addon.rules.provider_edits import put_provider\n"
        "change = put_provider(sys.argv[2], {'base_url': 'http://h/v1'}, new=True)\n"
        "edit_rules(Path(sys.argv[1]), change, lambda text: None)\n"
    )
    names = ("one", "two", "three")
    started = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in names]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert set(names) <= set(check(path.read_text()).providers)
