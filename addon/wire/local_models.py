"""What servers of local models say of a model beyond its name, each at an address of its own.

https://docs.ollama.com/api (tags, show, ps) and llama.cpp's tools/server/README.md (props). LM
Studio's and vLLM's lists are read by `addon.wire.model_lists`.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from addon.wire.codec import decode_object
from addon.wire.model_lists import LOCAL_FEATURES, ListedModel
from addon.wire.reading import integer, mapping, sequence, text

_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)
_FEATURES = {"tools": "tools", "vision": "images", "thinking": "reasoning"}
"""Ollama's names of capabilities, and ours."""


def read_digests(body: bytes) -> dict[str, str]:
    """Read from Ollama's `/api/tags` which file is behind each name."""
    models = [mapping(entry) for entry in sequence((decode_object(body) or {}).get("models"))]
    return {text(entry.get("name")): text(entry.get("digest")) for entry in models}


def read_running(body: bytes) -> dict[str, int | None]:
    """Read from Ollama's `/api/ps` which models are in memory, and with how much context."""
    models = [mapping(entry) for entry in sequence((decode_object(body) or {}).get("models"))]
    return {text(entry.get("name")): integer(entry.get("context_length")) for entry in models}


def with_details(model: ListedModel, body: bytes) -> ListedModel:
    """Add what Ollama's `/api/show` says of a model.

    The context is what its Modelfile sets, else what the model can take.
    """
    said = decode_object(body) or {}
    capabilities = {text(name) for name in sequence(said.get("capabilities"))}
    features = {ours for name, ours in _FEATURES.items() if name in capabilities} | {"json_schema"}
    chats = not capabilities or "completion" in capabilities
    return replace(
        model,
        context=_ollama_context(said),
        kind="chat" if chats else "embedding",
        features=frozenset(features) if capabilities else None,
    )


def _ollama_context(said: dict[str, object]) -> int | None:
    if set_to := _NUM_CTX.search(text(said.get("parameters"))):
        return int(set_to[1])
    facts = mapping(said.get("model_info"))
    return integer(facts.get(f"{text(facts.get('general.architecture'))}.context_length"))


def with_properties(model: ListedModel, body: bytes) -> ListedModel:
    """Add what llama.cpp's `/props` says of the one model that it serves."""
    said = decode_object(body) or {}
    modalities = mapping(said.get("modalities"))
    features = LOCAL_FEATURES | {"images"} if modalities.get("vision") else LOCAL_FEATURES
    return replace(
        model,
        context=integer(mapping(said.get("default_generation_settings")).get("n_ctx"))
        or model.context,
        features=features if modalities else model.features,
    )
