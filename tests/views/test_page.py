"""docs/mitmweb.md: what it says of views, filters, commands and options is so."""

import re

import pytest
from mitmproxy import flowfilter
from mitmproxy.test import taddons

from addon.interceptor import Interceptor
from addon.views import VIEWS
from tests.support.program import ROOT

PAGE = (ROOT / "docs" / "mitmweb.md").read_text(encoding="utf-8")
FILTERS = re.findall(r"^\| `(~[^`]+)` \|", PAGE, re.M)


def test_there_are_filters():
    assert len(FILTERS) == 10


@pytest.mark.parametrize("expression", FILTERS)
def test_a_filter_finds_what_it_is_to_find(flow, expression):
    flow.comment = (
        "gpt-5.1 -> zai:glm-5.3 (overloaded) -> anthropic:claude-opus-5-5 (plan with Opus)"
    )
    flow.metadata |= {
        "detour.provider": "anthropic",
        "detour.model": "claude-opus-5-5",
        "detour.requested_model": "gpt-5.1",
        "detour.rule": "plan with Opus",
    }
    assert flowfilter.match(expression, flow)
    for name in ("agent", "provider", "model", "requested_model", "rule"):
        flow.metadata[f"detour.{name}"] = "something else"
    flow.comment = "o3 -> nobody:nothing (something else)"
    assert not flowfilter.match(expression, flow)


def test_all_views_are_there():
    named = re.findall(r"^\| `(detour[a-z ]*)` \|", PAGE, re.M)
    assert named == [view.name.lower() for view in VIEWS]


def test_all_commands_are_there(tmp_path):
    named = set(re.findall(r"^\| `(detour\.\w+)", PAGE, re.M))
    with taddons.context() as context:
        context.master.addons.add(Interceptor())
        known = {name for name in context.master.commands.commands if name.startswith("detour.")}
        options = [name for name in re.findall(r"--set (\w+)", PAGE) if name.startswith("detour")]
        assert all(name in context.options for name in options)
    assert named == known
