import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import load_rules
from addon.rules.editing import apply_change
from addon.rules.nodes import parse, to_json
from addon.rules.provider_edits import put_provider
from addon.rules.rewriting import EditError
from addon.rules.rule_edits import (
    NoSuchRule,
    add_rule,
    change_rule,
    move_rule,
    remove_rule,
    replace_rule,
    rules_in,
    set_default,
)

SHIPPED = (Path(__file__).parents[2] / "rules.yaml").read_text(encoding="utf-8")
BLOCK = """\
version: 1
rules:
  # These come first.

  # about a,
  # in two lines
  - name: a   # the first
    use: anthropic:claude-opus-5-5
    # within a
  - name: b
    when: {model: ["gpt-*", 'o?']}   # a list

    # within b
    use: zai:glm-5.3

  # about c
  - {name: c, use: block}

  # A heading.

  - name: d
    when:
      # why
      agent: coder
    use: pass
  # at the end
default: pass   # else
"""
FLUSH = """\
version: 1
rules:
- name: a
  use: pass
# about b
- name: b
  use: block"""
FLOW = "version: 1\nrules: [{name: a, use: pass}, {name: b, use: block}]   # all\n"
ODD = "version: 1\nrules:\n  -\n    name: a\n    use: pass\n  - name: b\n    use: block\n"
JSON = """\
{"version": 1,
 "rules": [
  {"name": "a", "use": "pass"},
  {"name": "b", "use": "block"}
 ]}
"""
TEXTS = [BLOCK, FLUSH, FLOW, ODD, JSON, SHIPPED]
NEW = {
    "name": "new",
    "when": {"model": "*-mini", "has": ["tools"]},
    "use": ["zai:glm-5.3", "glm:*"],
}


def check(text):
    return load_rules(text, "rules.yaml", {"ANTHROPIC_API_KEY": "k"})


def names(text):
    return [rule.name for rule in check(text).rules]


def comments(text):
    return sorted(re.findall(r"#.*", text))


def test_a_rule_moves_with_the_comment_above_it_and_nothing_else():
    assert (
        move_rule(0, 2)(BLOCK)
        == """\
version: 1
rules:
  # These come first.

  - name: b
    when: {model: ["gpt-*", 'o?']}   # a list

    # within b
    use: zai:glm-5.3
  # about c
  - {name: c, use: block}

  # about a,
  # in two lines
  - name: a   # the first
    use: anthropic:claude-opus-5-5
    # within a

  # A heading.

  - name: d
    when:
      # why
      agent: coder
    use: pass
  # at the end
default: pass   # else
"""
    )


def test_a_rule_is_taken_out_with_the_comment_above_it():
    edited = remove_rule(2)(BLOCK)
    assert names(edited) == ["a", "b", "d"]
    assert set(comments(BLOCK)) - set(comments(edited)) == {"# about c"}
    assert "glm-5.3\n\n  # A heading.\n\n  - name: d\n" in edited


def test_a_rule_is_put_in_as_a_person_would_write_it():
    edited = add_rule(NEW, 1)(BLOCK)
    assert (
        "    # within a\n"
        "  - name: new\n"
        "    when: {model: '*-mini', has: [tools]}\n"
        "    use: [zai:glm-5.3, glm:*]\n"
        "\n"
        "  - name: b\n"
    ) in edited
    assert comments(edited) == comments(BLOCK)
    assert add_rule(NEW)(FLUSH).endswith(
        "  use: block\n- name: new\n"
        "  when: {model: '*-mini', has: [tools]}\n  use: [zai:glm-5.3, glm:*]"
    )


def test_a_change_leaves_the_rest_of_the_rule_alone():
    edited = change_rule(1, {"use": "anthropic:*", "enabled": False})(BLOCK)
    assert [line for line in edited.splitlines() if line not in BLOCK.splitlines()] == [
        "    enabled: false",
        "    use: anthropic:*",
    ]
    assert edited.index("enabled: false") < edited.index("when: {model")
    assert comments(edited) == comments(BLOCK)
    back = change_rule(1, {"use": "zai:glm-5.3", "enabled": True})(edited)
    assert back == BLOCK


def test_a_rule_that_is_replaced_keeps_what_is_the_same():
    entry = {"name": "d", "when": {"agent": "coder", "phase": "review"}, "use": "block"}
    edited = replace_rule(3, entry)(BLOCK)
    assert "      # why\n      agent: coder\n      phase: review\n    use: block\n" in edited
    shorter = replace_rule(3, {"use": "pass"})(BLOCK)
    assert rules_in(shorter)[3] == {"use": "pass"}
    assert "# at the end" in shorter


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1",
        "version: 1\nrules:\n",
        "version: 1\nrules: []\ndefault: pass\n",
    ],
)
def test_the_first_rule(text):
    edited = add_rule({"name": "a", "use": "pass"})(text)
    assert names(edited) == ["a"]
    assert names(remove_rule(0)(edited)) == []


