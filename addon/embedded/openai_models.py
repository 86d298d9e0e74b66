"""What OpenAI's model families accept, by their names.

Every name that no family claims is a model of plain abilities, but for names with `unknown` in
them, which do not exist.
"""

from __future__ import annotations

import re

MODELS = ("gpt-6-sol", "gpt-5.5", "gpt-5-mini", "gpt-4o", "claude-opus-5-5", "deepseek-v4-pro")
"""Names that the model list tells."""
NONE_BY_DEFAULT = re.compile(r"^gpt-5\.[1-4]")
"""Families that do not reason unless asked to."""
PLAIN_OPENAI = re.compile(r"^(gpt-4|gpt-3)")
"""Families that never reason."""
_REASONING = re.compile(r"^(gpt-[56]|o[134])(?!.*-chat)")


def reasons(model: str) -> bool:
    """Tell whether a model reasons, and so refuses sampling parameters."""
    return _REASONING.match(model) is not None
