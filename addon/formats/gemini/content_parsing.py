"""Read the parts of a conversation: from the wire to the hub.

Follows https://ai.google.dev/api/caching#Content. Calls may come without ids; the hub needs one for
each call and its result, so they are numbered through the conversation, and results are matched to
calls by id, else by name and order.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, final

import msgspec

from addon.formats.gemini.names import NAME, camel_case, field, look
from addon.neutral import (
    AudioPart,
    ClientRequestError,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    Message,
    NativePart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text
from addon.wire.restoring import open_envelopes
from addon.wire.transcripts import Transcripts
from addon.wire.unread import Unread

_OUTPUT_KEYS = ("output", "result")
_EXTRA_KEYS = frozenset((
    "mediaResolution", "partMetadata", "thought", "thoughtSignature", "videoMetadata"
))  # fmt: skip
_SIGNED = frozenset(("thought", "thoughtSignature"))
_KNOWN_OF_PART = {
    kind: _SIGNED | {kind}
    for kind in ("text", "functionCall", "functionResponse", "inlineData", "fileData")
}
_KNOWN_OF_CONTENT = frozenset(("parts", "role"))
_KNOWN_OF_CALL = frozenset(("args", "id", "name"))
_KNOWN_OF_RESPONSE = frozenset(("id", "name", "parts", "response"))
_KNOWN_OF_DATA = frozenset(("data", "displayName", "mimeType"))
_KNOWN_OF_FILE = frozenset(("displayName", "fileUri", "mimeType"))
_OWN_PLACES = ("gs://", "https://generativelanguage.googleapis.com/")
_ENCODINGS = {"mpeg": "mp3", "x-wav": "wav"}

type Place = tuple[str | int, ...]
"""Where something stands, as names and numbers: only complaints need it in words."""


class _OpenCall(msgspec.Struct, frozen=True):
    """A call whose result has not come yet."""

    call_id: str
    name: str
    minted: bool


@final
class FunctionResult(msgspec.Struct, frozen=True):
    """What a function gave back, before it is known to which call."""

    call_id: str
    name: str
    content: tuple[TextPart | ImagePart | FilePart | NativePart, ...]
    is_error: bool


type ReadContent = tuple[bool, list[Part | FunctionResult]]
"""What one content says, whatever stands around it: whether the model says it, and its parts.

