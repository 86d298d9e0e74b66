"""Names by OpenTelemetry's semantic conventions for generative AI, and for what they do not know.

They follow https://github.com/open-telemetry/semantic-conventions-genai as far as it is released
(`gen_ai.*` of schema 1.41 and later); what its next version renames is still called as it was.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from addon.neutral import FinishReason

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
STREAM = "gen_ai.request.stream"
RESPONSE_ID = "gen_ai.response.id"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
CONVERSATION = "gen_ai.conversation.id"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - no secret
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
STATUS_CODE = "http.response.status_code"

EXCHANGE = "detour.exchange.id"
AGENT = "detour.agent"
RULE = "detour.rule"
REQUESTED_PROVIDER = "detour.requested.provider"
REQUESTED_MODEL = "detour.requested.model"
ACTUAL_PROVIDER = "detour.actual.provider"
ACTUAL_MODEL = "detour.actual.model"
COST = "detour.cost_usd"
LOSSES = "detour.losses"

DURATION_METRIC = "gen_ai.client.operation.duration"
TOKENS_METRIC = "gen_ai.client.token.usage"
FIRST_CHUNK_METRIC = "gen_ai.client.operation.time_to_first_chunk"
EXCHANGE_METRIC = "detour.exchange.duration"
COST_METRIC = "detour.cost_usd"

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_CHUNK_SECONDS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08),
    *(0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
TOKENS = tuple(4**power for power in range(14))
"""Boundaries of the histograms, as the conventions give them."""

_PROVIDERS = {
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "moonshot": "moonshot_ai",
    "azure": "azure.ai.openai",
}
_OPERATIONS = {"completions": "text_completion", "embeddings": "embeddings"}
_ANSWERS = ("chat", "responses", "messages", "generate")
_FINISH_REASONS: dict[FinishReason, str] = {"tool_calls": "tool_call"}
_PORTS = {"http": 80, "https": 443}


def provider_name(provider: str, base_url: str = "") -> str:
    """Return the conventions' name for a provider; its own id where they have none."""
    if provider == "google" and "aiplatform." in base_url:
        return "gcp.vertex_ai"
    return _PROVIDERS.get(provider, provider)


def operation_name(endpoint: str, spoken: str | None) -> str:
    """Return the conventions' name for what is done at an endpoint, in a format."""
    if endpoint not in _ANSWERS:
        return _OPERATIONS.get(endpoint, endpoint)
    return "generate_content" if spoken == "gemini" else "chat"


def finish_reason(reason: FinishReason) -> str:
    """Return the conventions' word for why an answer ended."""
    return _FINISH_REASONS.get(reason, reason)


def server(base_url: str) -> dict[str, str | int]:
    """Return the attributes that say where a call went."""
    parts = urlsplit(base_url)
    if not parts.hostname:
        return {}
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return {SERVER_ADDRESS: parts.hostname, SERVER_PORT: port}
