"""Carries one call to a provider and its answer back, without knowing the proxy.

* `call`: what is to be done (`Call`), how an answer begins (`Head`), what came of it (`Outcome`)
* `chain`: what to try next where a target fails
* `answering`: the async generator that an adapter pulls: a `Head`, then bytes
* `clients`: pooled connections; `conversation`: one request and its raw answer over them
* `model_lists`, `local_servers`, `local_details`: which models there are, here and elsewhere
* `verifying`: a minimal request, to see whether a provider can be used
* `silence`: timeouts, and word when nothing comes
* `streamed`, `plain`, `counting`, `carried`: what the agent gets, item by item, without any
  input or output of their own
* `relay`: a socket to a provider, as it is
* `media` with `media_connections`, `media_memory`, `addresses`: what is fetched for providers that
  read no addresses
* `tape`: what providers sent, as it came, for people who look into a call
* `headers`, `ratelimits`: which headers cross over; `failures`: what went wrong, in plain words
"""

from addon.engine.answering import answer
from addon.engine.call import Call, Head, Outcome
from addon.engine.carried import BrokenOff
from addon.engine.chain import Attempt, Chain, Cooldowns, Place, place_of
from addon.engine.clients import ClientPool, ProxySettings, TlsSettings
from addon.engine.local_servers import LocalServers
from addon.engine.media import MediaFetcher
from addon.engine.media_connections import MediaConnections
from addon.engine.model_lists import ListError, ModelLists, Question, fetch_models
from addon.engine.relay import Relay
from addon.engine.tape import Tape
from addon.engine.verifying import Verdict, verify

__all__ = [
    "Attempt",
    "BrokenOff",
    "Call",
    "Chain",
    "ClientPool",
    "Cooldowns",
    "Head",
    "ListError",
    "LocalServers",
    "MediaConnections",
    "MediaFetcher",
    "ModelLists",
    "Outcome",
    "Place",
    "ProxySettings",
    "Question",
    "Relay",
    "Tape",
    "TlsSettings",
    "Verdict",
    "answer",
    "fetch_models",
    "place_of",
    "verify",
]
