"""Asks providers which models they have, and remembers what they said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import httpcore2
import msgspec

from addon.engine.clients import ClientPool
from addon.engine.failures import EXPECTED, connect_message
from addon.engine.headers import USER_AGENT, merge
from addon.formats import FORMATS
from addon.formats.base import FormatName, Headers
from addon.neutral import DetourError
from addon.providers import Provider, Timeouts
from addon.wire.model_lists import ListedModel, read_models

SHELF_LIFE = 3600.0
"""Seconds for which a list is believed; servers on this machine are asked anew much sooner."""
LOCAL_SHELF_LIFE = 5.0
FAILURE_LIFE = 60.0
"""Seconds for which a provider that gave no list is left alone."""
PATIENCE = 8.0
"""Seconds that a provider has to give its list."""
LARGEST = 16 << 20
MOST_KEPT = 100
"""Lists that are kept: agents may ask with many keys."""

_TIMEOUTS = Timeouts(connect=3, first_byte=PATIENCE, idle=PATIENCE, total=PATIENCE)
_HEADERS: Headers = (
    ("user-agent", USER_AGENT),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
)
_PATHS: dict[FormatName, str] = {
    "openai-chat": "/models",
    "openai-responses": "/models",
    "anthropic": "/v1/models?limit=1000",
    "gemini": "/v1beta/models?pageSize=1000",
}
_PREFERENCE: tuple[FormatName, ...] = ("openai-chat", "openai-responses", "gemini", "anthropic")
"""Which of a provider's addresses to ask: the list of OpenAI's kind is the one that all keep."""


type Failure = Literal["absent", "silent", "refusal", "no list"]
"""Nobody is there, or nobody answers in time, or not with 200, or not with a list."""


class ListError(DetourError):
    """A provider does not give its list of models."""

    def __init__(self, message: str, failure: Failure, status: int | None = None) -> None:
        super().__init__(message)
        self.failure: Failure = failure
        self.status = status


class Question(msgspec.Struct, frozen=True):
    """Whom to ask for models, and as whom."""

    provider: Provider
    key: str | None
    """The provider's key, or None where it needs none."""
    headers: Headers = ()
    """Sent as well; such as the agent's own key."""

    @property
    def place(self) -> tuple[str, ...]:
        """What answers to the same question have in common."""
        secrets = str(hash((self.key, self.headers)))
        return (self.provider.id, *self.provider.base_urls.values(), secrets)


type Answer = tuple[ListedModel, ...] | ListError


class _Kept(msgspec.Struct, frozen=True):
    until: float
    answer: Answer


async def fetch_models(
    provider: Provider,
    key: str | None,
    clients: ClientPool,
    headers: Headers = (),
    patience: float = PATIENCE,
) -> tuple[ListedModel, ...]:
    """Ask a provider for its models.

    Args:
        provider: Whom to ask.
        key: Its key, or None where it needs none.
        clients: How to reach it.
        headers: Sent as well; such as the agent's own key.
        patience: Seconds that it may take.

    Raises:
        ListError: It cannot be reached, refuses, or gives no list.
    """
    if not provider.base_urls:
        raise ListError(f"{provider.title} has no address", "absent")
    format: FormatName = min(provider.base_urls, key=_PREFERENCE.index)
    url = provider.base_urls[format].rstrip("/") + _PATHS[format]
    version = (("anthropic-version", "2023-06-01"),) if format == "anthropic" else ()
    sent = merge(version, headers, provider.auth_headers(format, key))
    try:
        status, body = await fetch(url, clients, sent, patience=patience)
    except (TimeoutError, httpcore2.TimeoutException):
        message = f"{provider.title} did not give its models in {patience:g} s"
        raise ListError(message, "silent") from None
    except ListError:
        raise
    except EXPECTED as error:
        message = connect_message(error, f"{provider.title} ({urlsplit(url).netloc})")
        raise ListError(message, "absent") from None
    if status != 200:
        told = FORMATS[format].parse_error(status, (), body)
        message = f"{provider.title} answers {status}: {told.message}"
        raise ListError(message, "refusal", status)
    try:
        return read_models(body)
    except ValueError:
        raise ListError(f"{provider.title} gives no list of models", "no list") from None


async def fetch(
    url: str, clients: ClientPool, headers: Headers = (), *, body: bytes = b"", patience: float
) -> tuple[int, bytes]:
    """Ask for a small document, by GET, or by POST where there is a body; return its status too.

    Raises:
        TimeoutError: It does not come in that many seconds.
        Exception: One of `failures.EXPECTED`.
    """
    async with asyncio.timeout(patience):
        method = "POST" if body else "GET"
        response = await clients.open(method, url, merge(_HEADERS, headers), body, _TIMEOUTS)
        try:
            answer = bytearray()
            while chunk := await response.read():
                answer += chunk
                if len(answer) > LARGEST:
                    raise ListError("the list of models is too long", "no list")
            return response.status, bytes(answer)
        finally:
            response.close()


class ModelLists:
    """Lists of models, asked for once in a while."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], _Kept] = {}
        self._asking: dict[tuple[str, ...], asyncio.Task[None]] = {}

    async def of_all(
        self, questions: Sequence[Question], clients: ClientPool, patience: float = PATIENCE
    ) -> list[Answer]:
        """Ask several providers at once.

        Args:
            questions: Whom to ask. Those that have been asked lately are not asked again.
            clients: How to reach them.
            patience: Seconds after which those who have not answered are no longer waited for;
                their answer is kept for the next time.

        Returns:
            For each its list, an earlier one where it gives none now, else why there is none.
        """
        clock = asyncio.get_running_loop().time
        for question in questions:
            place = question.place
            kept = self._kept.get(place)
            if place not in self._asking and (kept is None or clock() >= kept.until):
                self._asking[place] = asyncio.create_task(self._ask(question, clients))
        tasks = {self._asking[q.place] for q in questions if q.place in self._asking}
        done, _ = await asyncio.wait(tasks, timeout=patience) if tasks else (tasks, ())
        for task in done:
            if not task.cancelled():
                task.result()  # raises for what is a mistake here
        return [self._answer(question, patience) for question in questions]

    def _answer(self, question: Question, patience: float) -> Answer:
        if kept := self._kept.get(question.place):
            return kept.answer
        title = question.provider.title
        return ListError(f"{title} did not give its models in {patience:g} s", "silent")

    async def _ask(self, question: Question, clients: ClientPool) -> None:
        place, provider = question.place, question.provider
        clock = asyncio.get_running_loop().time
        answer: Answer
        try:
            answer = await fetch_models(provider, question.key, clients, question.headers)
            life = LOCAL_SHELF_LIFE if provider.id == "local" else SHELF_LIFE
        except ListError as error:
            earlier = self._kept.get(place)
            answer = error if earlier is None else earlier.answer
            life = LOCAL_SHELF_LIFE if provider.id == "local" else FAILURE_LIFE
        finally:
            del self._asking[place]
        self._kept[place] = _Kept(clock() + life, answer)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def stop(self) -> None:
        """Leave alone whoever has not answered yet."""
        for task in self._asking.values():
            task.cancel()
