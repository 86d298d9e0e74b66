"""What becomes of a request that asks about a response or a conversation by its id.

No model is named in it, so rules cannot decide about it alone. What Detour keeps, Detour answers.
What a provider keeps that a rule had sent the response to, that provider answers. Everything else
goes where the rules let such calls go, and to nobody that no rule has named.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec

from addon.engine import Call
from addon.formats.endpoints import COMPLETIONS
from addon.formats.openai_responses import NAME
from addon.formats.openai_responses.dialects import dialect
from addon.interceptor.carrying import plan_carried
from addon.interceptor.compacting import PATH as COMPACT
from addon.interceptor.compacting import is_triggered, plan_compaction, plan_triggered
from addon.interceptor.completing import plan_completion
from addon.interceptor.key_headers import key_headers
from addon.interceptor.planning import Incoming, Pass, Plan, Route, blocked, facts_of, plan
from addon.interceptor.state import State
from addon.providers import Destination
from addon.rules import Rules
from addon.stateful.addresses import Operation, read_operation
from addon.stateful.errors import conversation_not_found, response_not_found
from addon.translation import RenderedRequest

_OWNERS = ("", "openai")
"""Whose addresses they are; at other hosts they may mean something else. Empty: an unknown host."""


def plan_call(incoming: Incoming, rules: Rules, keep_alive: float, state: State) -> Plan:
    """Say what becomes of any request.

    Raises:
        DetourError: It cannot be done.
    """
    endpoint = incoming.endpoint
    if endpoint.provider in _OWNERS:
        if endpoint.method == "POST" and endpoint.line.path.rstrip("/") == COMPACT:
            return plan_compaction(incoming, rules, keep_alive, state)
        operation = read_operation(endpoint.method, endpoint.line.path)
        if operation is not None:
            return _plan_operation(incoming, operation, rules, state, keep_alive)
    if endpoint.name == COMPLETIONS and endpoint.method == "POST":
        return plan_completion(incoming, rules, keep_alive, state)
    if endpoint.format is None:
        return plan_carried(incoming, rules)
    if is_triggered(incoming):
        return plan_triggered(incoming, rules, keep_alive, state)
    history = state.history if endpoint.format == NAME else None
    return plan(incoming, rules, keep_alive, state.memory, history)


def _plan_operation(
    incoming: Incoming, operation: Operation, rules: Rules, state: State, keep_alive: float
) -> Plan:
    """Ask Detour's memory, and then the rules, about a request.

    Raises:
        StateError: What it is about is not there, or cannot be done.
        DetourError: It cannot be done for another reason.
    """
    query = dict(parse_qsl(incoming.endpoint.line.query))
    keeper = state.keeper_of(operation)
    if keeper and any(target.provider == keeper for target in rules.targets()):
        provider = rules.providers[keeper]
        base_url = provider.base_urls.get(NAME)
        if base_url is not None:
            destination = Destination(provider, NAME, base_url, "")
            return _route(incoming, destination, rules, query, "it is kept there", keep_alive)
    if operation.action != "create conversation":
        answered = state.perform(operation, query, incoming.body)
        if answered is not None:
            return answered
    return _plan_unknown(incoming, operation, rules, state, keep_alive)


def _plan_unknown(
    incoming: Incoming, operation: Operation, rules: Rules, state: State, keep_alive: float
) -> Plan:
    """Let the rules decide about what Detour does not keep, or not yet."""
    endpoint = msgspec.structs.replace(incoming.endpoint, name="responses")
    facts = facts_of(msgspec.structs.replace(incoming, endpoint=endpoint), NAME)
    decision = rules.foresee(facts, NAME)
    creates = operation.action == "create conversation"
    destination = decision.destinations[0] if decision.destinations else None
    if destination is not None and _keeps(destination, operation):
        query = dict(parse_qsl(incoming.endpoint.line.query))
        return _route(incoming, destination, rules, query, decision.rule_name, keep_alive)
    if decision.action == "block":
        return blocked(incoming.endpoint, decision.rule_name)
    if decision.action == "pass" or (rules.default == "pass" and not creates):
        return Pass()
    if creates:
        answered = state.perform(operation, {}, incoming.body)
        assert answered is not None
        return answered
    if operation.about_response:
        raise response_not_found(operation.id)
    raise conversation_not_found(operation.id)


def _keeps(destination: Destination, operation: Operation) -> bool:
    if destination.format != NAME:
        return False
    facts = dialect(destination.provider.dialect)
    return facts.keeps_responses if operation.about_response else facts.keeps_conversations


def _route(
    incoming: Incoming,
    destination: Destination,
    rules: Rules,
    query: dict[str, str],
    rule: str,
    keep_alive: float,
) -> Route:
    """Send a request as it is to a provider that keeps what it is about."""
    endpoint = incoming.endpoint
    line = endpoint.line
    path = line.path.removeprefix("/v1") + (f"?{line.query}" if line.query else "")
    return Route(
        call=Call(
            agent_format=NAME,
            line=line,
            body=incoming.body,
            rendered=RenderedRequest(
                method=endpoint.method,
                url=destination.base_url.rstrip("/") + path,
                headers=[("content-type", "application/json")] if incoming.body else [],
                body=incoming.body,
            ),
            destination=destination,
            key_headers=key_headers(destination, rules.keys, endpoint, incoming.headers),
            agent_headers=incoming.headers,
            stream=query.get("stream") == "true",
            keep_alive=keep_alive,
        ),
        rule=rule,
        requested_model=endpoint.place,
        original_body=incoming.body,
    )
