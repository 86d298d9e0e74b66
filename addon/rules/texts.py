"""Kinds of text in a rules file: each function reads one and raises `Mistake` for what is none."""

from __future__ import annotations

import re

from addon.providers.expansion import is_well_formed
from addon.rules.patterns import Comparison, Pattern, compile_pattern, parse_comparison
from addon.rules.problems import Mark, Mistake, suggestion
from addon.rules.shapes import Reading

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PROVIDER_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_FRAMING_HEADERS = frozenset(
    ("host", "content-length", "content-encoding", "transfer-encoding", "connection")
)
_OWN_FIELDS = {
    "model": "`use` chooses the model",
    "stream": "the agent alone knows whether it reads a stream",
}


def parse_pattern(text: str, mark: Mark, _: Reading) -> Pattern:
    """Read a glob or a `/regular expression/`."""
    try:
        return compile_pattern(text)
    except ValueError as error:
        raise Mistake(mark, str(error)) from None


def parse_input_tokens(text: str, mark: Mark, _: Reading) -> Comparison:
    """Read a comparison such as `> 60000`."""
    try:
        return parse_comparison(text)
    except ValueError as error:
        raise Mistake(mark, str(error)) from None


def parse_filter(text: str, mark: Mark, reading: Reading) -> str:
    """Check a mitmproxy filter expression, where a checker is at hand."""
    if reading.check_filter and (complaint := reading.check_filter(text)):
        raise Mistake(mark, f"`{text}` is not a mitmproxy filter expression: {complaint}")
    return text


def parse_known_provider(text: str, mark: Mark, reading: Reading) -> str:
    """Check that there is such a provider."""
    if text not in reading.provider_ids:
        hint = suggestion(text, reading.provider_ids)
        raise Mistake(mark, f"unknown provider `{text}`{hint}")
    return text


def parse_provider_id(text: str, mark: Mark, _: Reading) -> str:
    """Check that a provider can be called that."""
    if not re.fullmatch(PROVIDER_ID_PATTERN, text):
        message = f"`{text}` cannot be a provider's name: letters, digits, `.`, `_` and `-` can"
        raise Mistake(mark, message)
    return text


def parse_header_name(text: str, mark: Mark, _: Reading) -> str:
    """Read the name of a header."""
    if not _HEADER_NAME.fullmatch(text):
        raise Mistake(mark, f"`{text}` cannot be the name of a header")
    return text.lower()


def parse_own_header_name(text: str, mark: Mark, reading: Reading) -> str:
    """Read the name of a header that may be added to calls."""
    name = parse_header_name(text, mark, reading)
    if name in _FRAMING_HEADERS:
        raise Mistake(mark, f"the header `{text}` follows from the call and cannot be set")
    return name


def parse_host(text: str, mark: Mark, _: Reading) -> str:
    """Read a host name."""
    if not _HOST.fullmatch(text):
        raise Mistake(mark, f"expected a host name such as `api.openai.com`, found `{text}`")
    return text.lower()


def parse_body_field(text: str, mark: Mark, _: Reading) -> str:
    """Check that a rule may change that field of the body."""
    if reason := _OWN_FIELDS.get(text):
        raise Mistake(mark, f"`{text}` cannot be changed here: {reason}")
    return text


def parse_expandable(text: str, mark: Mark, _: Reading) -> str:
    """Check that `expand` will understand the text."""
    if not is_well_formed(text):
        raise Mistake(
            mark, "`${` must begin `${NAME}` or `${NAME:-default}`; write `$${` for itself"
        )
    return text
