"""Keys from everywhere, under which providers are called; and what is said where one is missing."""

import asyncio
import os

import pytest

from addon.embedded import EmbeddedProvider
from addon.providers import KeyStore
from tests.support.program import DETOUR, ROOT
from tests.support.proxy import AGENT_KEY, running_proxy, server_context

URL = "https://api.openai.com/v1/chat/completions"
RULES = """
version: 1
providers:
  zai: {{base_url: '{url}/v1', formats: [openai-chat]{more}}}
rules:
{rules}
default: 'zai:glm-5.3'
"""
KEY = "sk-0123456789-abcdefghij"
OTHER = "sk-9876543210-jihgfedcba"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, *lines, more=""):
    listed = "\n".join(f"  - {line}" for line in lines) or "  []"
    return RULES.format(url=provider.base_url, rules=listed, more=more)


async def ask(proxy, agent="", model="gpt-5.1"):
    headers = {"authorization": f"Bearer {AGENT_KEY}"}
    async with proxy.client(agent, headers=headers) as client:
        body = {"model": model, "messages": [{"role": "user", "content": "[[say Hi.]]"}]}
        answer = await client.post(URL, json=body)
    told = answer.json().get("error", {}).get("message", "")
    assert not {key for key in (KEY, OTHER, AGENT_KEY) if key in answer.text}
    return answer.status_code, told


def used(provider):
    return [
        request.header("authorization").removeprefix("Bearer ") for request in provider.requests
    ]


