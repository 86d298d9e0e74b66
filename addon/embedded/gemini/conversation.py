"""Whether the contents of a Gemini request hang together.

Neighbouring contents of one role count as one turn, as they do for the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from addon.embedded.gemini.messages import PART_KINDS
from addon.embedded.gemini.models import Gemini
from addon.embedded.gemini.protobuf import unknown_name
from addon.embedded.refusal import Refusal

type Part = dict[str, Any]

_ROLES = {"user": "user", "function": "user", "model": "model"}
_MEDIA = ("image/", "audio/", "video/", "text/")
_REFUSED_MEDIA = frozenset(
    {"image/gif", "image/svg+xml", "image/bmp", "image/tiff", "image/x-icon", "image/*"}
)
_OWN_PLACES = (
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://m.youtube.com/",
    "https://youtu.be/",
    "gs://",
)


@dataclass
class Turn:
    """Neighbouring contents of one side."""

    role: str
    parts: list[Part]

    def holding(self, kind: str) -> list[Any]:
        """Return what the parts of one kind hold."""
        return [part[kind] for part in self.parts if kind in part]


def turns_of(contents: list[dict[str, Any]]) -> list[Turn]:
    """Merge neighbouring contents of one side."""
    turns: list[Turn] = []
    for content in contents:
        role = _ROLES[content["role"]]
        if turns and turns[-1].role == role:
            turns[-1].parts.extend(content["parts"])
        else:
            turns.append(Turn(role, list(content["parts"])))
    return turns


def check_contents(request: dict[str, Any], model: Gemini) -> None:
    """Check the contents one by one and as a conversation; one without a role is the user's.

    Raises:
        Refusal: What the API would answer.
    """
    contents = request.get("contents")
    if not contents:
        raise _violation("contents", "contents is not specified")
    for index, content in enumerate(contents):
        if content.setdefault("role", "user") not in _ROLES:
            raise Refusal("Please use a valid role: user, model.")
        _check_parts(content, f"contents[{index}]", model)
    if "systemInstruction" in request:
        _check_instruction(request["systemInstruction"], model)
    turns = turns_of(contents)
    if turns[0].role != "user":
        raise Refusal("Please ensure that multiturn requests begin with a user role.")
    _check_calls(turns)
    if turns[-1].role != "user":
        raise Refusal(
            "Please ensure that multiturn requests end with a user role or a function response."
        )


def _violation(field: str, why: str) -> Refusal:
    return Refusal(f"* GenerateContentRequest.{field}: {why}\n", param=field)


def _check_instruction(content: dict[str, Any], model: Gemini) -> None:
    if not model.instructions:
        raise Refusal("Developer instruction is not enabled for this model")
    if any("text" not in part for part in content.get("parts", [])):
        raise Refusal("System instruction only supports text")


def _check_parts(content: dict[str, Any], place: str, model: Gemini) -> None:
    if not content.get("parts"):
        raise _violation(f"{place}.parts", "contents.parts must not be empty.")
    for index, part in enumerate(content["parts"]):
        _check_part(part, content["role"], f"{place}.parts[{index}]", model)


def _check_part(part: Part, role: str, place: str, model: Gemini) -> None:
    kinds = [kind for kind in PART_KINDS if kind in part]
    if len(kinds) > 1:
        raise Refusal(
            f"Invalid value at '{place}' (oneof), oneof field 'data' is already set. "
            f"Cannot set '{kinds[1]}'",
            param=place,
        )
    # Google's own SDK sends the empty text back that a stream ended with.
    blank = kinds == ["text"] and not part["text"] and role != "model"
    if not kinds or blank:
        raise _violation(
            f"{place}.data", "required oneof field 'data' must have one initialized field"
        )
    match kinds[0]:
        case "inlineData":
            _check_blob(part["inlineData"], f"{place}.inline_data")
        case "fileData":
            _check_place(part["fileData"], f"{place}.file_data", model)
        case "functionCall" if role == "model":
            _check_call(part["functionCall"], f"{place}.function_call", model)
        case "functionResponse" if role != "model":
            _check_response(part["functionResponse"], f"{place}.function_response", model)
        case "functionCall":
            raise Refusal("Please ensure that function call turns have the model role.")
        case "functionResponse":
            raise Refusal("Please ensure that function response turns have the user role.")
        case _:
            pass


def _check_blob(blob: Part, place: str) -> None:
    kind = blob.get("mimeType", "")
    if not kind:
        raise _violation(f"{place}.mime_type", "must not be empty.")
    if kind != "application/pdf" and (kind in _REFUSED_MEDIA or not kind.startswith(_MEDIA)):
        raise Refusal(f"Unsupported MIME type: {kind}", param=place)
    if not blob.get("data"):
        raise _violation(f"{place}.data", "must not be empty.")


def _check_place(file: Part, place: str, model: Gemini) -> None:
    address = file.get("fileUri", "")
    if address.startswith(_OWN_PLACES):
        return
    if not address.startswith("https://") or not model.public_addresses:
        raise Refusal(f"Invalid or unsupported file uri: {address}", param=place)


def _check_call(call: Part, place: str, model: Gemini) -> None:
    if not call.get("name"):
        raise _violation(f"{place}.name", "Name cannot be empty.")
    if "id" in call and not model.call_ids:
        raise unknown_name("id", place)


def _check_response(response: Part, place: str, model: Gemini) -> None:
    if not response.get("name"):
        raise _violation(f"{place}.name", "Name cannot be empty.")
    if "response" not in response:
        raise _violation(f"{place}.response", "must be set.")
    if "id" in response and not model.call_ids:
        raise unknown_name("id", place)
    if "parts" in response and not model.media_in_responses:
        raise Refusal("Multimodal function responses are not supported by this model.")
    for index, part in enumerate(response.get("parts", [])):
        if "inlineData" in part:
            _check_blob(part["inlineData"], f"{place}.parts[{index}].inline_data")
    _check_references(response["response"], place)


def _check_references(value: object, place: str) -> None:
    """Refuse `$ref`, which the API takes for a pointer to one of the response's parts."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            if "$ref" in fields:
                pointer = fields["$ref"]
                raise Refusal(f"Invalid reference in function response: {pointer}", param=place)
            for item in fields.values():
                _check_references(item, place)
        case list():
            for item in cast("list[object]", value):
                _check_references(item, place)
        case _:
            pass


def _check_calls(turns: list[Turn]) -> None:
    waiting: list[Part] = []
    for index, turn in enumerate(turns):
        if turn.role == "user":
            _check_responses(turn.holding("functionResponse"), waiting)
            waiting = []
            continue
        waiting = turn.holding("functionCall")
        if waiting and index == 0:
            raise Refusal(
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn."
            )
    if waiting:
        raise _uneven()


def _uneven() -> Refusal:
    return Refusal(
        "Please ensure that the number of function response parts is equal to the number of "
        "function call parts of the function call turn."
    )


def _check_responses(responses: list[Part], calls: list[Part]) -> None:
    if responses and not calls:
        raise Refusal(
            "Please ensure that function response turn comes immediately after a function call "
            "turn."
        )
    if len(responses) != len(calls):
        raise _uneven()
    # Google's own SDK answers calls without their ids where it calls functions by itself.
    named = all("id" in part for part in (*calls, *responses))
    wanted = [(call["name"], call["id"] if named else "") for call in calls]
    given = [(response["name"], response["id"] if named else "") for response in responses]
    if sorted(wanted) != sorted(given):
        raise Refusal(
            "Please ensure that the function response parts match the function call parts of the "
            f"function call turn: {given} do not answer {wanted}."
        )
