"""Calls that nobody makes, to ask what would become of them: one for each endpoint."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from addon.formats import FORMATS
from addon.formats.base import FormatName, Headers, RequestLine, header
from addon.neutral import DetourError
from addon.rules import agent_name, apply_edits
from addon.translation.model_fields import model_of
from addon.wire.codec import encode


class Place(msgspec.Struct, frozen=True):
    """An API that agents call, with the smallest request that fits it."""

    format: FormatName | None
    """None where nothing is translated."""
    provider: str
    path: str
    """With `{model}` where the address names it."""
    greeting: dict[str, Any] | None
    """None where there is no body."""
    method: str = "POST"
    names_model: bool = True
    """Whether a request has to name a model."""


_HELLO = [{"role": "user", "content": "Hello"}]
_FORM = "multipart/form-data; boundary="
_BATCH = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}
_UPLOAD = {"filename": "a.txt", "purpose": "user_data", "bytes": 1, "mime_type": "text/plain"}


def _as_it_is(path: str, greeting: dict[str, Any] | None, **more: Any) -> Place:  # noqa: ANN401 - fields of `Place`
    return Place(None, "openai", f"/v1/{path}", greeting, **more)


PLACES: dict[str, Place] = {
    "chat": Place("openai-chat", "openai", "/v1/chat/completions", {"messages": _HELLO}),
    "responses": Place("openai-responses", "openai", "/v1/responses", {"input": "Hello"}),
    "messages": Place(
        "anthropic", "anthropic", "/v1/messages", {"max_tokens": 1024, "messages": _HELLO}
    ),
    "generate": Place(
        "gemini",
        "google",
        "/v1beta/models/{model}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    ),
    "count": Place("anthropic", "anthropic", "/v1/messages/count_tokens", {"messages": _HELLO}),
    "completions": _as_it_is("completions", {"prompt": "Hello"}),
    "embeddings": _as_it_is("embeddings", {"input": "Hello"}),
    "moderations": _as_it_is("moderations", {"input": "Hello"}, names_model=False),
    "audio": _as_it_is("audio/speech", {"input": "Hello", "voice": "alloy"}),
    "images": _as_it_is("images/generations", {"prompt": "A cat"}),
    "videos": _as_it_is("videos", {"prompt": "A cat"}),
    "files": _as_it_is("files", {"purpose": "user_data"}, names_model=False),
    "uploads": _as_it_is("uploads", _UPLOAD, names_model=False),
    "batches": _as_it_is("batches", _BATCH, names_model=False),
    "vector_stores": _as_it_is("vector_stores", {}, names_model=False),
    "realtime": _as_it_is("realtime?model={model}", None, method="GET"),
    "models": _as_it_is("models", None, method="GET", names_model=False),
    "other": _as_it_is("fine_tuning/jobs", {"training_file": "file-1"}, names_model=False),
}
"""By the names that `endpoint` in rules.yaml knows."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The call that is asked about."""

    endpoint: str
    model: str
    """Empty where it names none."""
    agent: str | None
    provider: str
    headers: Headers
    method: str = "POST"
    line: RequestLine
    body: bytes

    @property
    def format(self) -> FormatName | None:
        """The format that the agent speaks; None where nothing is translated."""
        return PLACES[self.endpoint].format


def place_of(endpoint: str) -> tuple[str, Place] | None:
    """Find an endpoint by its name, or by a path below one that is not translated.

    `audio/transcriptions` is such a path; below `other` it is any (`other/evals`).
    """
    name, slash, rest = endpoint.partition("/")
    place = PLACES.get(name)
    if place is None or not slash:
        return None if place is None else (name, place)
    if place.format is not None or not rest:
        return None
    path = rest if name == "other" else endpoint
    below = _as_it_is(path, {}, names_model=False)
    return name, msgspec.structs.replace(below, method="GET" if name == "models" else "POST")


def ask(
    *,
    endpoint: str,
    model: str | None,
    agent: str | None,
    provider: str | None,
    headers: Headers,
    body: bytes | None,
) -> Question:
    """Put together the call that is asked about.

    Args:
        endpoint: A key of `PLACES`, or a path below one; see `place_of`.
        model: The model that the agent asks for; None takes the body's.
        agent: Who calls; None derives it from a User-Agent header.
        provider: Whose host the agent calls; None takes the owner of the API.
        headers: The agent's headers.
        body: The agent's body; None takes a greeting.

    Raises:
        DetourError: There is no such endpoint; body and model do not fit together.
    """
    found = place_of(endpoint)
    if found is None:
        raise DetourError(f"there is no endpoint {endpoint}; known are {', '.join(PLACES)}")
    name, place = found
    in_body = place.format != "gemini" and place.greeting is not None
    content_type = header(headers, "content-type") or ""
    if body is None:
        greeting = place.greeting
        named = {"model": model} if model is not None and in_body else {}
        body = b"" if greeting is None else encode({**named, **greeting})
    elif body.startswith(b"--") and not content_type:
        boundary = body[2 : body.find(b"\r\n")].decode("latin-1")
        headers = (*headers, ("content-type", _FORM + boundary))
    elif model is not None and in_body and not content_type.startswith("multipart/"):
        body = apply_edits(body, {"model": model}, ())
    if model is None:
        model = _named(place, headers, body)
    if not model and place.names_model:
        raise DetourError("the body names no model; give one with --model")
    path, _, query = place.path.partition("?")
    if name == "models" and model and path.endswith("/models"):
        path += f"/{quote(model, safe=':')}"
    user_agent = header(headers, "user-agent")
    return Question(
        endpoint=name,
        model=model,
        agent=agent or (agent_name(user_agent) if user_agent else None),
        provider=provider or place.provider,
        headers=headers,
        method=place.method,
        line=RequestLine(path.format(model=model), query.format(model=quote(model, safe=""))),
        body=body,
    )


def _named(place: Place, headers: Headers, body: bytes) -> str:
    if place.format is not None:
        return FORMATS[place.format].reply(body, RequestLine()).model or ""
    return model_of(body, headers, RequestLine(place.path.partition("?")[0]))
