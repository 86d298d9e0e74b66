"""The conversation as a chain of digests: the base of thinking signatures and of the prompt cache.

Each tool, system block and message block in turn extends the chain, so two requests share a digest
exactly as far as their content is the same. `cache_control` marks are not content.

Pages followed: https://platform.claude.com/docs/en/build-with-claude/prompt-caching and
https://platform.claude.com/docs/en/build-with-claude/extended-thinking.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

CHARACTERS_PER_TOKEN = 4
ACCOUNT_BLOCK = "x-anthropic-billing-header:"
"""How the block of the system prompt begins that is not for the model."""
_PAGE = 6000
LOOK_BACK = 20
"""How many blocks before a breakpoint the cache looks for an earlier entry."""
SHORTEST_ENTRY = 1024
"""Fewest tokens that are worth a cache entry."""


@dataclass(frozen=True)
class Link:
    """The chain after one block."""

    digest: bytes
    tokens: int
    """Tokens from the start up to here."""
    breakpoint: bool


def estimate_tokens(value: object) -> int:
    """Count the tokens of a JSON value roughly; an image or a file counts as a page of text."""
    return 1 + _length(value) // CHARACTERS_PER_TOKEN


def _length(value: object, longest: int = 1 << 40) -> int:
    match value:
        case str():
            return min(len(value), longest)
        case list():
            return sum(map(_length, cast("list[object]", value)))
        case dict():
            return sum(
                len(key) + _length(item, _PAGE if key in ("data", "url", "file_data") else 1 << 40)
                for key, item in cast("dict[str, object]", value).items()
            )
        case _:
            return 4


def extend(digest: bytes, role: str, block: Mapping[str, Any]) -> bytes:
    """Return the digest behind one more block; what Claude Code tells the accounts is none."""
    if role == "system prompt" and str(block.get("text")).startswith(ACCOUNT_BLOCK):
        return digest
    content = {key: value for key, value in block.items() if key != "cache_control"}
    text = json.dumps([role, content], ensure_ascii=False)
    return hashlib.sha256(digest + text.encode("utf-8", "surrogatepass")).digest()


def blocks_of(content: object) -> list[dict[str, Any]]:
    """Return message or system content as blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return cast("list[dict[str, Any]]", content or [])


def walk(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every block of a request in prompt order with the role that it belongs to."""
    for tool in cast("list[dict[str, Any]]", body.get("tools") or []):
        yield "tools", tool
    for block in blocks_of(body.get("system")):
        yield "system prompt", block
    for message in cast("list[dict[str, Any]]", body["messages"]):
        for block in blocks_of(message["content"]):
            yield message["role"], block


def chain(body: Mapping[str, Any]) -> list[Link]:
    """Return the chain over a whole request, one link a block."""
    digest = hashlib.sha256(str(body["model"]).encode()).digest()
    tokens = 0
    links: list[Link] = []
    for role, block in walk(body):
        digest = extend(digest, role, block)
        tokens += estimate_tokens(block)
        links.append(Link(digest, tokens, bool(block.get("cache_control"))))
    if links and body.get("cache_control"):
        links[-1] = Link(digest, tokens, breakpoint=True)
    return links


def sign(secret: bytes, thinking: str, prefix: bytes) -> str:
    """Write the signature of a thinking block that stands behind `prefix`."""
    authentic = hmac.digest(secret, thinking.encode("utf-8", "surrogatepass"), "sha256")
    bound = hmac.digest(secret, authentic + prefix, "sha256")
    return base64.b64encode(authentic + bound).decode()


def is_authentic(secret: bytes, thinking: str, signature: str) -> bool:
    """Tell whether this provider wrote exactly this thinking, anywhere."""
    authentic = hmac.digest(secret, thinking.encode("utf-8", "surrogatepass"), "sha256")
    return hmac.compare_digest(_decoded(signature)[:32], authentic)


def is_bound(secret: bytes, signature: str, prefix: bytes) -> bool:
    """Tell whether the signed thinking stands behind the prefix that it was written for."""
    halves = _decoded(signature)
    return hmac.compare_digest(halves[32:], hmac.digest(secret, halves[:32] + prefix, "sha256"))


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except ValueError:
        return b""


@dataclass(frozen=True)
class InputUsage:
    """How the prompt's tokens divide over the cache."""

    fresh: int
    read: int
    written: int

    def as_fields(self) -> dict[str, int]:
        """Return the three fields of the wire's usage object."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.read,
        }


@dataclass
class PromptCache:
    """What the provider remembers of earlier prompts; entries never expire in its short life."""

    entries: set[bytes] = field(default_factory=set[bytes])

    def use(self, links: list[Link]) -> InputUsage:
        """Read what is there, write what the breakpoints ask for, and account for both."""
        read = written = 0
        marked = [index for index, link in enumerate(links) if link.breakpoint]
        for index in marked:
            for earlier in range(index, max(-1, index - LOOK_BACK), -1):
                if links[earlier].digest in self.entries:
                    read = max(read, links[earlier].tokens)
                    break
        if marked and links[marked[-1]].tokens >= SHORTEST_ENTRY:
            written = links[marked[-1]].tokens - read
            self.entries.update(links[index].digest for index in marked)
        total = links[-1].tokens if links else 1
        return InputUsage(total - read - written, read, written)
