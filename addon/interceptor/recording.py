"""What the ledger says of an exchange."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

from mitmproxy import http

from addon.engine import Attempt
from addon.formats import FORMATS
from addon.formats.base import FormatName
from addon.formats.other_usage import UsageReader, read_usage
from addon.interceptor.costs import cost_of
from addon.interceptor.exchanges import Exchange, Told
from addon.interceptor.planning import Pass, Route
from addon.ledger import Record, timestamp
from addon.neutral import DetourError, ErrorInfo, Loss, Usage
from addon.providers import Provider
from addon.rules import split_name
from addon.translation import StreamTranslator

_KEY = re.compile(r"\b(?:sk|key|gsk|xai|AIza|Bearer )[-_]?[\w*.-]{12,}")
"""What looks like a key, whoever's it is."""
_LEAST = 6
"""Characters that a secret has at least; anything shorter would be found everywhere."""


def record_of(flow: http.HTTPFlow, exchange: Exchange) -> Record:
    """Say what is known of an exchange at its end."""
    endpoint = exchange.endpoint
    began = flow.request.timestamp_start
    duration = time.time() - began
    response = flow.response
    agent, _ = split_name(exchange.agent)
    record = Record(
        time=timestamp(began),
        id=flow.id,
        agent=agent or None,
        endpoint=endpoint.name or endpoint.place,
        provider=endpoint.provider or None,
        source_format=endpoint.format,
        status=response.status_code if response is not None else None,
        duration_ms=_milliseconds(duration),
    )
    route = exchange.route or exchange.job
    decided = exchange.decided
    if flow.error is not None:
        record.error = f"disconnected: {flow.error.msg}"
    if route is not None:
        if response is None or exchange.job is not None:
            record.status = route.call.outcome.status
        _add_route(record, route, duration, exchange.secrets)
    elif decided is not None:
        record.rule, record.requested_model = decided.rule, decided.requested_model
        if isinstance(decided, Pass):
            record.stream = decided.stream
            record.actual_provider = record.provider or endpoint.host
            record.target_format = record.source_format
            if response is not None:
                record.first_byte_ms = _milliseconds(response.timestamp_start - began)
        else:
            record.error = describe_error(decided.error, exchange.secrets)
    return record


def is_complete(flow: http.HTTPFlow, exchange: Exchange) -> bool:
    """Tell whether there was nothing more to come, be it an error."""
    route = exchange.route or exchange.job
    if route is not None:
        return route.call.outcome.concluded
    response = flow.response
    return not exchange.passes or (response is not None and response.timestamp_end is not None)


def read_answer(body: bytes, spoken: FormatName | None) -> Told:
    """Return what a provider's answer, streamed or plain, says about itself."""
    is_object = body[:64].lstrip()[:1] == b"{"
    if spoken is None:
        reader = UsageReader()
        if not is_object:
            reader.feed(body)
        told = read_usage(body) if is_object else reader.told
        return Told(told.usage, told.model)
    if is_object:
        try:
            response, _ = FORMATS[spoken].parse_response(body)
        except DetourError:
            return Told()
        return Told(
            response.usage, response.model or None, response.id or None, response.finish_reason
        )
    translator = StreamTranslator(spoken, spoken)
    translator.feed(body)
    translator.close()
    return Told(
        translator.usage, translator.model, translator.response_id, translator.finish_reason
    )


def _add_route(record: Record, route: Route, duration: float, secrets: tuple[str, ...]) -> None:
    call, outcome = route.call, route.call.outcome
    destination = outcome.destination or call.destination
    secrets += tuple(value for _, value in call.key_headers)
    record.rule = route.rule
    record.requested_model = route.requested_model
    record.actual_provider = destination.provider.id
    record.model = outcome.model or destination.model or None
    record.source_format = call.agent_format
    record.target_format = destination.format
    record.stream = call.stream
    if outcome.error is not None:
        record.error = describe_error(outcome.error, secrets)
    record.attempts = [_attempt(attempt, secrets) for attempt in outcome.attempts]
    record.losses = _losses((*(outcome.request_losses or call.rendered.losses), *outcome.losses))
    if outcome.started is not None:
        # What came before the engine began: the rules, media that had to be fetched, ...
        # The clock is the event loop's; this is asked by the ledger's thread, too.
        lead = duration - (time.monotonic() - outcome.started)
        if outcome.first_byte is not None:
            record.first_byte_ms = _milliseconds(lead + outcome.first_byte)
        if outcome.first_token is not None:
            record.first_token_ms = _milliseconds(lead + outcome.first_token)
    if call.estimate is None:
        add_usage(record, outcome.usage, destination.provider, destination.model)


def add_usage(
    record: Record, usage: Usage | None, provider: Provider | None, model: str | None = None
) -> None:
    """Write down what was used and what it cost, where that is known.

    Args:
        record: Gets it.
        usage: What the provider says.
        provider: Who has prices.
        model: What was asked for, where the answer does not say which model gave it.
    """
    if usage is None:
        return
    record.cost_usd = cost_of(usage, provider, (model, record.model, record.requested_model))
    usage = usage.billed
    record.input_tokens = usage.input_tokens
    record.cache_read_tokens = usage.cache_read_tokens
    record.cache_write_tokens = usage.cache_write_tokens
    record.output_tokens = usage.output_tokens
    record.reasoning_tokens = usage.reasoning_tokens


def _attempt(attempt: Attempt, secrets: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "provider": attempt.provider,
        "model": attempt.model,
        "seconds": attempt.seconds,
    }
    if attempt.error is not None:
        told["error"] = describe_error(attempt.error, secrets)
    return told


def describe_error(error: ErrorInfo, secrets: tuple[str, ...]) -> str:
    """Write an error without any key that a provider may have quoted.

    Args:
        error: The error.
        secrets: The keys of the exchange; what looks like another is left out as well.
    """
    text = f"{error.kind}: {error.message}"
    for secret in secrets:
        for word in secret.split():
            if len(word) >= _LEAST:
                text = text.replace(word, "(key)")
    return _KEY.sub("(key)", text)


def _losses(losses: Iterable[Loss]) -> list[dict[str, str]]:
    return [{"field": loss.field, "reason": loss.reason, "action": loss.action} for loss in losses]


def _milliseconds(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1000, 3)
