"""Send an agent's own request to another provider of the same format, in place (decision D3).

Every byte stays, so that the provider's prompt cache keeps hitting, but for the model name and
what the provider refuses. Two things of the past cannot be edited in: custom tools and `functions`,
where the provider knows neither; such a request is translated by way of the hub, and so is its
answer (see `repair`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.base import RenderedBody
from addon.formats.openai_chat.content_rendering import ContentRenderer
from addon.formats.openai_chat.dialects import Dialect, dialect
from addon.formats.openai_chat.message_rewriting import (
    Changes,
    MessageRewriter,
    rewrite_tools,
    value_bytes,
)
from addon.formats.openai_chat.reasoning import render_reasoning
from addon.formats.openai_chat.request_parsing import (
    parse_request,
    parse_response_format,
)
from addon.formats.openai_chat.request_rendering import (
    HEADERS,
    PATH,
    limited,
    refused_by_model,
    render_request,
)
from addon.formats.openai_chat.structured_output import ask_for_json
from addon.formats.openai_chat.tool_parsing import parse_tool_choice
from addon.formats.openai_chat.tool_rendering import is_forced, render_choice
from addon.neutral import ClientRequestError, LossList, ReasoningConfig, UnsupportedFeature
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object
from addon.wire.openai_requests import EFFORTS
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.request_fields import Fields

_HARMLESS: dict[str, tuple[object, ...]] = {
    "function_call": ("none",),
    "functions": ([],),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "stream_options": ({"include_usage": True}, {"include_usage": False}),
    "top_logprobs": (0,),
}
"""Values that mean nothing where the field is unknown: leaving them out loses nothing."""

_MISSED: dict[str, str] = {
    "audio": "the provider does not speak",
    "logprobs": "the provider does not tell probabilities",
    "modalities": "the provider answers in text only",
    "n": "the provider gives one answer a call",
}
"""Fields whose loss the agent would miss in the answer."""


def rewrite_request(body: bytes, model: str, dialect_name: str) -> RenderedBody:
    """Adapt a request for the provider's `model`.

    Raises:
        ClientRequestError: The body is not a JSON object.
        UnsupportedFeature: It asks for answers of a kind that the provider does not give.
    """
    document = decode_object(body)
    if document is None:
        raise ClientRequestError("We could not parse the JSON body of your request.")
    losses = LossList()
    provider = dialect(dialect_name)
    if needs_translation(document, provider):
        return render_request(parse_request(body), model, dialect_name)
    changes: Changes = {} if document.get("model") == model else {"model": encode(model)}
    rewriting = _Rewriting(body, document, model, provider, losses)
    if dialect_name != "openai":
        rewriting.collect(changes)
    else:
        if changes:
            rewriting.fit_model(changes)
        rewriting.rename_calls(changes)
    try:
        edited = edit_object(body, changes) if changes else body
    except ValueError as error:
        raise ClientRequestError(f"The request body cannot be read: {error}") from None
    return RenderedBody(path=PATH, headers=HEADERS, body=edited, losses=losses.to_tuple())


def needs_translation(document: dict[str, Any], provider: Dialect) -> bool:
    """Tell whether a request uses kinds of tools that the provider has never heard of."""
    if document.get("functions") and "functions" in provider.refused:
        return True
    tools = sequence(document.get("tools"))
    return not provider.custom_tools and any(
        mapping(tool).get("type") == "custom" for tool in tools
    )


class _Rewriting:
    """One request on its way to a provider that differs from OpenAI."""

    def __init__(
        self,
        body: bytes,
        document: dict[str, Any],
        model: str,
        provider: Dialect,
        losses: LossList,
    ) -> None:
        self._body = body
        self._document = document
        self._model = model
        self._provider = provider
        self._losses = losses
        self._fields = Fields(document)
        self._tools = sequence(document.get("tools"))

    def collect(self, changes: Changes) -> None:
        """Gather the changes that the provider makes necessary."""
        forced = self._change_tools(changes)
        self._change_limit(changes)
        self._change_reasoning(changes, forced=forced)
        self._drop_refused(changes)
        self._change_sampling(changes)
        instruction = self._change_format(changes)
        self._change_messages(changes, instruction)

    def fit_model(self, changes: Changes) -> None:
        """Gather the changes that another model of OpenAI's makes necessary."""
        self._change_reasoning(changes, forced=False)
        self._drop_refused(changes)

    def rename_calls(self, changes: Changes) -> None:
        """Shorten ids of calls that other providers or agents made too long for this one."""
        messages = sequence(self._document.get("messages"))
        rewriter = MessageRewriter(self._provider, self._losses)
        if rewriter.renames_calls(messages):
            changes["messages"] = rewriter.rename_calls(self._value("messages"), messages)

    def _change_limit(self, changes: Changes) -> None:
        right = self._provider.max_tokens_name
        wrong = "max_tokens" if right == "max_completion_tokens" else "max_completion_tokens"
        wanted = self._document.get("max_completion_tokens")
        if wanted is None:
            wanted = self._document.get("max_tokens")
        if wrong in self._document:
            changes[wrong] = None
        limit = integer(wanted)
        most = self._provider.most_output_tokens
        if limit is not None and most is not None and limit > most:
            self._losses.approximated("max_tokens", f"the provider writes at most {most} tokens")
            wanted = most
        if wanted is not None and self._document.get(right) != wanted:
            changes[right] = encode(wanted)

    def _change_tools(self, changes: Changes) -> bool:
        """Adapt tools and choice; return whether a call is forced."""
        choice = _understood(lambda: parse_tool_choice(self._fields))
        allowed = choice.allowed if choice is not None else None
        if self._tools:
            if self._provider.allowed_tools:
                allowed = None
            array = self._value("tools")
            edited = rewrite_tools(array, self._tools, allowed, self._provider, self._losses)
            if edited != array:
                changes["tools"] = edited
        if choice is None:
            return False
        names = (text(mapping(mapping(tool).get("function")).get("name")) for tool in self._tools)
        kinds = dict.fromkeys((name for name in names if name), "function")
        content = ContentRenderer(self._provider, self._model, self._losses)
        rendered = render_choice(choice, kinds, content, self._model, self._losses)
        original = self._document.get("tool_choice")
        if rendered != original and not (rendered == "required" and original == "any"):
            changes["tool_choice"] = encode(rendered)
        return is_forced(rendered)

    def _change_reasoning(self, changes: Changes, *, forced: bool) -> None:
        effort = self._document.get("reasoning_effort")
        if effort is not None and effort not in EFFORTS:
            return  # a word of the provider's own
        config = ReasoningConfig(effort=effort) if effort is not None else None
        fields = render_reasoning(
            self._provider,
            self._model,
            config,
            self._losses,
            forced=forced,
            tools=bool(self._tools),
        )
        if effort is not None and fields.get("reasoning_effort") != effort:
            changes["reasoning_effort"] = None
        for field, value in fields.items():
            own = field in self._document and field != "reasoning_effort"
            if not own and self._document.get(field) != value:
                changes[field] = encode(value)

    def _drop_refused(self, changes: Changes) -> None:
        refused = set(self._provider.refused) | refused_by_model(self._model, self._provider, {})
        if not self._provider.several_answers:
            refused.add("n")
        if not self._provider.top_k:
            refused.add("top_k")
        for field in sorted(refused & self._document.keys()):
            value = self._document[field]
            if field == "service_tier" and value in self._provider.service_tiers:
                continue
            changes[field] = None
            if value is None or value in _HARMLESS.get(field, ()):
                continue
            if field in _MISSED:
                raise UnsupportedFeature(
                    field, f"{_MISSED[field]}; a rule can leave it out (`drop: [{field}]`)"
                )
            self._losses.dropped(field, "the provider refuses or ignores it")

    def _change_sampling(self, changes: Changes) -> None:
        for field in ("temperature", "stop"):
            value = self._document.get(field)
            if field in changes or not isinstance(value, (int, float, list)):
                continue
            nearest = limited(field, value, self._provider, self._losses)
            if nearest != value:
                changes[field] = encode(nearest)
        seed = self._document.get("seed")
        name = self._provider.seed_name
        if seed is not None and name != "seed" and "seed" not in changes:
            changes["seed"] = None
            changes[name] = encode(seed)

    def _change_format(self, changes: Changes) -> str | None:
        """Adapt `response_format`; return what has to be asked for in words instead."""
        wish = _understood(lambda: parse_response_format(self._fields.object("response_format")))
        if wish is None or wish.kind == "text":
            return None
        output = ask_for_json(
            wish,
            self._provider,
            self._losses,
            alone=not self._tools and not self._document.get("stream"),
            has_tools=bool(self._tools),
        )
        wanted = output.response_format
        if wanted is None:
            changes["response_format"] = None
        elif wanted["type"] != wish.kind:
            changes["response_format"] = encode(wanted)
        return output.instruction

    def _change_messages(self, changes: Changes, instruction: str | None) -> None:
        messages = sequence(self._document.get("messages"))
        if not messages:
            return
        array = self._value("messages")
        rewriter = MessageRewriter(self._provider, self._losses)
        edited = rewriter.rewrite(array, messages, instruction)
        if edited != array:
            changes["messages"] = edited

    def _value(self, key: str) -> bytes:
        return value_bytes(self._body, key)


def _understood[T](parse: Callable[[], T]) -> T | None:
    """Return what was read, or None for words that are the provider's own."""
    try:
        return parse()
    except ClientRequestError:
        return None
