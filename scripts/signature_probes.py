"""Whether what a provider signed comes back to it in the next turn, for agents of each format."""

from __future__ import annotations

import json
from typing import Any

from addon.formats.base import FormatName, RequestLine
from addon.providers import BUILT_IN, Destination
from addon.translation import DEFAULT_PROVIDER, Memory, render_for, translate_response_for
from addon.vault import MemoryVault
from addon.wire.codec import encode
from scripts.answer_probes import ANSWERS, SIGNATURE
from scripts.format_probes import PLAIN, PROBES

type Body = dict[str, Any]

SIGNING: tuple[FormatName, ...] = ("anthropic", "gemini", "openai-responses")
"""The formats in which providers sign."""


def signature_verdict(source: FormatName, agent: FormatName, model: str) -> str:
    """Play two turns of an agent that returns what its format has a place for, and sum them up.

    Args:
        source: The format of the provider.
        agent: The format of the agent.
        model: The provider's model.
    """
    provider = BUILT_IN[DEFAULT_PROVIDER[source]]
    destination = Destination(provider, source, provider.base_urls[source], model)
    vault, line = Memory(MemoryVault()), RequestLine()
    asked = {**PLAIN[agent], **PROBES["tools"][agent]}
    if agent == "openai-responses":
        asked["include"] = ["reasoning.encrypted_content"]
    origin = render_for(agent, encode(asked), line, destination, memory=vault).origin
    recorder = vault.recorder(agent, destination, origin)
    answer = translate_response_for(
        200, (), encode(ANSWERS[source]), source, agent, encode(asked), recorder=recorder
    )
    following = encode(_answered(agent, asked, json.loads(answer.body)))
    forgetful = Memory(MemoryVault())
    for memory, verdict in ((forgetful, "kept"), (vault, "kept in the vault")):
        if SIGNATURE in render_for(agent, following, line, destination, memory=memory).body:
            return verdict
    return "dropped"


def _answered(agent: FormatName, asked: Body, answer: Body) -> Body:
    """Return the request that follows an answer with one call."""
    match agent:
        case "openai-chat":
            message = answer["choices"][0]["message"]
            (call,) = message["tool_calls"]
            said = {"role": "assistant", "content": message["content"], "tool_calls": [call]}
            result = {"role": "tool", "tool_call_id": call["id"], "content": "21"}
            return {**asked, "messages": [*asked["messages"], said, result]}
        case "openai-responses":
            call_id = next(item["call_id"] for item in answer["output"] if "call_id" in item)
            result = {"type": "function_call_output", "call_id": call_id, "output": "21"}
            return {**asked, "input": [*asked["input"], *answer["output"], result]}
        case "anthropic":
            said = {"role": "assistant", "content": answer["content"]}
            result = {"type": "tool_result", "tool_use_id": answer["content"][-1]["id"]}
            user = {"role": "user", "content": [{**result, "content": "21"}]}
            return {**asked, "messages": [*asked["messages"], said, user]}
        case "gemini":
            said = answer["candidates"][0]["content"]
            call = said["parts"][-1]["functionCall"]
            result = {"id": call["id"], "name": call["name"], "response": {"output": "21"}}
            user = {"role": "user", "parts": [{"functionResponse": result}]}
            return {**asked, "contents": [*asked["contents"], said, user]}
