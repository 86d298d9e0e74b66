"""Answers that Detour gives by itself, without asking a provider."""

from __future__ import annotations

import logging

from mitmproxy import http

from addon.interceptor import access, replay
from addon.interceptor.adapter import Delivery
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.exchanges import Exchange
from addon.interceptor.planning import Answered
from addon.interceptor.secrecy import hide_secrets

logger = logging.getLogger(__name__)


async def give(flow: http.HTTPFlow, endpoint: Endpoint, answered: Answered) -> Exchange:
    """Answer a flow with a document, or let a stream begin that answers it."""
    exchange = Exchange(endpoint=endpoint)
    hide_secrets(flow.request)
    flow.comment = answered.comment
    logger.info("%s: %s", endpoint.place, flow.comment)
    stream = answered.stream
    if stream is None:
        json = {"content-type": "application/json"}
        flow.response = http.Response.make(200, answered.body, json)
    elif flow.is_replay == "request":
        await replay.answer_whole(flow, stream)
    else:
        handler = access.connection_handler(flow.client_conn)
        exchange.streams = True
        exchange.delivery = Delivery(flow, handler, lambda: stream)
    return exchange
