"""What the view "Detour" says of an exchange."""

import pytest
from mitmproxy.contentviews import Metadata
from mitmproxy.flow import Error

from addon.views import metadata
from addon.views.overview import OverviewView, write_cost, write_seconds


def shown(flow):
    return OverviewView().prettify(b"", Metadata(flow=flow, http_message=flow.response))


def test_all_that_is_known_is_told(flow):
    assert shown(flow).splitlines() == [
        "# gpt-5.1 -> anthropic:claude-opus-5-5: answered with status 200",
        " ",
        "agent:      planner, phase planning",
        "called:     POST https://api.openai.com/v1/chat/completions  # openai-chat, streamed",
        "rule:       all to Claude",
        "            # not plan: the agent is planner",
        "sent to:    anthropic:claude-opus-5-5 at http://api.anthropic.com:22/v1/messages"
        "  # anthropic",
        " ",
        "times:      first byte 250 ms, first token 500 ms, end 2.00 s, 200 tokens/s",
        "tokens:     1,200 read, 300 written, 7 of them thoughts",
        "cost:       $0.0123",
        " ",
        "losses:",
        "  - seed: dropped  # no such thing",
    ]


def test_attempts_say_who_failed_and_why(flow):
    flow.metadata[metadata.SUMMARY]["attempts"] = [
        {"provider": "zai", "model": "glm", "seconds": 0.5, "error": "overloaded: Busy"},
        {"provider": "anthropic", "model": "claude", "seconds": 1.5},
    ]
    told = shown(flow)
    assert "  - zai:glm: failed after 500 ms  # overloaded: Busy\n" in told
    assert "  - anthropic:claude: answered after 1.50 s\n" in told


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda flow: setattr(flow, "response", None), "not answered"),
        (lambda flow: (setattr(flow, "response", None), setattr(flow, "live", True)), "waiting"),
        (
            lambda flow: (
                setattr(flow.response, "timestamp_end", None),
                setattr(flow, "live", True),
            ),
            "still answering",
        ),
        (lambda flow: setattr(flow, "error", Error("Client left.")), "broken off (Client left.)"),
        (lambda flow: flow.metadata[metadata.SUMMARY].update(error="cut: x"), "failed"),
        (lambda flow: flow.metadata[metadata.SUMMARY].update(action="refuse"), "refused"),
    ],
    ids=["no answer", "waiting", "answering", "broken", "failed", "refused"],
)
def test_the_headline_says_how_it_stands(flow, change, state):
    change(flow)
    assert state in shown(flow).splitlines()[0]


@pytest.mark.parametrize(
    ("dollars", "told"),
    [(None, "unknown"), (0.0, "$0.00"), (0.0000004, "$0.00"), (0.00107, "$0.00107"),
     (0.5, "$0.50"), (1234.5, "$1,234.50")],
)  # fmt: skip
def test_small_costs_still_say_something(dollars, told):
    assert write_cost(dollars) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0851, "85 ms"), (1.239, "1.24 s"), (125, "2 min 05 s")]
)
def test_times_are_told_as_people_do(seconds, told):
    assert write_seconds(seconds) == told
