"""Send an agent's own `POST /v1/messages` to another place that speaks the format.

The bytes stay as they are but for the model name (decision D3), for what a Claude of another
generation refuses, for ids of calls that other providers made up, for what is meant for Anthropic's
accounts alone, and for thoughts that Detour brought along from other formats.
"""

from __future__ import annotations

from typing import Any

from addon.formats.anthropic.account_block import FIELD, is_account_block
from addon.formats.anthropic.call_ids import with_legal_call_ids
from addon.formats.anthropic.model_change import Changes, fit_to_model
from addon.formats.anthropic.models import claude_model
from addon.formats.anthropic.refitting import without_envelopes
from addon.formats.anthropic.request_parsing import parse_request
from addon.formats.anthropic.request_rendering import HEADERS, PATH, render_request
from addon.formats.base import RenderedBody, RequestLine
from addon.neutral import ClientRequestError, LossList
from addon.wire.carrier import PREFIX
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object
from addon.wire.reading import mapping, sequence, text

_ANTHROPIC = "anthropic"
"""The provider whose accounts are meant."""


def rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    """Put `model` in the place of the agent's, and fit the request to it.

    Raises:
        ClientRequestError: The body is not a JSON object.
        UnsupportedFeature: It holds content that the model has no way to take.
    """
    if PREFIX.encode() in body:
        body = without_envelopes(body)
    wire = decode_object(body)
    if wire is None:
        raise ClientRequestError("the request body is not a JSON object")
    path = line.path or PATH
    losses = LossList()
    changes: Changes = {"model": encode(model)}
    before, after = claude_model(text(wire.get("model"))), claude_model(model)
    if not after.other_maker:
        body = with_legal_call_ids(body, wire)
    if not after.other_maker and after != before:
        if _wants_format(wire) and not after.structured_output and path == PATH:
            return render_request(parse_request(body), model)
        changes |= fit_to_model(body, wire, after, losses)
    if dialect != _ANTHROPIC:
        _leave_out_account_block(wire, changes, losses)
    return RenderedBody(
        path=f"{path}?{line.query}" if line.query else path,
        headers=HEADERS,
        body=edit_object(body, changes),
        losses=losses.to_tuple(),
    )


def _wants_format(wire: dict[str, Any]) -> bool:
    return bool(mapping(wire.get("output_config")).get("format"))


def _leave_out_account_block(wire: dict[str, Any], changes: Changes, losses: LossList) -> None:
    system = sequence(wire.get("system"))
    kept = [block for block in system if not is_account_block(block)]
    if len(kept) < len(system):
        losses.dropped(FIELD, "it is for Anthropic's accounts and differs in every call")
        changes["system"] = encode(kept) if kept else None
