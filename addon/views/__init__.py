"""What mitmweb and mitmproxy's console show of an exchange, in views to choose from a list.

* `overview`: what Detour did, why, and what came of it
* `agent_request`, `sent_request`: what the agent sent, and what its provider got
* `streams`: what the provider sent and what the agent got, side by side in time
* `conversation`: messages, thoughts and tool calls, to be read
* `comparison`: two answers side by side
* `metadata`, `timeline`: what a flow keeps of an exchange
* `answers`: the answer that a flow holds, also while it grows
* `parts`, `page`, `json_text`, `columns`: how it is written

Views read flows and nothing else, so that they show the same of a flow that was saved. A flow may
come from anywhere: no view raises, and none takes longer the larger a flow is.
"""

from mitmproxy import contentviews

from addon.views.agent_request import AgentRequestView
from addon.views.comparison import ComparisonView
from addon.views.conversation import ConversationView
from addon.views.overview import OverviewView
from addon.views.sent_request import SentRequestView
from addon.views.streams import StreamsView

VIEWS = (
    OverviewView(),
    ConversationView(),
    AgentRequestView(),
    SentRequestView(),
    StreamsView(),
    ComparisonView(),
)


def register() -> None:
    """Make the views known, once."""
    for view in VIEWS:
        if view.name.lower() not in contentviews.registry:
            contentviews.add(view)


__all__ = ["VIEWS", "register"]
