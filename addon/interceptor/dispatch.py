"""Lets mitmproxy call only those addons at a hook that have it.

A call has eight hooks, and at each mitmproxy asks each of its three dozen addons whether it wants
to know, with a context manager and a coroutine for every one: 60 us a hook, half a millisecond a
call, and again for every line of the log. Hardly any of them does. Who is called, in which order,
and what becomes of exceptions stays as mitmproxy has it.

What this touches of mitmproxy's inside is held by `tests/interceptor/test_dispatch.py`:
`AddonManager.chain`, `.trigger_event`, `.trigger`, `.invoke_addon` and `.invoke_addon_sync`;
`safecall` and `traverse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from inspect import isawaitable
from typing import Any, cast, override

from mitmproxy import addonmanager, exceptions
from mitmproxy.addonmanager import AddonManager
from mitmproxy.hooks import Hook

_library = cast("Any", addonmanager)  # it is not annotated


type Holder = tuple[Callable[[], Iterable[object]], list[object]]
type Having = tuple[object, tuple[object, ...]]
"""One of the chain, and who has a hook: itself, those within it, or both. Nobody is named where
something that cannot be called has the hook's name: what then happens is for mitmproxy to say."""


class RememberingAddonManager(AddonManager):
    """mitmproxy's manager of addons, which remembers who has which hook."""

    chain: list[object]
    _known: list[Holder]
    """Whatever holds addons, and those that it held at the last look."""
    _having: dict[str, list[Having]]
    """Those of the chain that have a hook, or hold an addon that has, by the hook's name."""

    @override
    async def trigger_event(self, event: Hook) -> None:
        """Call everybody who has a hook."""
        name, arguments = event.name, event.args()
        for found, listeners in self._who_has(name):
            try:
                if not listeners:
                    await cast("Any", self).invoke_addon(found, event)
                for listener in listeners:
                    result = getattr(listener, name)(*arguments)
                    if result is not None and isawaitable(result):
                        await result
            except exceptions.AddonHalt:
                return
            except Exception:
                with _library.safecall():
                    raise

    @override
    def trigger(self, event: Hook) -> None:
        """Call everybody who has a hook that does not wait."""
        for found, _ in self._who_has(event.name):
            try:
                with _library.safecall():
                    cast("Any", self).invoke_addon_sync(found, event)
            except exceptions.AddonHalt:
                return

    def begin(self) -> None:
        """Know nobody yet: what `__init__` would do, had mitmproxy made this manager."""
        self._known, self._having = [], {}

    def _who_has(self, hook: str) -> list[Having]:
        if any(list(holder()) != held for holder, held in self._known):
            self._known, self._having = [], {}
        if not self._known:
            self._known = list(_holders(lambda: self.chain))
        having = self._having.get(hook)
        if having is None:
            having = self._having[hook] = list(_look(self.chain, hook))
        return having


def _look(chain: Iterable[object], hook: str) -> Iterator[Having]:
    for found in chain:
        listeners = tuple(inner for inner in _library.traverse([found]) if hasattr(inner, hook))
        if all(callable(getattr(listener, hook)) for listener in listeners):
            if listeners:
                yield found, listeners
        else:
            yield found, ()


def _holders(holder: Callable[[], Iterable[object]]) -> Iterator[Holder]:
    """Go through all lists of addons: the chain, and those of addons that hold others."""
    held = list(holder())
    yield holder, held
    for found in held:
        if hasattr(found, "addons"):
            yield from _holders(partial(getattr, found, "addons"))


def install(manager: object) -> None:
    """Teach mitmproxy's manager to remember; one that is not mitmproxy's own is left alone."""
    if type(manager) is AddonManager:
        manager.__class__ = RememberingAddonManager
        assert isinstance(manager, RememberingAddonManager)
        manager.begin()


def uninstall(manager: object) -> None:
    """Make the manager what it was."""
    if type(manager) is RememberingAddonManager:
        object.__setattr__(manager, "__class__", AddonManager)
