"""Lists of models, as each provider writes them and each agent reads them.

https://platform.openai.com/docs/api-reference/models, https://docs.anthropic.com/en/api/models-list
and https://ai.google.dev/api/models; servers of open models add fields of their own to the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import msgspec

from addon.wire.codec import decode, encode
from addon.wire.reading import mapping, sequence, text

type ListFormat = Literal["openai", "anthropic", "gemini"]

_EPOCH = "1970-01-01T00:00:00Z"
_METHODS = ["generateContent", "countTokens"]
_CONTEXTS = (
    "max_input_tokens",
    "inputTokenLimit",
    "loaded_context_length",
    "context_length",
    "max_context_length",
    "max_model_len",
)
_KINDS: dict[str, Literal["chat", "embedding"]] = {
    "llm": "chat",
    "vlm": "chat",
    "embeddings": "embedding",
}
"""What LM Studio calls them."""
LOCAL_FEATURES = frozenset(("tools", "json_schema"))
"""What servers that hold a model to a grammar have it do, whatever it was made for."""


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a list; None where it does not say."""

    id: str
    title: str | None = None
    owner: str | None = None
    context: int | None = None
    """Most input tokens."""
    max_output: int | None = None
    created: int = 0
    """Unix time in seconds."""
    kind: Literal["chat", "embedding"] | None = None
    features: frozenset[str] | None = None
    """What it can do beside reading and writing words: all of it, where this is said."""
    loaded: bool | None = None
    """Whether it is in memory, ready to answer."""


def read_models(body: bytes) -> tuple[ListedModel, ...]:
    """Read a list of whatever format; entries that name no model are left out.

    Raises:
        ValueError: It is no list of models.
    """
    document: object = decode(body)
    listed = mapping(document)
    entries: object = listed.get("data", listed.get("models")) if listed else document
    if not isinstance(entries, list):
        raise ValueError("this is no list of models")
    listed = [mapping(entry) for entry in sequence(cast("object", entries))]
    contexts = {text(entry.get("id")): _context(entry) for entry in listed}
    read = (_read(entry, contexts.get(text(entry.get("parent")))) for entry in listed)
    return tuple(dict.fromkeys(model for model in read if model is not None))


def _read(entry: Mapping[str, Any], parents: int | None) -> ListedModel | None:
    name = entry.get("id") or entry.get("name") or entry.get("model")
    if not isinstance(name, str) or not name:
        return None
    return ListedModel(
        id=name.removeprefix("models/"),
        title=_text(entry, "display_name", "displayName"),
        owner=_text(entry, "owned_by"),
        context=_context(entry) or parents,
        max_output=_number(entry, "max_tokens", "outputTokenLimit"),
        created=_number(entry, "created") or 0,
        kind=_KINDS.get(text(entry.get("type"))),
        features=_features(entry),
        loaded=_loaded(entry),
    )


def _context(entry: Mapping[str, Any]) -> int | None:
    """Return how many tokens a model takes here and now, rather than how many it could."""
    meta = mapping(entry.get("meta"))  # llama.cpp
    return _number(entry, *_CONTEXTS) or _number(meta, "n_ctx", "n_ctx_train")


def _features(entry: Mapping[str, Any]) -> frozenset[str] | None:
    """Return what LM Studio and a llama.cpp of several models say of a model."""
    if entry.get("type") in ("llm", "vlm"):  # all of LM Studio's call tools, some less well
        return LOCAL_FEATURES | {"images"} if entry["type"] == "vlm" else LOCAL_FEATURES
    inputs = sequence(mapping(entry.get("architecture")).get("input_modalities"))
    if inputs and entry.get("owned_by") == "llamacpp":
        return LOCAL_FEATURES | {"images"} if "image" in inputs else LOCAL_FEATURES
    return None


def _loaded(entry: Mapping[str, Any]) -> bool | None:
    state = text(entry.get("state")) or text(mapping(entry.get("status")).get("value"))
    return state in ("loaded", "sleeping") if state else None


def write_models(format: ListFormat, models: Iterable[ListedModel]) -> bytes:
    """Write a list that an agent of that format reads."""
    entries = [_write(format, model) for model in models]
    match format:
        case "openai":
            return encode({"object": "list", "data": entries})
        case "anthropic":
            first, last = (entries[0]["id"], entries[-1]["id"]) if entries else (None, None)
            return encode({"data": entries, "has_more": False, "first_id": first, "last_id": last})
        case "gemini":
            return encode({"models": entries})


def write_model(format: ListFormat, model: ListedModel) -> bytes:
    """Write the one model that an agent has asked for."""
    return encode(_write(format, model))


def _write(format: ListFormat, model: ListedModel) -> dict[str, Any]:
    title = model.title or model.id
    match format:
        case "openai":
            return {
                "id": model.id,
                "object": "model",
                "created": model.created,
                "owned_by": model.owner or "detour",
            }
        case "anthropic":
            limits = {"max_input_tokens": model.context, "max_tokens": model.max_output}
            return {
                "type": "model",
                "id": model.id,
                "display_name": title,
                "created_at": _EPOCH,
                "lifecycle": "active",
                **{name: value for name, value in limits.items() if value is not None},
            }
        case "gemini":
            limits = {"inputTokenLimit": model.context, "outputTokenLimit": model.max_output}
            return {
                "name": f"models/{model.id}",
                "version": "001",
                "displayName": title,
                **{name: value for name, value in limits.items() if value is not None},
                "supportedGenerationMethods": _METHODS,
            }


def _text(entry: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := entry.get(name), str)), None)


def _number(entry: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
