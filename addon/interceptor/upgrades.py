"""What becomes of a request for a WebSocket.

One for `/v1/responses` is granted and served by Detour itself, wherever a response could go
elsewhere; the model, and most of what rules look at, is known only with each message. Where all
responses would pass anyway, the socket itself passes. Those of other formats are turned away with
426, at which agents go on by HTTP at once. About all others (Realtime above all) rules decide as
about a call, by what the request for the socket says.
"""

from __future__ import annotations

from addon.formats import format_for_path
from addon.formats.base import Headers
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.planning import Pass, Refusal
from addon.neutral import ErrorInfo
from addon.rules import CallFacts, Rules, split_name
from addon.sockets import Handshake, shake_hands

NO_WEBSOCKET = Refusal(
    ErrorInfo(
        "unsupported", "Detour does not carry this WebSocket; call by HTTP.", code="use_http"
    ),
    "WebSocket refused",
    status=426,
)
SERVED = ("openai-responses", "responses")
"""What can be spoken on a socket."""


def plan_upgrade(
    endpoint: Endpoint, headers: Headers, agent: str, rules: Rules
) -> Handshake | Pass | Refusal | None:
    """Decide about a request for a WebSocket; None: it is a call like any other."""
    found = format_for_path(endpoint.line.path)
    if found is None:
        return None
    if found != SERVED or rules.websocket == "refuse":
        return NO_WEBSOCKET
    agent, phase = split_name(agent)
    facts = CallFacts(
        agent=agent,
        stated_phase=phase,
        model="",
        endpoint=found[1],
        provider=endpoint.provider or None,
        headers=headers,
        request=lambda: None,
        matches_filter=lambda _: False,
    )
    if not rules.may_divert(facts):
        return Pass()
    return shake_hands(headers) or NO_WEBSOCKET
