"""The endpoints of OpenAI's API in which nothing is translated, by their paths."""

from __future__ import annotations

import re
from urllib.parse import unquote

COMPLETIONS = "completions"
EMBEDDINGS = "embeddings"
MODELS = "models"
REALTIME = "realtime"

OTHER_ENDPOINTS = (
    COMPLETIONS,
    EMBEDDINGS,
    "moderations",
    "audio",
    "images",
    "videos",
    "files",
    "uploads",
    "batches",
    "vector_stores",
    REALTIME,
    MODELS,
    "other",
)
"""Their names in rules; `other` stands for all that have no name here."""

_ROOT = "/v1/"
_LIST_OF_MODELS = re.compile(r"/(?:v1|v1beta)/models(?:/(?P<id>.+?))?/?")


def other_endpoint(path: str) -> str:
    """Name the endpoint that a path (without query) belongs to; empty where it is not OpenAI's."""
    if not path.startswith(_ROOT):
        return ""
    name = path_below(path).partition("/")[0]
    return name if name in OTHER_ENDPOINTS else "other"


def model_asked_about(method: str, path: str) -> str | None:
    """Return the model that a request asks about; empty for a list of all, None for neither.

    The path, without query, may be Anthropic's or Gemini's as well as OpenAI's.
    """
    found = _LIST_OF_MODELS.fullmatch(path) if method == "GET" else None
    return None if found is None else unquote(found["id"] or "")


def path_below(path: str) -> str:
    """Return what a path has below a base URL, such as `audio/speech`."""
    return path.removeprefix(_ROOT).strip("/")
