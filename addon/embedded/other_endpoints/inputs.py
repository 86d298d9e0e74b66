"""What embeddings and legacy completions take: a text, tokens, or a list of either."""

from __future__ import annotations

from typing import cast

from addon.embedded.shapes import Path, ShapeError, each, integer, text

type Texts = str | list[int]

_MOST = 2048
_TOKENS = each(integer(0), least=1, most=_MOST)


def texts_or_tokens(value: object, path: Path) -> None:
    """Accept a text, a list of texts, tokens, or a list of lists of tokens."""
    if not isinstance(value, list):
        text()(value, path)
        return
    items = cast("list[object]", value)
    if not items or len(items) > _MOST:
        raise ShapeError(path, "value", f"a list with 1 to {_MOST} items", len(items))
    shape = text() if isinstance(items[0], str) else _TOKENS
    if isinstance(items[0], int):
        shape = integer(0)
    for index, item in enumerate(items):
        shape(item, (*path, index))


def texts_of(value: object) -> list[Texts]:
    """Return each text, or each list of tokens, of a value of that shape."""
    if isinstance(value, str):
        return [value]
    items = cast("list[str | int | list[int]]", value)
    if isinstance(items[0], int):
        return [cast("list[int]", items)]
    return cast("list[Texts]", items)