def test_the_default():
    assert set_default("block")(BLOCK) == BLOCK.replace("default: pass", "default: block")
    assert check(set_default("zai:glm-5.3")("version: 1\n")).default.model == "glm-5.3"


@pytest.mark.parametrize(
    "rewrite",
    [remove_rule(9), move_rule(9, 0), move_rule(0, 9), change_rule(9, {}), add_rule(NEW, 9)],
)
@pytest.mark.parametrize("text", [*TEXTS, "version: 1\n"])
def test_a_place_that_is_not_there(rewrite, text):
    with pytest.raises(NoSuchRule):
        rewrite(text)


def test_what_a_rule_takes_over_from_another_stays_as_far_as_it_is_wanted():
    merged = """\
version: 1
rules:
  - &a {name: a, use: pass, drop: seed}
  - <<: *a
    name: b
    use: zai:*
"""
    assert change_rule(1, {"use": "glm:*"})(merged) == merged.replace("zai:*", "glm:*")
    switched = change_rule(1, {"enabled": False})(merged)
    assert switched == merged.replace("name: b\n", "name: b\n    enabled: false\n")
    assert change_rule(1, {"drop": None})(merged) == merged.replace("<<: *a\n    name", "name")
    gone = change_rule(1, {"name": None})(merged.replace("    name: b\n", ""))
    assert "  - use: zai:*\n    drop: seed\n" in gone


def test_what_cannot_be_done_safely_is_refused():
    same = "version: 1\nrules:\n  - &a {use: pass, drop: seed}\n  - *a\n"
    assert rules_in(change_rule(1, {"drop": None})(same))[0] == {"use": "pass", "drop": "seed"}
    merged = same.replace("- *a", "- <<: *a\n    name: b")
    for rewrite in (change_rule(0, {"drop": None}), remove_rule(0), move_rule(0, 1)):
        with pytest.raises(EditError, match="unusual"):
            rewrite(merged)
    twice = "version: 1\nrules:\n  - {name: a, use: pass}\n  - {name: b, use: pass}  \u2028# odd\n"
    assert rules_in(move_rule(0, 1)(twice)) == rules_in(twice)[::-1]


edits = st.lists(
    st.tuples(st.sampled_from("amrcp"), st.integers(0, 4), st.integers(0, 4)), max_size=6
)


@given(st.sampled_from(TEXTS), edits)
def test_whatever_the_edits_only_they_change_anything(text, edits):
    edited, model, number = text, rules_in(text), 0
    kept = set(comments(text)) if text in (BLOCK, FLUSH, SHIPPED) else set()
    for kind, index, to in edits:
        try:
            match kind:
                case "a":
                    number += 1
                    entry = {"name": f"n{number}", "use": "pass"}
                    edited = add_rule(entry, index)(edited)
                    model.insert(index, entry)
                case "m":
                    edited = move_rule(index, to)(edited)
                    model.insert(to, model.pop(index))
                case "r":
                    before = set(comments(edited))
                    edited = remove_rule(index)(edited)
                    kept -= before - set(comments(edited))
                    del model[index]
                case "c":
                    edited = change_rule(index, {"enabled": False})(edited)
                    model[index] = {**model[index], "enabled": False}
                case "p":
                    number += 1
                    edited = replace_rule(index, {"name": f"p{number}", "use": "glm:*"})(edited)
                    kept -= set(comments(text)) - set(comments(edited))
                    model[index] = {"name": f"p{number}", "use": "glm:*"}
        except (NoSuchRule, IndexError):
            continue
    assert rules_in(edited) == model
    check(edited)
    assert kept <= set(comments(edited))
    rest = to_json(parse(text, pytest.fail))
    assert {**to_json(parse(edited, pytest.fail)), "rules": 0} == {**rest, "rules": 0}


@given(st.permutations(range(4)))
def test_any_order_can_be_made_and_unmade(order):
    text, now = BLOCK, list(range(4))
    for place, number in enumerate(order):
        text = move_rule(now.index(number), place)(text)
        now.insert(place, now.pop(now.index(number)))
    assert names(text) == [names(BLOCK)[number] for number in order]
    assert "  # about a,\n  # in two lines\n  - name: a" in text
    assert "  # about c\n  - {name: c" in text
    for place in range(4):
        text = move_rule(now.index(place), place)(text)
        now.insert(place, now.pop(now.index(place)))
    assert text == BLOCK


def test_an_edit_of_a_long_file_does_not_take_long():
    rules = "".join(f"  # {n}\n  - {{name: r{n}, use: zai:glm-5.3}}\n" for n in range(1000))
    text = f"version: 1\nrules:\n{rules}"
    began = time.perf_counter()
    edited = change_rule(500, {"enabled": False})(text)
    edited = apply_change(edited, put_provider("zai", {"enabled": False}))
    assert time.perf_counter() - began < 3
    assert rules_in(edited)[500] == {"name": "r500", "use": "zai:glm-5.3", "enabled": False}
    assert "providers:\n  zai:\n    enabled: false\nrules:\n" in edited
