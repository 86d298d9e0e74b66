import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import load_rules
from addon.rules.editing import apply_change
from addon.rules.provider_edits import put_provider, remove_provider
from addon.rules.rewriting import EditError

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
def test_what_cannot_be_done_is_said(change, message):
    with pytest.raises(EditError, match=message):
        apply_change(ODD, change)
