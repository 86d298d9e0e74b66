import pytest

from addon.rules import load_rules
from addon.rules.editing import apply_change
from addon.rules.model_edits import (
    NoSuchModel,
    add_model,
    change_model,
    choose_default,
    remove_model,
)
from addon.rules.rewriting import EditError

PLAIN = "version: 1\nproviders:\n  mine: {base_url: 'http://h/v1', models: [a, b]}   # ours\n"
BLOCK = """\
version: 1
providers:
  mine:
    base_url: http://h/v1
    models:
      - a   # the first
      # the better one
      - {id: b, default: true, context: 1000}
"""
SINGLE = "version: 1\nproviders: {mine: {base_url: 'http://h/v1', models: a}}\n"


def models(text):
    return load_rules(text, "rules.yaml", {}).providers["mine"].models


def comments(text):
    return sorted(line.partition("#")[2] for line in text.splitlines() if "#" in line)


@pytest.mark.parametrize("text", [PLAIN, BLOCK, SINGLE])
def test_a_model_is_added_at_the_end(text):
    model = {"id": "c", "title": None, "context": 5}
    edited = apply_change(text, add_model("mine", ("a", "b"), model))
    assert models(edited)[-1] == "c"
    facts = load_rules(edited, "rules.yaml", {}).providers["mine"].facts("c")
    assert (facts.context, facts.title) == (5, None)
    assert comments(edited) == comments(text)
    with pytest.raises(EditError, match="has c already"):
        apply_change(edited, add_model("mine", (), {"id": "c"}))


def test_a_model_of_which_nothing_is_said_is_a_mere_name():
    edited = apply_change(PLAIN, change_model("mine", (), "a", {"context": 5}))
    assert "models: [{id: a, context: 5}, b]" in edited
    back = apply_change(edited, change_model("mine", (), "a", {"context": None}))
    assert back.split() == PLAIN.split()


@pytest.mark.parametrize("text", [PLAIN, BLOCK])
def test_the_default_goes_to_the_head(text):
    edited = apply_change(text, choose_default("mine", (), "a"))
    assert models(edited) == ("a", "b")
    assert "default" not in edited
    assert models(apply_change(edited, choose_default("mine", (), "b"))) == ("b", "a")


@pytest.mark.parametrize("text", [PLAIN, BLOCK])
def test_models_are_removed_but_for_the_last(text):
    edited = apply_change(text, remove_model("mine", (), "a"))
    assert models(edited) == ("b",)
    with pytest.raises(EditError, match="only model"):
        apply_change(edited, remove_model("mine", (), "b"))
    with pytest.raises(NoSuchModel):
        apply_change(edited, remove_model("mine", (), "a"))


def test_the_first_edit_writes_down_what_was_there():
    text = "version: 1\n"
    edited = apply_change(text, add_model("zai", ("glm-5.3", "glm-5.2"), {"id": "new"}))
    assert edited == "version: 1\nproviders:\n  zai:\n    models: [glm-5.3, glm-5.2, new]\n"
