"""Gemini on Vertex AI: known by its base URL, which names a project and a place.

`https://REGION-aiplatform.googleapis.com/v1/projects/P/locations/L/publishers/google` takes an
access token; `https://aiplatform.googleapis.com/v1/publishers/google` (express mode) an API key.
Follows https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference.
"""

from __future__ import annotations

import re
from typing import Any

from addon.formats.base import FormatName
from addon.formats.gemini.models import VERTEX

_BASE_URL = re.compile(
    r"(?P<version>.+/v\d[^/]*)(?P<project>/projects/[^/]+/locations/[^/]+)?"
    r"(?P<publisher>/publishers/[^/]+)?(?:/models)?/*"
)


def is_vertex(url: str) -> bool:
    """Tell whether a base URL leads to Vertex's rendition of Gemini."""
    return _parse(url) is not None


def vertex_settings(urls: dict[FormatName, str]) -> dict[str, Any]:
    """Return what a provider's Gemini URL says about it, as fields of `Provider`.

    The URL is completed up to the publisher; nothing is returned for URLs of another kind.
    """
    match = _parse(urls.get("gemini", ""))
    if match is None:
        return {}
    publisher = match["publisher"] or "/publishers/google"
    url = f"{match['version']}{match['project'] or ''}{publisher}"
    settings: dict[str, Any] = {"base_urls": {**urls, "gemini": url}, "dialect": VERTEX}
    if match["project"]:
        settings["auth"] = {"gemini": "bearer"}
    return settings


def _parse(url: str) -> re.Match[str] | None:
    match = _BASE_URL.fullmatch(url)
    return match if match and (match["project"] or match["publisher"]) else None
