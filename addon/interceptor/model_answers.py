"""Answers agents that ask which models there are."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import unquote, urlsplit

import msgspec

from addon.engine import ClientPool, ListError, LocalServers, ModelLists, Question
from addon.interceptor.key_headers import agent_key
from addon.interceptor.own_ports import own_ports
from addon.interceptor.planning import Answered, Incoming, Refusal
from addon.neutral import ErrorInfo
from addon.providers import BUILT_IN
from addon.rules import Rules
from addon.rules.offers import merged_list, usable_providers
from addon.wire.model_lists import ListFormat, write_model, write_models

PATIENCE = 2.0
"""Seconds that agents wait for the lists of providers; what comes later is there the next time."""
_PATH = re.compile(r"/(?:v1|v1beta)/models(?:/(?P<id>.+?))?/?")


class ModelQuestion(msgspec.Struct, frozen=True):
    """What an agent wants to know."""

    format: ListFormat
    id: str | None
    """The one model it asks about; None: all of them."""


def model_question(incoming: Incoming) -> ModelQuestion | None:
    """Return what a request asks about models, or None where it asks something else."""
    endpoint, headers = incoming.endpoint, incoming.headers
    match = _PATH.fullmatch(endpoint.line.path) if endpoint.method == "GET" else None
    if match is None or not endpoint.provider:
        return None
    speaks_anthropic = any(name.lower() == "anthropic-version" for name, _ in headers)
    format: ListFormat = "openai"
    if endpoint.provider == "google" and "/openai/" not in endpoint.line.path:
        format = "gemini"
    elif endpoint.provider == "anthropic" or speaks_anthropic:
        format = "anthropic"
    return ModelQuestion(format, match["id"] and unquote(match["id"]))


class Models:
    """Knows which models there are, and keeps the provider `local` in step with this machine."""

    def __init__(self) -> None:
        self._lists = ModelLists()
        self._local = LocalServers()

    async def freshen(self, rules: Rules, incoming: Incoming, clients: ClientPool) -> None:
        """Look for servers on this machine, if a call may go to one of them."""
        if rules.finds_local and (rules.uses_local or _names_local(incoming)):
            await self._find_local(rules, clients)

    async def _find_local(self, rules: Rules, clients: ClientPool) -> None:
        rules.providers["local"] = await self._local.find(rules.local, clients, own_ports())

    async def answer(
        self, question: ModelQuestion, incoming: Incoming, rules: Rules, clients: ClientPool
    ) -> Answered | Refusal:
        """Ask all who can be asked, and put their lists together.

        The provider that the agent has called is asked with the agent's own key, where calls that
        no rule names may pass; one that refuses it is left out, as are providers that give no list,
        or not in time: theirs is what is known without asking.
        """
        original = _original(incoming) if rules.default == "pass" else None
        usable = list(usable_providers(rules))
        questions = [
            Question(provider, key)
            for provider, key in usable
            if provider.id != "local" or not rules.finds_local
        ]
        asked = [*questions, original] if original else questions
        found, _ = await asyncio.gather(
            self._lists.of_all(asked, clients, PATIENCE),
            self._find_local(rules, clients) if rules.finds_local else asyncio.sleep(0),
        )
        given = [() if isinstance(answer, ListError) else answer for answer in found]
        lists = {one.provider.id: listed for one, listed in zip(questions, given, strict=False)}
        if rules.finds_local:
            lists["local"] = ()
        listed = given[-1] if original else ()
        merged = merged_list(rules, listed, lists)
        if question.id is None:
            comment = f"{len(merged)} models, of {len(usable)} providers with a key among others"
            return Answered(body=write_models(question.format, merged), comment=comment)
        for model in merged:
            if model.id == question.id:
                body = write_model(question.format, model)
                return Answered(body=body, comment=f"the model {model.id}")
        message = f"The model '{question.id}' does not exist; the list of models has those that do."
        return Refusal(ErrorInfo("not_found", message, code="model_not_found"), "unknown model")

    def stop(self) -> None:
        """Leave alone whoever has not answered yet."""
        self._lists.stop()
        self._local.stop()


def _names_local(incoming: Incoming) -> bool:
    return b'"local' in incoming.body or "local:" in incoming.endpoint.line.path


def _original(incoming: Incoming) -> Question | None:
    endpoint = incoming.endpoint
    called = BUILT_IN.get(endpoint.provider)
    if called is None:
        return None
    # The name may be that of a gateway in rules.yaml, whose key is nothing for the provider itself.
    places = {
        format: url
        for format, url in called.base_urls.items()
        if urlsplit(url).hostname == endpoint.host
    }
    if not places:
        return None
    called = msgspec.structs.replace(called, base_urls=places)
    return Question(called, None, agent_key(incoming.headers, endpoint.line))
