"""Whether a call goes to a target although nobody has said so for its endpoint.

For endpoints in which nothing is translated: what a rule says of all calls was said with answers of
a model in mind, and a chat model is of no use to somebody who wants a text embedded.
"""

from __future__ import annotations

from addon.formats.endpoints import EMBEDDINGS
from addon.providers import Provider
from addon.providers.offered import usually_offers
from addon.rules.facts import CallFacts
from addon.rules.targets import AUTO, Target


def carries(target: Target, provider: Provider, facts: CallFacts, *, by_model: bool) -> bool:
    """Tell whether a call fits a target that nobody has named for its endpoint.

    Args:
        target: Where the call might go.
        provider: Who that is.
        facts: The call.
        by_model: Whether the target was chosen by the model that the agent asks for.
    """
    if not usually_offers(provider, facts.path):
        return False
    if "*" in target.model:
        return True
    if target.model == AUTO and provider.id == "local":  # many a server embeds by any model
        return facts.endpoint == EMBEDDINGS
    known = provider.facts(target.model)
    if known is None:
        return by_model
    return known.kind == "embedding" and facts.endpoint == EMBEDDINGS


def first_fitting(provider: Provider, facts: CallFacts) -> str | None:
    """Name the first of a provider's models that is made for what a call wants."""
    wanted = "embedding" if facts.endpoint == EMBEDDINGS else "chat"
    for model in provider.models:
        known = provider.facts(model)
        if known is None or known.kind == wanted:
            return model
    return provider.models[0] if provider.models else None
