"""Values that both of OpenAI's APIs check alike: functions, answer formats, data URLs."""

from __future__ import annotations

import base64
import re
from typing import Any

from addon.embedded.refusal import Refusal
from addon.embedded.schema_rules import OPENAI_STRICT, check_schema, check_strict_schema

_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,(.*)", re.DOTALL)


def check_function(function: dict[str, Any]) -> None:
    """Check the schema of a function's parameters.

    Raises:
        Refusal: It is not sound, or not strict where the function is.
    """
    schema = function.get("parameters")
    if schema is None:
        return
    name = function["name"]
    try:
        if schema.get("type", "object") != "object":
            raise Refusal(
                f"schema must be a JSON Schema of 'type: \"object\"', got {schema['type']}"
            )
        check_schema(schema, "schema")
        if function.get("strict"):
            check_strict_schema(schema, "schema", OPENAI_STRICT)
    except Refusal as refusal:
        raise Refusal(
            f"Invalid schema for function '{name}': {refusal}",
            param="tools",
            code="invalid_function_parameters",
        ) from refusal


def check_format(wanted: dict[str, Any], param: str) -> None:
    """Check the schema that an answer is to follow.

    Raises:
        Refusal: It is not sound, or not strict where it is to be.
    """
    try:
        check_schema(wanted["schema"], "schema")
        if wanted.get("strict"):
            check_strict_schema(wanted["schema"], "schema", OPENAI_STRICT)
    except Refusal as refusal:
        raise Refusal(
            f"Invalid schema for response_format '{wanted['name']}': {refusal}",
            param=param,
        ) from refusal


def check_data_url(url: str, param: str, starts: tuple[str, ...]) -> None:
    """Check a data URL.

    Raises:
        Refusal: It is none, or of a type that does not belong here.
    """
    found = _DATA_URL.fullmatch(url)
    try:
        content = base64.b64decode(found.group(1), validate=True) if found else b""
    except ValueError:
        content = b""
    if not content or not url.startswith(starts):
        raise Refusal(
            f"Invalid '{param}'. Expected a base64-encoded data URL with a media type.",
            param=param,
            code="invalid_value",
        )
