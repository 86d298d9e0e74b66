"""`detour explain`: which rule a call would meet, and what would be sent where."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from addon.commands.options import find_rules, home_option, rules_option
from addon.inspection.explaining import explain as explain_here
from addon.inspection.explanation import (
    PLACES,
    Explanation,
    Sending,
    ask,
    body_document,
    explanation_document,
    place_of,
)
from addon.inspection.loading import load
from addon.neutral import DetourError
from addon.rules import Decision, Limit, RulesError, Standing
from addon.rules.problems import suggestion

LONGEST_TEXT = 300
"""Characters of one string that are shown to people; `--json` shows all."""


def _split_header(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [value.partition("=") for value in values]
    for name, separator, _ in pairs:
        if not name or not separator:
            raise click.BadParameter("write NAME=VALUE", context, parameter)
    return tuple((name.strip(), value) for name, _, value in pairs)


@click.command()
@click.option("--model", metavar="M", help="Model that the agent asks for.")
@click.option("--agent", metavar="A", help="Who calls, such as codex.")
@click.option(
    "--endpoint",
    metavar="E",
    default="chat",
    show_default=True,
    help=f"API that the agent calls: {', '.join(PLACES)}; or a path such as audio/transcriptions.",
)
@click.option("--provider", metavar="P", help="Whose host the agent calls; the API's owner.")
@click.option(
    "--header",
    "headers",
    metavar="K=V",
    multiple=True,
    callback=_split_header,
    help="Header of the agent's request; may be repeated.",
)
@click.option("--body", type=click.File("rb"), help="File with the agent's body; - is stdin.")
@rules_option
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    *,
    model: str | None,
    agent: str | None,
    endpoint: str,
    provider: str | None,
    headers: tuple[tuple[str, str], ...],
    body: BinaryIO | None,
    rules: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Say which rule applies to a call, why the earlier ones do not, and what would be sent.

    Nothing is sent, but servers on this machine are asked for their models where one may be meant.
    Keys are shown as the name of the place they come from.
    """
    place = place_of(endpoint)
    if place is None:
        raise click.UsageError(f"--endpoint: there is no {endpoint!r}; known: {', '.join(PLACES)}")
    if model is None and body is None and place[1].names_model:
        raise click.UsageError("give --model, or --body with a request that names one")
    content = body.read() if body else None
    try:
        loaded = load(find_rules(rules, home), home)
        if provider is not None and provider not in loaded.providers:
            hint = suggestion(provider, loaded.providers)
            raise click.UsageError(f"--provider: there is no provider {provider}{hint}")
        question = ask(
            endpoint=endpoint,
            model=model,
            agent=agent,
            provider=provider,
            headers=headers,
            body=content,
        )
        explanation = explain_here(question, loaded, home)
    except RulesError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except DetourError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    if as_json:
        document = explanation_document(explanation)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(_as_text(explanation))


def _as_text(explanation: Explanation) -> str:
    decision = explanation.decision
    lines = [_describe(explanation), ""]
    for rule, step in zip(decision.considered, decision.trace, strict=True):
        verdict = "applies" if step.matched else f"does not apply: {step.reason}"
        lines.append(f"  line {rule.mark.line}, {rule.name}: {verdict}")
    if decision.rule is None:
        lines.append(f"  {decision.reason} applies")
    lines += ["", *_outcome(decision, explanation)]
    return "\n".join(lines)


def _describe(explanation: Explanation) -> str:
    question = explanation.question
    agent = question.agent or "an unknown agent"
    model = f"model {question.model}" if question.model else "no model"
    call = f"{question.method} {question.line.path}, {model}"
    return f"{agent} calls {question.provider}: {call}, phase {explanation.phase}"


def _outcome(decision: Decision, explanation: Explanation) -> list[str]:
    if explanation.note:
        return [explanation.note]
    lines: list[str] = []
    match decision.action:
        case "pass":
            lines.append("The call would pass unchanged to where the agent sends it.")
        case "block":
            lines.append("The call would be refused.")
        case "route":
            lines += _destination_lines(decision, explanation)
    for standing in explanation.limits:
        lines.append(_standing(standing))
    if not explanation.limits and decision.rule is not None:
        lines += [f"The rule's calls may use {limit}." for limit in decision.rule.limits]
    if decision.limited:
        lines.append("Its limit is reached, so that the call would go by `else`.")
    if explanation.error:
        lines.append(f"But the agent would get an error: {explanation.error}")
    if explanation.sending:
        lines += ["", *_request_lines(explanation.sending)]
    return lines


def _destination_lines(decision: Decision, explanation: Explanation) -> list[str]:
    lines = [
        f"{target} would be passed over: {reason}" for target, reason in explanation.passed_over
    ]
    able = decision.destinations[len(explanation.passed_over) :]
    if not able:
        return lines  # the error says the rest
    spoken = explanation.question.format
    place, *later = able
    if spoken is None:
        below = explanation.question.line.path.removeprefix("/v1")
        sending = explanation.sending
        same = sending is None or sending.url.startswith(place.base_url.rstrip("/") + below)
        change = "as it is" if same else "in its own words"
    elif place.format == spoken:
        change = f"in the agent's own format, {place.format}"
    else:
        change = f"translated from {spoken} to {place.format}"
    lines.append(f"The call would go to {place.provider.id}:{place.model}, {change}.")
    if later:
        kinds = ", ".join(sorted(decision.fallback.on))
        names = ", ".join(f"{place.provider.id}:{place.model}" for place in later)
        lines.append(f"Then, one after the other, to {names}, after {kinds}.")
    return lines


def _standing(standing: Standing) -> str:
    limit, used = standing.limit, standing.used
    amounts = {
        "requests": f"{used.requests:,} request{'s' * (used.requests != 1)}",
        "tokens": f"{used.tokens:,} tokens",
        "cost_usd": f"${used.cost_usd:,.4f}",
    }
    told = ", ".join(text for name, text in amounts.items() if name in standing.left)
    reached = limit.reached(used) is not None
    until = datetime.fromtimestamp(standing.until).strftime("%Y-%m-%d %H:%M")
    left = f"reached, until {until}" if reached else f"used so far: {told}"
    return f"The rule's calls may use {limit} ({left}); {_afterwards(limit)}."


def _afterwards(limit: Limit) -> str:
    match limit.otherwise:
        case None:
            return "then they are refused"
        case str() as verdict:
            return f"then: {verdict}"
        case targets:
            names = ", ".join(f"{target.provider}:{target.model}" for target in targets)
            return f"then they go to {names}"


def _request_lines(sending: Sending) -> list[str]:
    lines = [f"{sending.method} {sending.url}"]
    lines += [f"{name}: {value}" for name, value in sending.headers]
    if sending.body:
        body = _shorten(body_document(sending.body))
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        lines += ["", text]
    if sending.losses:
        lines += ["", "Not as the agent meant it:"]
        lines += [f"  {loss.field}: {loss.action}; {loss.reason}" for loss in sending.losses]
    return lines


def _shorten(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Cut long strings for people to see the shape of a body."""
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"
        case list():
            return [_shorten(item) for item in cast("list[Any]", value)]
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {key: _shorten(item) for key, item in items}
        case _:
            return value
