"""One rule lets one model plan and another one code, told by the agents' traffic alone."""

import json

import pytest

from addon.embedded import EmbeddedProvider
from tests.rules.phases import aider, claude_code, codex, opencode
from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.recordings import TRAFFIC

REQUESTS = TRAFFIC.parent / "agents" / "requests"
needs_requests = pytest.mark.skipif(
    not REQUESTS.exists(),
    reason="recorded requests are not part of the project (../shared is absent)",
)
HOSTS = {"/v1/messages": "api.anthropic.com"}
RULES = """
version: 1
providers:
  anthropic: {{base_url: '{url}'}}
  office: {{base_url: '{url}/v1', formats: [openai-chat], api_key: {key}}}
rules:
  - name: Opus plans, GLM codes
    when: {{agent: [codex, claude-code, opencode, openai-python, coder]}}
    use:
      planning: anthropic:claude-opus-5-5
      coding: office:glm-5.3
      other: anthropic:claude-haiku-5-5
default: block
"""
MODELS = {"planning": "claude-opus-5-5", "coding": "glm-5.3"}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def proxy(provider):
    rules = RULES.format(url=provider.base_url, key=PROVIDER_KEY)
    async with running_proxy(rules) as running:
        yield running


async def call(proxy, case, agent=""):
    """Make a call as the agent does, on a host that it calls."""
    host = HOSTS.get(case.path, "api.openai.com")
    headers = {"user-agent": case.user_agent, "authorization": "Bearer k", **case.headers}
    async with proxy.client(agent) as client:
        answer = await client.post(f"https://{host}{case.path}", json=case.body, headers=headers)
    assert answer.status_code == 200, answer.text


def answered(provider):
    """Return the models that were asked, in order."""
    return [request.json()["model"] for request in provider.requests]


def pick(module, *names):
    cases = {case.name.partition(", ")[2]: case for case in module.CASES}
    return [cases[name] for name in names]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (claude_code, ("main", "plan mode", "plan mode left", "title", "sub-agent")),
        (codex, ("turn", "plan mode", "plan mode left", "review", "sub-agent")),
        (opencode, ("title", "plan", "build", "plan by Responses", "subtask", "compaction")),
        (aider, ("architect", "editor", "commit message", "history")),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if hasattr(value, "CASES") else "",
)
async def test_opus_plans_and_glm_codes(provider, proxy, module, names):
    cases = pick(module, *names)
    for case in cases:
        await call(proxy, case)
    expected = [MODELS.get(case.phase, "claude-haiku-5-5") for case in cases]
    assert answered(provider) == expected
    assert set(MODELS.values()) <= set(expected)


@needs_requests
@pytest.mark.parametrize("name", ["codex-1", "codex-2", "opencode-1", "opencode-2", "opencode-3"])
async def test_what_agents_really_sent_goes_where_the_rule_says(provider, proxy, name):
    """Codex codes; opencode first names its session, and then codes."""
    recorded = json.loads((REQUESTS / f"{name}.meta.json").read_text())
    left_out = ("host", "content-length", "content-encoding", "connection", "accept-encoding")
    headers = {key: value for key, value in recorded["headers"] if key.lower() not in left_out}
    body = (REQUESTS / f"{name}.json").read_bytes()
    async with proxy.client() as client:
        url = f"https://api.openai.com{recorded['path']}"
        answer = await client.post(url, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    titled = name.startswith("opencode") and not json.loads(body).get("tools")
    assert answered(provider) == ["claude-haiku-5-5" if titled else "glm-5.3"]


async def test_what_the_proxy_user_says_wins(provider, proxy):
    (planning,) = pick(claude_code, "plan mode")
    await call(proxy, planning, "coder.coding:x@")
    await call(proxy, planning, "coder:x@")
    assert answered(provider) == ["glm-5.3", "claude-opus-5-5"]


async def test_detour_explain_shows_the_phase_of_a_call_that_is_over(provider, proxy):
    (planning,) = pick(claude_code, "plan mode")
    await call(proxy, planning)
    (flow,) = proxy.flows
    assert json.loads(flow.request.content)["model"] == "claude-opus-5-5"
    text = proxy.master.commands.call("detour.explain", [flow])
    assert text.startswith("POST /v1/messages (claude-code, phase planning): route by Opus plans")
