"""Keys that stand literally in a rules file, replaced by words that can be replaced back.

So a text or a value of the file can be shown, edited and sent back by somebody who must not see the
keys. `${NAME}` is no key, nor are `none` and `pass`; every value of a header may be one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any, NamedTuple, cast

from addon.neutral import DetourError
from addon.rules.places import Path, Place, find_places

_SALT = secrets.token_bytes(16)
"""Words mean something in this process only."""

_WORD = re.compile(r"<kept:[0-9a-f]{12}>")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
"""An anchor or a tag before a value."""
_HARMLESS = frozenset(("", "none", "pass", "bearer", "basic", "token"))
_SHORTEST = 16
"""Characters that a key has at least which is looked for everywhere."""
_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk-[\w-]{16,}|gsk_\w{16,}|xai-\w{20,}|AIza[\w-]{30,}|eyJ[\w-]{20,}[\w.-]*)"
)
"""Wherever it stands, such as in a comment or under a wrong key."""
_TELLING_NAME = r"""\b(?:api_key|[\w-]*(?:authorization|key|token|secret|cookie)[\w-]*)["']?\s*:"""
_VALUE = r"""(?P<value>"[^"\n]*"?|'[^'\n]*'?|[^\s,{}\[\]\#"'][^,}\n\#]*)"""
_UNREAD = re.compile(rf"(?P<before>{_TELLING_NAME}[^\S\n]*){_VALUE}", re.IGNORECASE)
_UNREAD_HEADERS = re.compile(
    r"^(?P<indent>[ ]*).*\bheaders[\"']?:.*\n(?:(?P=indent)[ ]+.*\n?|\s*\n)*", re.M
)
_UNREAD_HEADER = re.compile(rf"(?P<before>:[^\S\n]*){_VALUE}")
"""What may be a key where a text cannot be read as YAML."""


class UnknownWord(DetourError):
    """A word stands for a key that is not there any more."""


class _Kept(NamedTuple):
    written: str
    """As it stands in the file, in quotes or not."""
    value: str


class Hidden(NamedTuple):
    """A text without its keys."""

    text: str
    kept: dict[str, _Kept]
    """What each word stands for."""

    def reveal_text(self, text: str) -> str:
        """Put the keys back into an edited text.

        Raises:
            UnknownWord: A word in it stands for nothing here.
        """
        return _WORD.sub(lambda match: self._find(match[0]).written, text)

    def reveal(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Put the keys back into an edited value.

        Raises:
            UnknownWord: A word in it stands for nothing here.
        """
        match value:
            case str() if _WORD.fullmatch(value):
                return self._find(value).value
            case dict():
                entries = cast("dict[str, Any]", value)
                return {key: self.reveal(inner) for key, inner in entries.items()}
            case list():
                return [self.reveal(inner) for inner in cast("list[Any]", value)]
            case _:
                return value

    def _find(self, word: str) -> _Kept:
        if word not in self.kept:
            raise UnknownWord(f"{word} stands for a key that the file does not hold any more")
        return self.kept[word]


def hide_keys(text: str) -> Hidden:
    """Replace all keys in the text of a rules file, which need not be valid."""
    kept: dict[str, _Kept] = {}
    pieces: list[str] = []
    done = 0
    places = find_places(text)
    for place in places:
        if place.kind == "scalar" and _holds_a_key(place.path) and not is_open(place.text):
            written = text[place.start : place.end].rstrip()
            properties = _PROPERTIES.match(written)
            start = place.start + (properties.end() if properties else 0)
            pieces += [
                text[done:start],
                _word(text[start : place.start + len(written)], place, kept),
            ]
            done = place.start + len(written)
    rest = text[done:]
    if not places or places[0].end < 0:
        rest = _hide_unread(rest, kept)
    hidden = "".join([*pieces, rest])
    for known in list(kept.values()):
        if len(known.value) >= _SHORTEST and known.value in hidden:
            hidden = hidden.replace(known.value, _word(known.value, None, kept))
    return Hidden(_LOOKS_LIKE_A_KEY.sub(lambda match: _word(match[0], None, kept), hidden), kept)


def hide_in_words(text: str) -> str:
    """Blot out what looks like a key in what is said to people."""
    return _LOOKS_LIKE_A_KEY.sub("(key)", text)


def is_open(value: str) -> bool:
    """Tell whether a value holds no key, but at most the names of variables."""
    return all(word.lower() in _HARMLESS for word in _REFERENCE.sub(" ", value).split()) or bool(
        _WORD.fullmatch(value)
    )


def _holds_a_key(path: Path) -> bool:
    match path:
        case ("providers", _, "api_key") | ("rules", _, "api_key"):
            return True
        case ("providers", _, "headers", _):
            return True
        case _:
            return False


def _hide_unread(text: str, kept: dict[str, _Kept]) -> str:
    """Replace what may be keys in a text, or the end of one, that cannot be read as YAML."""

    def hide(match: re.Match[str]) -> str:
        value = match["value"].rstrip()
        if is_open(value.strip("\"'")):
            return match[0]
        return match["before"] + _word(value, None, kept) + match["value"][len(value) :]

    def hide_headers(match: re.Match[str]) -> str:
        name, colon, values = match[0].partition(":")
        return name + colon + _UNREAD_HEADER.sub(hide, values)

    return _UNREAD.sub(hide, _UNREAD_HEADERS.sub(hide_headers, text))


def _word(written: str, place: Place | None, kept: dict[str, _Kept]) -> str:
    name = hmac.new(_SALT, written.encode(), hashlib.sha256).hexdigest()[:12]
    word = f"<kept:{name}>"
    kept[word] = _Kept(written, place.text if place else written.strip("\"'"))
    return word
