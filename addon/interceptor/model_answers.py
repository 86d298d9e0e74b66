"""Answers agents that ask which models there are."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import msgspec

from addon.engine import ClientPool, ListError, LocalServers, ModelLists, Question
from addon.formats.endpoints import model_asked_about
from addon.interceptor.carrying import SPOKEN, carried_facts
from addon.interceptor.key_headers import agent_key, check_host
from addon.interceptor.own_ports import own_ports
from addon.interceptor.planning import Answered, Decided, Incoming, Pass, Refusal, blocked
from addon.neutral import ErrorInfo
from addon.providers import BUILT_IN, Destination
from addon.rules import Decision, Rules
from addon.rules.offers import merged_list, models_of, usable_providers
from addon.rules.targets import AUTO
from addon.wire.model_lists import ListedModel, ListFormat, write_model, write_models

PATIENCE = 2.0
"""Seconds that agents wait for the lists of providers; what comes later is there the next time."""


class ModelQuestion(msgspec.Struct, frozen=True):
    """What an agent wants to know."""

    format: ListFormat
    id: str
    """The one model it asks about; empty: all of them."""


def model_question(incoming: Incoming) -> ModelQuestion | None:
    """Return what a request asks about models, or None where it asks something else."""
    endpoint, headers = incoming.endpoint, incoming.headers
    model = model_asked_about(endpoint.method, endpoint.line.path)
    if model is None or not endpoint.provider:
        return None
    speaks_anthropic = any(name.lower() == "anthropic-version" for name, _ in headers)
    format: ListFormat = "openai"
    if endpoint.provider == "google" and "/openai/" not in endpoint.line.path:
        format = "gemini"
    elif endpoint.provider == "anthropic" or speaks_anthropic:
        format = "anthropic"
    return ModelQuestion(format, model)


def rule_on_models(question: ModelQuestion, incoming: Incoming, rules: Rules) -> Decision | None:
    """Return what a rule says that is about lists of models; others leave them to Detour.

    Raises:
        DetourError: The rule cannot be followed.
    """
    facts = carried_facts(incoming)
    facts.model = question.id
    return rules.naming(facts, SPOKEN)


class Models:
    """Knows which models there are, and keeps the provider `local` in step with this machine."""

    def __init__(self) -> None:
        self._lists = ModelLists()
        self._local = LocalServers()

    async def freshen(self, rules: Rules, incoming: Incoming, clients: ClientPool) -> None:
        """Look for servers on this machine, if a call may go to one of them."""
        if rules.finds_local and (rules.uses_local or _names_local(incoming)):
            await self._find_local(rules, clients)

    async def owns(
        self, planned: Decided, incoming: Incoming, rules: Rules, clients: ClientPool
    ) -> bool:
        """Tell whether a call that would pass asks for a model that a server here has."""
        if not isinstance(planned, Pass) or planned.rule != "default":
            return False
        model = planned.requested_model or ""
        if incoming.endpoint.format is None or not rules.may_own_locally(model):
            return False
        await self._find_local(rules, clients)
        return model in rules.providers["local"].servers

    async def _find_local(self, rules: Rules, clients: ClientPool) -> None:
        found = self._local.known(rules.local)
        if found is None:
            found = await self._local.find(rules.local, clients, own_ports())
        rules.providers["local"] = found

    async def answer(
        self, question: ModelQuestion, incoming: Incoming, rules: Rules, clients: ClientPool
    ) -> Answered | Refusal | Pass:
        """Do what a rule on `models` says; else put all lists together.

        Raises:
            DetourError: The rule cannot be followed.
        """
        decision = rule_on_models(question, incoming, rules)
        if decision is None:
            return await self._merged(question, incoming, rules, clients)
        match decision.action:
            case "pass":
                return Pass(decision.rule_name, question.id or None)
            case "block":
                return blocked(incoming.endpoint, decision.rule_name, question.id or None)
            case "route":
                return await self._of_targets(question, incoming, rules, decision, clients)

    async def _merged(
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
        comment = f"{len(merged)} models, of {len(usable)} providers with a key among others"
        return _answer(question, merged, comment)

    async def _of_targets(
        self,
        question: ModelQuestion,
        incoming: Incoming,
        rules: Rules,
        decision: Decision,
        clients: ClientPool,
    ) -> Answered | Refusal:
        """List what the targets of a rule offer, under their own names.

        Raises:
            ListError: Nothing is known of what a target offers.
            DetourError: It cannot be asked.
        """
        assert decision.rule is not None
        targets = decision.rule.use_for(decision.facts)
        assert isinstance(targets, tuple)
        if rules.finds_local and any(target.provider == "local" for target in targets):
            await self._find_local(rules, clients)
        places = {place.provider.id: place for place in decision.destinations}
        nobody = ListError("no model server answers on this machine", "absent")
        found_here = {"local"} & places.keys() if rules.finds_local else set[str]()
        asked = {name: place for name, place in places.items() if name not in found_here}
        questions = [_question(place, incoming, rules) for place in asked.values()]
        answers = dict.fromkeys(places, nobody) | dict(
            zip(asked, await self._lists.of_all(questions, clients), strict=True)
        )
        found: dict[str, ListedModel] = {}
        for name, listed in answers.items():
            provider = rules.providers[name]
            if isinstance(listed, ListError) and not provider.models:
                raise listed
            globs = ["*" if t.model == AUTO else t.model for t in targets if t.provider == name]
            for model in models_of(provider, () if isinstance(listed, ListError) else listed):
                if any(fnmatchcase(model.id, glob) for glob in globs):
                    found.setdefault(model.id, model)
        comment = f"{len(found)} models ({decision.rule_name})"
        return _answer(question, tuple(found.values()), comment, decision.rule_name)

    def stop(self) -> None:
        """Leave alone whoever has not answered yet."""
        self._lists.stop()
        self._local.stop()


def _question(destination: Destination, incoming: Incoming, rules: Rules) -> Question:
    """Say whom to ask, and as whom.

    Raises:
        DetourError: There is no key, or it is for somebody else.
    """
    provider = destination.provider
    key = rules.keys.find(provider)
    if not provider.passes_key:
        return Question(provider, key)
    check_host(destination, incoming.endpoint.host)
    return Question(provider, None, agent_key(incoming.headers, incoming.endpoint.line))


def _answer(
    question: ModelQuestion, models: tuple[ListedModel, ...], comment: str, rule: str | None = None
) -> Answered | Refusal:
    if not question.id:
        return Answered(body=write_models(question.format, models), comment=comment)
    for model in models:
        if model.id == question.id:
            body = write_model(question.format, model)
            return Answered(body=body, comment=f"the model {model.id}")
    message = f"The model '{question.id}' does not exist; the list of models has those that do."
    error = ErrorInfo("not_found", message, code="model_not_found")
    return Refusal(error, "unknown model", rule=rule)


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
