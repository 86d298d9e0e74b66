import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.providers import environment_files, load_environment, parse_environment_file


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=1", {"A": "1"}),
        ("  export A = 1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=one two", {"A": "one two"}),
        ("A=one # two", {"A": "one"}),
        ("A=one#two", {"A": "one#two"}),
        ("A='one # two' # three", {"A": "one # two"}),
        ("A='one\\n'", {"A": "one\\n"}),
        ('A="one\\n\\"two\\" \\\\ $x"', {"A": 'one\n"two" \\ $x'}),
        ('A="one\ntwo"\nB=3', {"A": "one\ntwo", "B": "3"}),
        ('A="one\nB=2', {"A": '"one', "B": "2"}),
        ("# A=1\nB=2", {"B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("1A=1\nA B=2\nno assignment", {}),
        ("A=b=c==", {"A": "b=c=="}),
    ],
)
def test_lines_are_read_as_shells_read_them(line, expected):
    assert parse_environment_file(line) == expected


@given(st.text())
def test_any_text_is_read(text):
    assert all(name.isidentifier() for name in parse_environment_file(text))


@given(st.text(st.characters(exclude_characters="'\r", exclude_categories=["Cs"])))
def test_single_quotes_keep_everything(value):
    assert parse_environment_file(f"A='{value}'\nB=1") == {"A": value, "B": "1"}


def test_the_process_wins_over_the_file_beside_the_rules_and_that_over_the_one_at_work(
    tmp_path, monkeypatch
):
    work, beside = tmp_path / "work", tmp_path / "rules"
    work.mkdir()
    beside.mkdir()
    (work / ".env").write_text("A=work\nB=work\nC=work\n")
    (beside / ".env").write_text("A=beside\nB=beside\n")
    monkeypatch.chdir(work)
    files = environment_files(beside / "rules.yaml")
    assert files == (beside / ".env", work / ".env")
    environment = load_environment(files, {"A": "process"})
    assert [environment[name] for name in "ABC"] == ["process", "beside", "work"]


def test_one_folder_is_looked_at_once_and_nothing_needs_to_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = environment_files(tmp_path / "rules.yaml")
    assert files == (tmp_path / ".env",)
    assert dict(load_environment(files, {"A": "1"})) == {"A": "1"}
    (tmp_path / ".env").mkdir()
    assert dict(load_environment(files, {"A": "1"})) == {"A": "1"}
