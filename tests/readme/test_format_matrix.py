"""README's table of formats is what the code does."""

from __future__ import annotations

import json

import pytest

from addon.formats import FORMATS
from addon.formats.base import FORMAT_NAMES
from addon.translation import translate_request
from scripts.format_matrix import README, TARGETS, answer_cell, cell, rewritten, verdict
from scripts.format_probes import PLAIN, PROBES
from scripts.signature_probes import signature_verdict


def test_the_table_is_as_the_code_is() -> None:
    readme = README.read_text(encoding="utf-8")
    assert rewritten(readme) == readme, "run `python -m scripts.format_matrix`"


def test_every_format_is_told_of() -> None:
    assert set(TARGETS) == set(PLAIN) == set(FORMAT_NAMES) == set(FORMATS)


@pytest.mark.parametrize("feature", PROBES)
def test_a_feature_really_stands_in_its_probes(feature: str) -> None:
    """Whatever is said to be kept must make a difference to what is sent."""
    for source, probe in PROBES[feature].items():
        body = {**PLAIN[source], **probe}
        for target, model in TARGETS.items():
            if target == source or feature == "text" or verdict(body, source, target) != "kept":
                continue
            with_it, without = (
                translate_request(json.dumps(one).encode(), source, target, model=model).body
                for one in (body, PLAIN[source])
            )
            assert with_it != without, (source, target)


def test_exceptions_are_named() -> None:
    probes = {**PROBES["text"], "openai-chat": {"n": 2}}
    assert cell(probes, "anthropic") == "kept (Chat: refused)"
    assert cell({"gemini": {}}, "gemini") == "-"


def test_a_signature_that_an_agent_has_no_place_for_is_kept_for_it() -> None:
    assert signature_verdict("anthropic", "openai-chat", "claude-opus-5-5") == "kept in the vault"
    assert signature_verdict("anthropic", "gemini", "claude-opus-5-5") == "kept"


def test_a_part_that_does_not_come_through_is_told_of() -> None:
    assert answer_cell(b"nowhere to be found", "gemini") == "dropped"
