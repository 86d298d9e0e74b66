"""Translation between any two formats, by way of the hub; knows formats, and no network."""

from addon.translation.carrying import Carried, carry
from addon.translation.counting import render_count_for, translate_count
from addon.translation.joining import Joiner, continued
from addon.translation.media import (
    NO_MEDIA,
    Media,
    Wanted,
    fetches_pictures,
    host_of,
    media_to_fetch,
    stand_ins,
)
from addon.translation.recalling import Memory
from addon.translation.remembering import Recorder
from addon.translation.requests import (
    DEFAULT_PROVIDER,
    RenderedRequest,
    dialect_of,
    render_for,
    render_parsed,
    translate_request,
)
from addon.translation.responses import (
    Translated,
    answer_from_stream,
    failure,
    render_answer,
    render_error,
    stream_from_answer,
    translate_response,
    translate_response_for,
)
from addon.translation.streams import StreamTranslator

__all__ = [
    "DEFAULT_PROVIDER",
    "NO_MEDIA",
    "Carried",
    "Joiner",
    "Media",
    "Memory",
    "Recorder",
    "RenderedRequest",
    "StreamTranslator",
    "Translated",
    "Wanted",
    "answer_from_stream",
    "carry",
    "continued",
    "dialect_of",
    "failure",
    "fetches_pictures",
    "host_of",
    "media_to_fetch",
    "render_answer",
    "render_count_for",
    "render_error",
    "render_for",
    "render_parsed",
    "stand_ins",
    "stream_from_answer",
    "translate_count",
    "translate_request",
    "translate_response",
    "translate_response_for",
]