async def command(home, *arguments, typed="", **environment):
    """Run `detour` as a program of its own; return its exit code and all that it says."""
    program = await asyncio.create_subprocess_exec(
        *(*DETOUR, *arguments, "--home", str(home)),
        cwd=home.parent,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate(typed.encode())
    assert not {key for key in (KEY, OTHER) if key in said.decode()}
    return program.returncode, said.decode()


async def test_a_key_that_is_stored_counts_at_once_and_a_removed_one_no_more(provider, tmp_path):
    home = tmp_path / "home"
    missing = (
        "no key for zai: set ZAI_API_KEY (or Z_AI_API_KEY) in the environment or in .env beside"
        " rules.yaml, or store the key with `detour keys set zai`"
    )
    async with running_proxy(rules(provider), environment={}, detour_home=str(home)) as proxy:
        assert await ask(proxy) == (401, missing)
        assert not provider.requests
        assert (await command(home, "keys", "set", "zai", typed=KEY))[0] == 0
        assert await ask(proxy) == (200, "")
        assert (await command(home, "keys", "rotate"))[0] == 0
        assert await ask(proxy) == (200, "")
        assert (await command(home, "keys", "remove", "zai"))[0] == 0
        assert await ask(proxy) == (401, missing)
    assert used(provider) == [KEY, KEY]


async def test_edits_by_the_commands_count_from_the_next_call_on(provider, tmp_path):
    home, path = tmp_path / "home", tmp_path / "rules.yaml"
    path.write_text("# ours\n" + rules(provider) + "# the end\n")
    before = path.read_text()
    async with running_proxy(path, environment={"ZAI_API_KEY": KEY, "OURS": OTHER}) as proxy:

        async def edit(*arguments):
            code, said = await command(home, "providers", *arguments, "--rules", str(path))
            assert code == 0, said

        assert await ask(proxy) == (200, "")
        await edit("disable", "zai")
        status, told = await ask(proxy)
        assert (status, "`detour providers enable zai` enables it" in told) == (403, True)
        await edit("enable", "zai")
        assert await ask(proxy) == (200, "")
        url = f"{provider.base_url}/v1"
        await edit("add", "office", "--base-url", url, "--key-variable", "OURS")
        assert await ask(proxy, model="office:ours") == (200, "")
        await edit("remove", "office")
        assert await ask(proxy, model="office:ours") == (200, "")
    asked = [request.json()["model"] for request in provider.requests]
    assert asked == ["glm-5.3", "glm-5.3", "ours", "glm-5.3"]
    assert path.read_text() == before


@pytest.mark.parametrize("damage", ["another master key", "a damaged file", "no key file"])
async def test_a_store_that_cannot_be_opened_is_told_and_whole_again_when_mended(
    provider, tmp_path, damage
):
    home = tmp_path / "home"
    KeyStore(home, {}).set("zai", KEY)
    file = home / ("keys.secret" if damage == "no key file" else "keys.json")
    kept = file.read_bytes()
    environment = {}
    match damage:
        case "another master key":
            environment = {"DETOUR_KEY": "another passphrase here"}
        case "a damaged file":
            file.write_bytes(kept[: len(kept) // 2])
        case _:
            file.unlink()
    text = rules(provider)
    async with running_proxy(text, environment=environment, detour_home=str(home)) as proxy:
        status, told = await ask(proxy)
        assert status == 401
        assert str(home) in told
        assert not provider.requests
        file.write_bytes(kept)
        if not environment:
            assert await ask(proxy) == (200, "")
    async with running_proxy(text, environment={}, detour_home=str(home)) as proxy:
        assert await ask(proxy) == (200, "")
    assert set(used(provider)) == {KEY}


@pytest.mark.parametrize("lacking", ["no key", "a damaged store"])
async def test_the_next_target_is_called_where_the_rule_wants_that(provider, tmp_path, lacking):
    home = tmp_path / "home"
    if lacking == "a damaged store":
        KeyStore(home, {}).set("zai", KEY)
        (home / "keys.json").write_text("{")
    office = f"  office: {{base_url: '{provider.base_url}/v1', api_key: office}}"
    for policy, status in (("", 401), (", fallback: {on: authentication}", 200)):
        text = rules(provider, f"{{use: ['zai:glm-5.3', 'office:glm-5.3']{policy}}}")
        text = text.replace("providers:", f"providers:\n{office}")
        async with running_proxy(text, environment={}, detour_home=str(home)) as proxy:
            assert (await ask(proxy))[0] == status
    assert used(provider) == ["office"]
    assert proxy.flows[0].comment.startswith("gpt-5.1 -> zai:glm-5.3 (authentication) -> office:")


async def test_a_file_beside_the_rules_holds_keys_and_an_edit_of_it_counts_at_once(
    provider, tmp_path
):
    path = tmp_path / "rules.yaml"
    path.write_text(rules(provider))
    (tmp_path / ".env").write_text(f"ZAI_API_KEY={KEY}\n")
    async with running_proxy(path, environment={}) as proxy:
        assert (await ask(proxy))[0] == 200
        (tmp_path / ".env").write_text(f"ZAI_API_KEY={OTHER}\n")
        assert (await ask(proxy))[0] == 200
        (tmp_path / ".env").unlink()
        assert (await ask(proxy))[0] == 401
    assert used(provider) == [KEY, OTHER]


async def test_the_order_in_which_keys_are_looked_for(provider, tmp_path):
    """First the rule, then the provider's entry, the environment, the file, and the store last."""
    home, path = tmp_path / "home", tmp_path / "rules.yaml"
    KeyStore(home, {}).set("zai", "of-the-store")
    variables = {"RULE_KEY": "of-the-rule", "ENTRY_KEY": "of-the-entry"}
    own = rules(provider, "{use: 'zai:glm-5.3', api_key: '${RULE_KEY}'}")
    entry = rules(provider, more=", api_key: '${ENTRY_KEY}'")
    steps = [
        (own, "ZAI_API_KEY=of-the-file", {**variables, "ZAI_API_KEY": "of-the-environment"}),
        (entry, "ZAI_API_KEY=of-the-file", {**variables, "ZAI_API_KEY": "of-the-environment"}),
        (rules(provider), "ZAI_API_KEY=of-the-file", {"ZAI_API_KEY": "of-the-environment"}),
        (rules(provider), "ZAI_API_KEY=of-the-file", {}),
        (rules(provider), "", {}),
    ]
    for text, file, environment in steps:
        path.write_text(text)
        (tmp_path / ".env").write_text(file)
        async with running_proxy(path, environment=environment, detour_home=str(home)) as proxy:
            assert (await ask(proxy))[0] == 200
    places = ["rule", "entry", "environment", "file", "store"]
    assert used(provider) == [f"of-the-{place}" for place in places]


async def test_each_agent_may_have_a_key_of_its_own(provider):
    text = rules(
        provider,
        "{when: {agent: lab}, use: 'zai:glm-5.3', api_key: '${LAB_KEY}'}",
        "{when: {agent: 'team-*'}, use: 'zai:glm-5.3', api_key: '${TEAM_KEY}'}",
    )
    environment = {"LAB_KEY": "lab", "TEAM_KEY": "team", "ZAI_API_KEY": "all"}
    async with running_proxy(text, environment=environment) as proxy:
        for agent in ("lab:x@", "team-a:x@", "team-b:x@", "else:x@", ""):
            assert (await ask(proxy, agent))[0] == 200
    assert used(provider) == ["lab", "team", "team", "all", "all"]


@pytest.mark.parametrize(
    ("setting", "model", "status"),
    [("pass", "openai:gpt-5.5", 200), ("pass", "zai:glm-5.3", 401), ("none", "zai:glm-5.3", 401)],
)
async def test_the_agents_own_key_goes_only_where_it_was_sent(setting, model, status):
    """`pass` is a setting of a provider too; `none` sends no key, not even the agent's."""
    context = server_context("api.openai.com", "api.z.ai")
    zai = f"{{api_key: {setting}, base_url: 'https://api.z.ai/v1'}}"
    text = (
        f"version: 1\nproviders:\n  openai: {{api_key: {setting}}}\n  zai: {zai}\n"
        f"rules: [{{use: '{model}'}}]\n"
    )
    async with EmbeddedProvider(certificate=context) as everybody:
        hosts = dict.fromkeys(("api.openai.com", "api.z.ai"), ("127.0.0.1", everybody.port))
        environment = {"ZAI_API_KEY": KEY, "OPENAI_API_KEY": KEY}
        async with running_proxy(text, hosts=hosts, environment=environment) as proxy:
            assert (await ask(proxy))[0] == status
        sent = "".join(str(request.headers) for request in everybody.requests)
        assert (AGENT_KEY in sent) == (status == 200)
        assert KEY not in sent
