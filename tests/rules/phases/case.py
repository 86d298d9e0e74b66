"""A call as an agent makes it, cut down to what tells its phase."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from addon.formats import FORMATS, format_for_path
from addon.formats.base import RequestLine
from addon.neutral import DetourError, Request
from addon.rules import CallFacts


@dataclass(frozen=True)
class Case:
    """One call."""

    name: str
    phase: str
    user_agent: str
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    needs_headers: bool = False
    """Whether nothing in the body tells the phase."""


def phase_of(case: Case, *, headers: bool = True) -> str:
    """Recognise a case, with the headers made for it or without them."""
    fields = dict(case.headers) if headers else {}
    return recognised(case.user_agent, fields, case.path, case.body)


def recognised(
    user_agent: str,
    headers: Mapping[str, str],
    path: str,
    body: Mapping[str, Any],
    agent: str | None = None,
) -> str:
    """Recognise a call.

    The User-Agent stands first: it counts, not another one among the headers.
    """
    spoken, endpoint = format_for_path(path) or pytest.fail(f"{path} speaks no format")

    def parse() -> Request | None:
        try:
            return FORMATS[spoken].parse_request(json.dumps(body).encode(), RequestLine(path))
        except DetourError:
            return None

    facts = CallFacts(
        model=body.get("model", ""),
        endpoint=endpoint,
        agent=agent,
        headers=(("User-Agent", user_agent), *headers.items()),
        request=parse,
    )
    return facts.phase