A call without an id has an empty one.
"""

_transcripts: Transcripts[ReadContent] = Transcripts()


class Conversation:
    """One conversation, content by content."""

    def __init__(self, unread: Unread) -> None:
        """Prepare.

        Args:
            unread: Receives what the hub has no word for.
        """
        self._unread = unread
        self._messages: list[Message] = []
        self._said: list[Part] = []
        """What the model said since the user spoke; agents keep each chunk of a stream apart."""
        self._open: list[_OpenCall] = []
        self._minted = 0

    def add(self, value: object, index: int) -> None:
        """Take one content; results of the user's side become a `tool` message before the rest.

        Raises:
            ClientRequestError: It is not what the API allows.
        """
        self._take(read_content(index, value, self._unread))

    def add_encoded(self, contents: bytes) -> None:
        """Take all contents; like `add`, but what was read before is not read again.

        Args:
            contents: The array of the contents, encoded.

        Raises:
            ClientRequestError: One is not what the API allows.
            NotJson: They are not even JSON by strict rules.
        """
        for content in _transcripts.read(contents, None, self._unread, read_content):
            self._take(content)

    def finish(self) -> tuple[Message, ...]:
        """Return all messages."""
        self._end_turn()
        return tuple(self._messages)

    def _take(self, content: ReadContent) -> None:
        of_model, parts = content
        if of_model:
            if not self._said:
                self._open = []
            for part in parts:
                if type(part) is ToolCallPart:
                    self._said.append(self._call(part))
                elif type(part) is not FunctionResult:
                    self._said.append(part)
            return
        self._end_turn()
        results: list[Part] = []
        others: list[Part] = []
        for part in parts:
            if type(part) is FunctionResult:
                results.append(self._result(part))
            else:
                others.append(part)
        if results:
            self._messages.append(Message("tool", tuple(results)))
        if others or not results:
            self._messages.append(Message("user", tuple(others)))

    def _end_turn(self) -> None:
        if self._said:
            self._messages.append(Message("assistant", open_envelopes(_joined(self._said))))
            self._said = []

    def _call(self, part: ToolCallPart) -> ToolCallPart:
        minted = not part.call_id
        if minted:
            part = ToolCallPart(self._mint(), part.name, part.arguments, state=part.state)
        self._open.append(_OpenCall(part.call_id, part.name, minted))
        return part

    def _mint(self) -> str:
        self._minted += 1
        return f"call_{self._minted}"

    def _result(self, result: FunctionResult) -> ToolResultPart:
        call = self._matching(result.call_id, result.name)
        if call is not None:
            self._open.remove(call)
        call_id = call.call_id if call else result.call_id or f"{result.name}_{self._mint()}"
        return ToolResultPart(call_id, result.content, result.is_error)

    def _matching(self, call_id: str, name: str) -> _OpenCall | None:
        """Find the call that a result answers."""
        if call_id:
            for call in self._open:
                if call.call_id == call_id:
                    return call
        first = None
        for call in self._open:
            if call.minted or not call_id:
                if call.name == name:
                    return call
                first = first or call
        return first


def read_content(index: int, value: object, unread: Unread) -> ReadContent:
    """Read one content.

    Args:
        index: Where it stands in the conversation; only complaints depend on it.
        value: The content.
        unread: Receives what the hub has no word for.

    Raises:
        ClientRequestError: It is not what the API allows.
    """
    wire = mapping(value)
    role = wire.get("role") or "user"
    if role not in ("user", "model", "function"):
        path = f"contents[{index}].role"
        raise ClientRequestError(f"{path}: valid roles are: user, model", path)
    if not _KNOWN_OF_CONTENT.issuperset(wire):
        look(unread, wire, _KNOWN_OF_CONTENT, "contents")
    of_model = role == "model"
    read = _model_part if of_model else _user_part
    parts: list[Part | FunctionResult] = []
    for i, value in enumerate(content_parts(wire)):
        part = mapping(value)
        words = part.get("text")
        if len(part) == 1 and type(words) is str:
            parts.append(TextPart(words))
        else:
            parts.append(read(part, ("contents", index, "parts", i), unread))
    return of_model, parts


def _model_part(part: dict[str, Any], place: Place, unread: Unread) -> Part:
    wire = field(part, "functionCall")
    if wire is None:
        return parse_part(part, place, unread)
    call = mapping(wire)
    if len(part) > 1:
        look(unread, part, _KNOWN_OF_PART["functionCall"], "contents.parts")
    look(unread, call, _KNOWN_OF_CALL, "contents.parts.functionCall")
    name, call_id = text(call.get("name")), text(call.get("id"))
    arguments = encode_text(mapping(call.get("args")))
    state = parse_state(part) if len(part) > 1 else None
    return ToolCallPart(call_id, name, arguments, state=state)


def _user_part(part: dict[str, Any], place: Place, unread: Unread) -> Part | FunctionResult:
    response = field(part, "functionResponse")
    if response is None:
        return parse_part(part, place, unread)
    if len(part) > 1:
        look(unread, part, _KNOWN_OF_PART["functionResponse"], "contents.parts")
    wire = mapping(response)
    look(unread, wire, _KNOWN_OF_RESPONSE, "contents.parts.functionResponse")
    words, is_error = _read_response(mapping(wire.get("response")))
    content: list[TextPart | ImagePart | FilePart | NativePart] = []
    if words:
        content.append(TextPart(words))
    for index, value in enumerate(sequence(wire.get("parts"))):
        within = (*place, "functionResponse", "parts", index)
        piece = parse_part(mapping(value), within, unread)
        if isinstance(piece, TextPart | ImagePart | FilePart | NativePart):
            content.append(piece)
        else:
            unread.lose("contents.parts.functionResponse.parts", value)
    call_id, name = text(wire.get("id")), text(wire.get("name"))
    return FunctionResult(call_id, name, tuple(content), is_error)


def _joined(parts: list[Part]) -> list[Part]:
    """Return parts with words in one piece that arrived in several, unless they are signed."""
    if len(parts) == 1:
        return parts
    joined: list[Part] = []
    for plain, some in groupby(parts, lambda part: isinstance(part, TextPart) and not part.state):
        run = list(some)
        if plain and len(run) > 1:
            joined.append(
                TextPart("".join(part.text for part in run if isinstance(part, TextPart)))
            )
        else:
            joined += run
    return joined


def content_parts(wire: dict[str, Any]) -> list[Any]:
    """Return the parts of a content; one part need not stand in an array."""
    parts = wire.get("parts")
    return parts if type(parts) is list else [parts] if type(parts) is dict else []  # pyright: ignore[reportUnknownVariableType] - any JSON


def parse_part(part: dict[str, Any], place: Place, unread: Unread) -> Part:
    """Read a part that is neither a call nor a result.

    Args:
        part: The part.
        place: Where it stands.
        unread: Receives what the hub has no word for.

    Raises:
        ClientRequestError: It holds nothing.
    """
    if isinstance(part.get("text"), str):
        if len(part) == 1:
            return TextPart(part["text"])
        look(unread, part, _KNOWN_OF_PART["text"], "contents.parts")
        if part.get("thought") is True:
            return ReasoningPart(part["text"], parse_state(part))
        return TextPart(part["text"], state=parse_state(part))
    inline = field(part, "inlineData")
    if inline is not None:
        look(unread, part, _KNOWN_OF_PART["inlineData"], "contents.parts")
        look(unread, mapping(inline), _KNOWN_OF_DATA, "contents.parts.inlineData")
        return _inline(mapping(inline), unread)
    file = field(part, "fileData")
    if file is not None:
        look(unread, part, _KNOWN_OF_PART["fileData"], "contents.parts")
        look(unread, mapping(file), _KNOWN_OF_FILE, "contents.parts.fileData")
        return _file(mapping(file), unread)
    kinds = [camel_case(key) for key in part if camel_case(key) not in _EXTRA_KEYS]
    if not kinds:
        if parse_state(part) is not None:
            return TextPart("", state=parse_state(part))
        path = _written(place)
        raise ClientRequestError(f"{path}: required oneof field 'data' must have one field", path)
    return NativePart(NAME, kinds[0], part)


def _written(place: Place) -> str:
    """Write a place such as `contents[0].parts[1]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]


def parse_state(part: dict[str, Any]) -> OpaqueState | None:
    """Read the signature that stands on a part."""
    signature = text(field(part, "thoughtSignature"))
    return OpaqueState(NAME, signature) if signature else None


def _inline(wire: dict[str, Any], unread: Unread) -> Part:
    media_type = text(field(wire, "mimeType"))
    source = InlineMedia(media_type, _standard_base64(text(wire.get("data"))))
    family, _, subtype = media_type.partition("/")
    if family in ("image", "audio"):
        unread.lose("contents.parts.inlineData.displayName", field(wire, "displayName"))
    if family == "image":
        return ImagePart(source)
    if family == "audio":
        return AudioPart(source, _ENCODINGS.get(subtype, subtype))
    return FilePart(source, filename=text(field(wire, "displayName")) or None)


def _file(wire: dict[str, Any], unread: Unread) -> Part:
    uri = text(field(wire, "fileUri"))
    own = uri.startswith(_OWN_PLACES)
    source = FileReference(NAME, uri) if own else UrlMedia(uri)
    if text(field(wire, "mimeType")).startswith("image/"):
        unread.lose("contents.parts.fileData.displayName", field(wire, "displayName"))
        return ImagePart(source)
    return FilePart(source, filename=text(field(wire, "displayName")) or None)


def _standard_base64(data: str) -> str:
    """Google's JSON takes the URL-safe alphabet too."""
    return data.replace("-", "+").replace("_", "/") if "-" in data or "_" in data else data


def _read_response(response: dict[str, Any]) -> tuple[str, bool]:
    """Return a result's text and whether it is an error, by the API's conventions for its keys."""
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if key == "error":
            return _words(value), True
        if key in _OUTPUT_KEYS:
            return _words(value), False
    return (encode_text(response) if response else ""), False


def _words(value: object) -> str:
    return value if isinstance(value, str) else encode_text(value)
