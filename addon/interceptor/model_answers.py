"""Answers agents that ask which models there are."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import msgspec

from addon.engine import ClientPool, ListError, LocalServers, ModelLists, fetch_models
from addon.interceptor.key_headers import agent_key
from addon.interceptor.planning import Answered, Incoming, Refusal
from addon.neutral import ErrorInfo
from addon.providers import BUILT_IN
from addon.rules import Rules
from addon.rules.offers import merged_list, usable_providers
from addon.wire.model_lists import ListedModel, ListFormat, write_model, write_models

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
            rules.providers["local"] = await self._local.find(BUILT_IN["local"], clients)

    async def answer(
        self, question: ModelQuestion, incoming: Incoming, rules: Rules, clients: ClientPool
    ) -> Answered | Refusal:
        """Ask all who can be asked, and put their lists together.

        The provider that the agent has called is asked with the agent's own key, where calls that
        no rule names may pass; one that refuses it is left out, as are providers that give no list:
        theirs is what is known without asking.
        """
        if rules.finds_local:
            rules.providers["local"] = await self._local.find(BUILT_IN["local"], clients)
        original = await _original(incoming, clients) if rules.default == "pass" else ()
        usable = list(usable_providers(rules))
        found = await self._lists.of_all(usable, clients)
        lists = {
            name: () if isinstance(listed, ListError) else listed for name, listed in found.items()
        }
        merged = merged_list(rules, original, lists)
        if question.id is None:
            comment = f"{len(merged)} models, of {len(usable)} providers with a key among others"
            return Answered(body=write_models(question.format, merged), comment=comment)
        for model in merged:
            if model.id == question.id:
                body = write_model(question.format, model)
                return Answered(body=body, comment=f"the model {model.id}")
        message = f"The model '{question.id}' does not exist; the list of models has those that do."
        return Refusal(ErrorInfo("not_found", message, code="model_not_found"), "unknown model")


def _names_local(incoming: Incoming) -> bool:
    return b'"local' in incoming.body or "local:" in incoming.endpoint.line.path


async def _original(incoming: Incoming, clients: ClientPool) -> tuple[ListedModel, ...]:
    endpoint = incoming.endpoint
    called = BUILT_IN.get(endpoint.provider)
    if called is None:
        return ()
    # The name may be that of a gateway in rules.yaml, whose key is nothing for the provider itself.
    places = {
        format: url
        for format, url in called.base_urls.items()
        if urlsplit(url).hostname == endpoint.host
    }
    called = msgspec.structs.replace(called, base_urls=places)
    try:
        own = agent_key(incoming.headers, endpoint.line)
        return await fetch_models(called, None, clients, own)
    except ListError:
        return ()
