"""Moderations: texts with words of violence in them are flagged.

Page followed: https://platform.openai.com/docs/api-reference/moderations/create.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import checked
from addon.embedded.openai_values import check_data_url
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import script_of
from addon.embedded.shapes import each, nullable, record, string_or, tagged, text
from addon.embedded.whole import whole

_TEXT_ONLY = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "sexual/minors",
)
_ALSO_IMAGES = (
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "violence",
    "violence/graphic",
)
_VIOLENT = ("kill", "shoot")
_PART = tagged(
    {
        "text": record({"type": text(), "text": text()}),
        "image_url": record({"type": text(), "image_url": record({"url": text(shortest=1)})}),
    }
)
_REQUEST = record(
    {"input": string_or(each(string_or(_PART), least=1))}, {"model": nullable(text(shortest=1))}
)


def moderate(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/moderations`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_json(request), _REQUEST)
    model: str = body.get("model", "omni-moderation-latest")
    check_model(model, "moderations")
    given = body["input"]
    items = cast("list[str | dict[str, Any]]", [given] if isinstance(given, str) else given)
    parts = [one for one in items if not isinstance(one, str)]
    if parts and len(parts) < len(items):
        raise Refusal("Invalid 'input': strings and objects cannot be mixed.", param="input")
    images = [one for one in parts if one["type"] == "image_url"]
    for image in images:
        url: str = image["image_url"]["url"]
        if model.startswith("text-"):
            raise Refusal(f"The model `{model}` does not take images.", param="input")
        if not url.startswith(("https://", "http://")):
            check_data_url(url, "input", ("data:image/",))
    if len(images) > 1:
        raise Refusal("Only one image is allowed in a request.", param="input")
    texts = [one if isinstance(one, str) else one.get("text", "") for one in items]
    results = (
        [_result(" ".join(texts), bool(images))]
        if parts
        else [_result(words, images=False) for words in texts]
    )
    answer = {"id": unique_name("modr-", turn), "model": model, "results": results}
    return whole(answer, script_of(" ".join(texts)))


def _result(words: str, images: bool) -> dict[str, Any]:
    names = (*_TEXT_ONLY, *_ALSO_IMAGES)
    flagged = any(word in words.lower() for word in _VIOLENT)
    found = {name: flagged and name == "violence" for name in names}
    kinds = (["text"] if words else []) + (["image"] if images else [])
    return {
        "flagged": flagged,
        "categories": found,
        "category_scores": {name: 0.9 if found[name] else 0.001 for name in names},
        "category_applied_input_types": {
            name: kinds if name in _ALSO_IMAGES else [kind for kind in kinds if kind == "text"]
            for name in names
        },
    }
