import logging
import os
import time

import pytest

from addon.providers import MissingKeyError
from addon.rules import RulesError, RulesFile

GOOD = "version: 1\nrules: [{name: a, use: block}]\n"
OTHER = "version: 1\nrules: [{name: b, use: block}]\n"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rules.yaml"


def name_in(rules):
    return rules.rules[0].name


def age(path, seconds=10):
    """Make a file look as if it had been written a while ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_an_edit_takes_effect_at_the_next_call(path):
    path.write_text(GOOD)
    file = RulesFile(path)
    assert name_in(file.current()) == "a"
    path.write_text(OTHER)
    assert name_in(file.current()) == "b"


def test_an_unchanged_file_is_not_read_again(path):
    path.write_text(GOOD)
    age(path)
    file = RulesFile(path)
    assert file.current() is file.current()


def test_edits_within_one_tick_of_the_clock_are_seen(path):
    file = RulesFile(path)
    for number in range(30):
        path.write_text(GOOD.replace("name: a", f"name: {chr(ord('a') + number % 26)}"))
        assert name_in(file.current()) == chr(ord("a") + number % 26)


def test_a_file_that_replaces_the_old_one_is_seen(path, tmp_path):
    path.write_text(GOOD)
    age(path)
    file = RulesFile(path)
    file.current()
    new = tmp_path / "new"
    new.write_text(OTHER)
    age(new)
    new.replace(path)
    assert name_in(file.current()) == "b"


def test_a_bad_edit_changes_nothing_and_is_reported_once(path, caplog):
    path.write_text(GOOD)
    file = RulesFile(path)
    file.current()
    path.write_text("version: 1\nrules: [{use: antropic:x}]\n")
    for _ in range(3):
        assert name_in(file.current()) == "a"
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        f"{path}:2:15: use: unknown provider `antropic`; did you mean `anthropic`?\n"
        "the last good rules stay in force until this is mended"
    )
    path.write_text("version: 3\n")
    file.current()
    assert len(caplog.records) == 2
    caplog.set_level(logging.INFO)
    path.write_text(OTHER)
    assert name_in(file.current()) == "b"
    assert caplog.records[-1].getMessage() == f"{path} is valid again"


def test_a_bad_file_at_the_start_refuses_every_call_until_it_is_mended(path, caplog):
    path.write_text("version: 3\n")
    file = RulesFile(path)
    for _ in range(2):
        with pytest.raises(RulesError, match="version: expected 1, found a number"):
            file.current()
    assert len(caplog.records) == 1
    assert "every call is refused until this is mended" in caplog.text
    path.write_text(GOOD)
    assert name_in(file.current()) == "a"


def test_without_a_file_the_remedy_is_told(path):
    file = RulesFile(path)
    with pytest.raises(RulesError) as caught:
        file.current()
    assert str(caught.value) == (
        f"{path}:1:1: there is no rules file; write one (`version: 1` is enough) or name another"
        " with --rules FILE"
    )
    path.write_text(GOOD)
    assert name_in(file.current()) == "a"


def test_a_file_that_vanishes_leaves_its_rules_in_force(path, caplog):
    path.write_text(GOOD)
    file = RulesFile(path)
    file.current()
    path.unlink()
    assert name_in(file.current()) == "a"
    assert "there is no rules file" in caplog.text


def test_what_cannot_be_read_says_so(path):
    path.mkdir()
    with pytest.raises(RulesError, match=r"rules\.yaml:1:1: cannot be read: Is a directory"):
        RulesFile(path).current()


def test_what_is_not_utf_8_says_where(path):
    path.write_bytes("version: 1\n# ä ".encode() + b"\xe4\n")
    with pytest.raises(RulesError, match=r"rules\.yaml:2:5: this is not UTF-8"):
        RulesFile(path).current()


def test_a_byte_order_mark_does_no_harm(path):
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert name_in(RulesFile(path).current()) == "a"


def test_the_env_file_is_watched_too(path, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    path.write_text("version: 1\nrules: [{use: 'anthropic:*'}]\n")
    file = RulesFile(path)
    rules = file.current()
    with pytest.raises(MissingKeyError):
        rules.keys.find(rules.providers["anthropic"])
    (path.parent / ".env").write_text("ANTHROPIC_API_KEY='key-of-the-file'\n")
    rules = file.current()
    assert rules.keys.find(rules.providers["anthropic"]) == "key-of-the-file"


def test_filters_are_checked_by_what_is_handed_in(path):
    path.write_text("version: 1\nrules: [{when: {filter: ~x}, use: block}]\n")
    with pytest.raises(RulesError, match="is not a mitmproxy filter expression: no"):
        RulesFile(path, lambda expression: "no").current()
    assert RulesFile(path, lambda expression: None).current()
