"""The rules file's JSON Schema, which editors complete and check it by.

python -m addon.rules.schema > addon/rules/rules.schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from addon.rules.definitions import FILE

PATH = Path(__file__).with_name("rules.schema.json")


def rules_schema() -> dict[str, Any]:
    """Return the schema, made from the definitions that files are read by."""
    return {
        # Draft 7, as the YAML extension of VS Code knows no later one well.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Detour rules",
        "description": "Which calls of AI agents go to which provider.",
        **FILE.schema(),
    }


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
