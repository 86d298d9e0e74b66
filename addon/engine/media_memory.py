"""Remembers what was fetched, so that an address amounts to the same bytes in every turn."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict

from addon.neutral import InlineMedia
from addon.vault import Vault

MOST_REMEMBERED = 64 << 20
"""Most bytes, in base64, that are kept in memory."""
MOST_STORED = 4 << 20
"""Most bytes of one medium that is kept in the vault as well."""

_KIND = "media"


class MediaMemory:
    """Media by address, those last asked for."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: OrderedDict[str, InlineMedia] = OrderedDict()
        self._size = 0

    def get(self, url: str) -> InlineMedia | None:
        """Return what an address stood for earlier."""
        key = _key(url)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        stored = self._vault.get(_KIND, [key]).get(key)
        if stored is None:
            return None
        media_type, _, data = stored.partition(b"\n")
        return self._remember(key, media_type.decode(), data)

    def put(self, url: str, media_type: str, data: bytes) -> InlineMedia:
        """Remember what an address stands for."""
        key = _key(url)
        if len(data) <= MOST_STORED:
            self._vault.put(_KIND, {key: media_type.encode() + b"\n" + data})
        return self._remember(key, media_type, data)

    def _remember(self, key: str, media_type: str, data: bytes) -> InlineMedia:
        media = InlineMedia(media_type, base64.b64encode(data).decode())
        replaced = self._known.pop(key, None)
        self._known[key] = media
        self._size += len(media.data) - (len(replaced.data) if replaced else 0)
        while self._size > MOST_REMEMBERED and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            self._size -= len(oldest.data)
        return media


def _key(url: str) -> str:
    """Name an address without telling it: its query may hold a secret."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
