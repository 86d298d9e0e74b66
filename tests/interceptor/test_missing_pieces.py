"""What a model lacks is said before anything is sent; what a provider refuses, in its words.

Each in the format of the agent that asks, whichever that is.
"""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from addon.embedded import EmbeddedProvider
from tests.support.chains import MODELS
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, agent_context, running_proxy

PNG = "iVBORw0KGgo="
QUESTION = "[[say Hi.]]"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, features=None, format="openai-chat"):
    version = "/v1" if format.startswith("openai") else ""
    office = {
        "base_url": provider.base_url + version,
        "formats": [format],
        "api_key": PROVIDER_KEY,
    }
    if features is not None:
        office["models"] = [{"id": MODELS[format], "features": features}]
    use = f"office:{MODELS[format]}"
    return json.dumps({"version": 1, "providers": {"office": office}, "rules": [{"use": use}]})


async def by_chat(proxy, wanted, text=QUESTION):
    """Ask for something by the official client; return status and words of the error."""
    fields = {
        "tools": {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        "json_schema": {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "s", "schema": {"type": "object"}},
            }
        },
    }.get(wanted, {})
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    said = [{"type": "text", "text": text}, *([picture] if wanted == "images" else [])]
    async with proxy.openai() as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": said}], **fields
            )
    return caught.value.status_code, str(caught.value)


async def by_responses(proxy, wanted, text=QUESTION):
    fields = {
        "tools": {"tools": [{"type": "function", "name": "f", "parameters": {}, "strict": False}]},
        "json_schema": {
            "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}}
        },
    }.get(wanted, {})
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"}
    said = [{"type": "input_text", "text": text}, *([picture] if wanted == "images" else [])]
    async with proxy.openai() as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.responses.create(
                model="m", input=[{"role": "user", "content": said}], store=False, **fields
            )
    return caught.value.status_code, str(caught.value)


async def by_messages(proxy, wanted, text=QUESTION):
    fields = {
        "tools": {"tools": [{"name": "f", "input_schema": {"type": "object"}}]},
        "json_schema": {
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}
        },
    }.get(wanted, {})
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    picture = {"type": "image", "source": source}
    said = [{"type": "text", "text": text}, *([picture] if wanted == "images" else [])]
    client = anthropic.AsyncAnthropic(api_key=AGENT_KEY, http_client=proxy.client(), max_retries=0)
    async with client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await client.messages.create(
                model="m", max_tokens=99, messages=[{"role": "user", "content": said}], **fields
            )
    return caught.value.status_code, str(caught.value)


async def by_gemini(proxy, wanted, text=QUESTION):
    function = types.FunctionDeclaration(name="f", description="d")
    fields = {
        "tools": {"tools": [types.Tool(function_declarations=[function])]},
        "json_schema": {
            "response_mime_type": "application/json",
            "response_json_schema": {"type": "object"},
        },
    }.get(wanted, {})
    said = [types.Part(text=text)]
    if wanted == "images":
        said.append(types.Part.from_bytes(data=b"\x89PNG\r\n", mime_type="image/png"))
    options = types.HttpOptions(
        async_client_args={"proxy": proxy.url(), "verify": agent_context(), "trust_env": False}
    )
    client = genai.Client(api_key=AGENT_KEY, http_options=options)
    try:
        with pytest.raises(errors.APIError) as caught:
            await client.aio.models.generate_content(
                model="m", contents=said, config=types.GenerateContentConfig(**fields)
            )
    finally:
        await client.aio.aclose()
    return caught.value.code, str(caught.value)


WAYS = pytest.mark.parametrize("way", [by_chat, by_responses, by_messages, by_gemini])


@WAYS
@pytest.mark.parametrize("feature", ["tools", "images", "json_schema"])
async def test_what_the_table_knows_to_be_missing_is_told_before_anything_is_sent(
    provider, way, feature
):
    others = [name for name in ("tools", "images", "json_schema") if name != feature]
    async with running_proxy(rules(provider, others), environment={}) as proxy:
        status, told = await way(proxy, feature)
    assert status == 400
    assert "office:glm-5.3 has no" in told
    assert not provider.requests


@WAYS
async def test_a_model_that_nobody_has_is_told_before_anything_is_sent(provider, way):
    text = rules(provider).replace("office:glm-5.3", "anthropic:gpt-5")
    environment = {"ANTHROPIC_API_KEY": PROVIDER_KEY}
    async with running_proxy(text, environment=environment) as proxy:
        status, told = await way(proxy, "nothing")
    assert status == 404
    assert "anthropic has no model gpt-5; the nearest is" in told


@WAYS
@pytest.mark.parametrize("format", MODELS)
async def test_what_the_provider_refuses_is_told_in_its_words(provider, way, format):
    """The table knows nothing of it; the strict provider does."""
    refusal = "[[error 400 invalid_request_error Our model has no ears]]"
    async with running_proxy(rules(provider, format=format), environment={}) as proxy:
        status, told = await way(proxy, "nothing", refusal)
    assert status == 400
    assert "Our model has no ears" in told
    assert len(provider.requests) == 1
