"""Bodies in `multipart/form-data`: fields and files, as one object like that of a JSON body.

The names are read as OpenAI's clients write them: `include[]` is a list, `expires_after[seconds]`
a field within an object.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from tornado.httputil import HTTPFile, HTTPInputError, parse_multipart_form_data

from addon.embedded.connection import ReceivedRequest
from addon.embedded.refusal import Refusal
from addon.embedded.shapes import Path, Shape, ShapeError

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=("?)([^";]+)\1', re.IGNORECASE)
_NAME = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")


@dataclass(frozen=True)
class File:
    """A file of a form."""

    name: str
    content: bytes


def file(value: object, path: Path) -> None:
    """Accept a file: the shape of a field that holds one."""
    if not isinstance(value, File):
        raise ShapeError(path, "type", "file", value)


def read_form(
    request: ReceivedRequest, largest: int, typed: Collection[str] = ()
) -> dict[str, Any]:
    """Read the form of a POST.

    Args:
        request: What came.
        largest: Most bytes that it may have.
        typed: Names of fields, also of those within objects, whose values are no text: numbers,
            true or false, objects.

    Raises:
        Refusal: Type or size is wrong, or it is no form.
    """
    content_type = request.header("content-type") or ""
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        raise Refusal(
            f"Invalid Content-Type header ({content_type}), expected multipart/form-data.",
            status=415,
        )
    if len(request.body) > largest:
        raise Refusal(
            f"Maximum content size limit ({largest}) exceeded ({len(request.body)} bytes read)",
            status=413,
        )
    texts: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_multipart_form_data(boundary[2].encode(), request.body, texts, files)
        fields = {name: [one.decode() for one in values] for name, values in texts.items()}
    except (HTTPInputError, UnicodeError) as error:
        raise Refusal("Could not parse multipart form") from error
    form: dict[str, Any] = {}
    for name, values in fields.items():
        is_typed = _inner(name) in typed
        _put(form, name, [_as_json(value) if is_typed else value for value in values])
    for name, uploaded in files.items():
        _put(form, name, [File(one.filename, one.body) for one in uploaded])
    return form


def several(shape: Shape, most: int) -> Shape:
    """Make the shape of a field that may be there once, or as a list."""

    def check(value: object, path: Path) -> None:
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        if len(values) > most:
            raise ShapeError(path, "value", f"a list with at most {most} items", len(values))
        for one in values:
            shape(one, path)

    return check


def _as_json(value: str) -> object:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError):
        return value  # the shape of the field will say what is wrong


def _inner(name: str) -> str:
    found = _NAME.fullmatch(name)
    return name if found is None else found[2] or found[1]


def _put(form: dict[str, Any], name: str, values: list[Any]) -> None:
    found = _NAME.fullmatch(name)
    if found is None:
        raise Refusal(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    match found[1], found[2]:
        case outer, None if len(values) == 1 and outer not in form:
            form[outer] = values[0]
        case outer, None:
            raise Refusal(
                f"Duplicate parameter: '{outer}'. You provided multiple values for this parameter, "
                "whereas only one is allowed. If you are trying to provide a list of values, use "
                f"the array syntax instead e.g. '{outer}[]=<value>'.",
                param=outer,
                code="duplicate_parameter",
            )
        case outer, "":
            form[outer] = values
        case outer, inner:
            form.setdefault(outer, {})[inner] = values[0]
