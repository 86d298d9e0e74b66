"""What models of known names are for; every other name is believed to be for anything."""

from __future__ import annotations

import re
from typing import Literal

from addon.embedded.openai_front import check_model_exists
from addon.embedded.refusal import Refusal

type Ability = Literal[
    "embeddings",
    "completions",
    "moderations",
    "images",
    "speech",
    "transcriptions",
    "realtime",
    "chat",
]

_ABILITIES: tuple[tuple[Ability, re.Pattern[str]], ...] = (
    ("embeddings", re.compile(r"^text-embedding-")),
    ("completions", re.compile(r"instruct|^(davinci|babbage)-002")),
    ("moderations", re.compile(r"^(omni|text)-moderation-")),
    ("images", re.compile(r"^(dall-e|gpt-image)-")),
    ("speech", re.compile(r"^tts-1|^gpt-.*-tts")),
    ("transcriptions", re.compile(r"^whisper-1$|^gpt-.*-transcribe")),
    ("realtime", re.compile(r"^gpt-.*realtime")),
    ("chat", re.compile(r"^(gpt-\d|o\d|claude-|gemini-)")),
)


def check_model(model: str, wanted: Ability) -> None:
    """Check that a model exists and is not known to be for something else.

    Raises:
        Refusal: It is.
    """
    check_model_exists(model)
    found = next((ability for ability, name in _ABILITIES if name.search(model)), wanted)
    if found == wanted:
        return
    match wanted:
        case "embeddings":
            raise Refusal("You are not allowed to generate embeddings from this model", status=403)
        case "completions" if found == "chat":
            raise Refusal(
                "This is a chat model and not supported in the v1/completions endpoint. Did you "
                "mean to use v1/chat/completions?",
                status=404,
                param="model",
            )
        case _:
            raise Refusal(
                f"The model `{model}` is not supported for {wanted}.",
                param="model",
                code="invalid_value",
            )


def is_known(model: str) -> bool:
    """Tell whether a model is OpenAI's own, whose limits are known."""
    return any(name.search(model) for _, name in _ABILITIES)
