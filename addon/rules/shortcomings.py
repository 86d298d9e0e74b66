"""What is known of a model that makes a call to it pointless, told before anything is sent.

Only where it is known: by the table of models, and before it by what rules.yaml says of a model.
Everything else goes to the provider, whose own error then says it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import override

from addon.neutral import (
    DetourError,
    ErrorInfo,
    ErrorKind,
    FilePart,
    ImagePart,
    Loss,
    PlainText,
    Request,
    Tool,
)
from addon.providers import BUILT_IN, Ability, Destination, ModelFacts, Provider, known_models
from addon.rules.facts import BYTES_PER_TOKEN, CallFacts, all_parts
from addon.rules.model_names import makers

CERTAINLY = 1.5
"""How far an estimate must exceed a model's context before it is believed."""

_SIGNS: dict[Ability, tuple[bytes, ...]] = {
    "tools": (b'"tools"', b'"functions"'),
    "images": (b"image", b"inlineData", b"inline_data", b"fileData", b"file_data"),
    "files": (b"file", b"document", b"inlineData", b"inline_data"),
    "json_schema": (b"schema", b"Schema"),
}
"""Bytes, one of which is in every body that holds the feature; most bodies hold none."""
_SHAPE_FIELDS = ("response_format", "text.format", "output_config", "generationConfig.response")


class Shortcoming(DetourError):
    """A model cannot do what a call asks of it."""

    def __init__(self, kind: ErrorKind, message: str, code: str, param: str) -> None:
        super().__init__(message)
        self._info = ErrorInfo(kind, message, code=code, param=param)

    @override
    def to_error_info(self) -> ErrorInfo:
        return self._info


def check_model(destination: Destination, today: date) -> None:
    """Refuse a model that the provider is known not to have, or to have any more.

    Raises:
        Shortcoming: So it is.
    """
    provider, model = destination.provider, destination.model
    known = provider.facts(model)
    if known is None:
        if _is_anothers(provider, model):
            message = f"{provider.id} has no model {model}{_nearest(provider, model, today)}"
            raise Shortcoming("not_found", message, "model_not_found", "model")
    elif _has_ended(known, today) and model not in provider.own_facts:
        message = (
            f"{provider.id} has taken {model} away on {known.ends}"
            f"{_nearest(provider, model, today)}. If it is still there, say so in rules.yaml: "
            + _own_facts(provider, model, f"context: {known.context or 100000}")
        )
        raise Shortcoming("not_found", message, "model_not_found", "model")


def check_request(
    destination: Destination, body: bytes, facts: CallFacts, losses: Iterable[Loss] = ()
) -> None:
    """Refuse a request that the model is known to be unable to answer.

    Args:
        destination: Who is to answer.
        body: The agent's request.
        facts: The same, to be parsed only where there is a suspicion.
        losses: What has been put in other words for the model already.

    Raises:
        Shortcoming: The model lacks something that the request holds, or it is too long.
    """
    provider, model = destination.provider, destination.model
    known = provider.facts(model)
    if known is None:
        return
    for ability in _lacking(provider, model, known):
        if any(sign in body for sign in _SIGNS[ability]) and ability in _wanted(facts.parsed):
            if ability == "json_schema" and _is_told(losses):
                continue
            message = (
                f"{provider.id}:{model} has no {ability}, which this call needs. Send such calls to"
                f" another model (`when: {{has: {ability}}}` in a rule); if it has them, say so in"
                " rules.yaml: " + _own_facts(provider, model, f"features: [..., {ability}]")
            )
            raise Shortcoming("unsupported", message, "feature_not_offered", ability)
    if known.context is None or len(body) < known.context * BYTES_PER_TOKEN * CERTAINLY:
        return
    tokens = facts.input_tokens
    if tokens is not None and tokens > known.context * CERTAINLY:
        message = (
            f"The request has about {tokens} tokens, and {provider.id}:{model} takes"
            f" {known.context} at most. A list under `use` with `fallback: {{on: context_length}}`"
            " goes on to a larger model."
        )
        raise Shortcoming("context_length", message, "context_length_exceeded", "messages")


def _lacking(provider: Provider, model: str, known: ModelFacts) -> Iterator[Ability]:
    """Name what a model is known not to have.

    A feature that no model of the provider has in the table is one that the table does not know of.
    """
    if known.features is None:
        return
    own = provider.own_facts.get(model)
    for ability in _SIGNS:
        if ability not in known.features:
            others = known_models(provider.dialect).values()
            says_so = own is not None and own.features is not None
            if says_so or any(ability in (other.features or ()) for other in others):
                yield ability


def _wanted(request: Request | None) -> Iterator[Ability]:
    """Name what a request cannot do without."""
    if request is None:
        return
    if any(isinstance(tool, Tool) for tool in request.tools):
        yield "tools"
    if request.response_format and request.response_format.kind == "json_schema":
        yield "json_schema"
    for part in all_parts(request.messages):
        if isinstance(part, ImagePart):
            yield "images"
        elif isinstance(part, FilePart) and not isinstance(part.source, PlainText):
            yield "files"


def _is_told(losses: Iterable[Loss]) -> bool:
    """Tell whether the shape of the answer has been asked for by other means."""
    shape = (loss for loss in losses if loss.field.startswith(_SHAPE_FIELDS))
    return any(loss.action == "emulated" for loss in shape)


def _is_anothers(provider: Provider, model: str) -> bool:
    """Tell whether a name is one that another provider gives its models, and this one never."""
    own = BUILT_IN.get(provider.id)
    if own is None or own.base_urls != provider.base_urls or model in provider.models:
        return False
    if provider.id == "local":  # many a server answers by whatever name it is asked for
        return False
    found = makers(model)
    return bool(found) and provider.id not in found and makers(provider.default_model or "") != ()


def _nearest(provider: Provider, model: str, today: date) -> str:
    names = {
        name
        for name, facts in (*known_models(provider.id).items(), *provider.own_facts.items())
        if not _has_ended(facts, today)
    }
    found = difflib.get_close_matches(model, sorted({*names, *provider.models} - {model}), n=1)
    nearest = found[0] if found else provider.default_model
    return f"; the nearest is {nearest}" if nearest else ""


def _has_ended(facts: ModelFacts, today: date) -> bool:
    return facts.ends is not None and date.fromisoformat(facts.ends) <= today


def _own_facts(provider: Provider, model: str, field: str) -> str:
    return f"`providers: {{{provider.id}: {{models: [{{id: {model}, {field}}}]}}}}`."
