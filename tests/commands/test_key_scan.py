"""Everything at once in a real process, and then a search for keys in all that is left."""

import asyncio
import json
import re
import ssl
import stat

import httpx2
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.collector import running_collector
from tests.support.dashboard import Page
from tests.support.key_session import (
    ENVIRONMENT,
    KEYS,
    echo,
    find_keys,
    hold_session,
    write_key_rules,
)
from tests.support.program import Machine, listening_at
from tests.support.servers import ScriptedServer

DASHBOARD = "The dashboard is at "
IN_RULES = ("rules.yaml", "header")
"""What the author has written into the file itself, and so into its backup."""
PATHS = (
    *("status", "exchanges", "exchanges?limit=500", "names", "rules", "schema", "providers"),
    *("targets", "targets?ask=1", "usage?by=rule", "usage/series", "troubles"),
)


async def open_page(page: Page) -> list[str]:
    """Read and edit all that the dashboard shows; return what it said."""
    told = [(await page.ask("GET", path)).text for path in PATHS]
    for exchange in (await page.get("exchanges?limit=500"))["exchanges"][:20]:
        told.append((await page.ask("GET", f"exchanges/{exchange['id']}")).text)
    for name in ("ruled", "stored", "echo", "zai", "anthropic"):
        told.append((await page.ask("GET", f"providers/{name}")).text)
        told.append((await page.ask("POST", f"providers/{name}/verify", {"model": "m"})).text)
    for model in ("team-1", "ruled-1", "stored-1", "dotenv-1"):
        told.append((await page.ask("POST", "rules/try", {"model": model})).text)
    revision = await page.revision()
    edit = {"revision": revision, "title": "Ours"}
    told.append((await page.ask("PATCH", "providers/ruled", edit)).text)
    told.append((await page.ask("PATCH", "providers/ruled", edit)).text)  # a conflict
    broken = {"revision": await page.revision(), "use": "nobody-knows:m"}
    told.append((await page.ask("PATCH", "rules/0", broken)).text)
    return told


async def listen(page: Page, heard: list[str]) -> None:
    url = f"{page.origin}/detour/api/stream"
    async with page.client.stream("GET", url, timeout=None) as answer:
        async for line in answer.aiter_lines():
            heard.append(line)


@pytest.mark.parametrize("content", ["false", "true"], ids=["without what was said", "with it"])
async def test_nothing_that_a_real_process_leaves_holds_a_key(tmp_path, content):
    machine = Machine(tmp_path / "home", tmp_path / "work")
    for folder in (machine.home, machine.folder):
        folder.mkdir()
    rules, flows = machine.folder / "rules.yaml", tmp_path / "flows"
    (machine.folder / ".env").write_text(f"ZAI_API_KEY={KEYS['.env']}\n")
    log = tmp_path / "proxy.log"
    heard, said = [], []
    async with EmbeddedProvider() as provider, ScriptedServer(echo) as scripted:
        rules.write_text(write_key_rules(provider.base_url, scripted.url))
        rules.chmod(0o600)

        async def run(*arguments, **more):
            ended = await asyncio.to_thread(machine.run, *arguments, **ENVIRONMENT, **more)
            assert "Traceback" not in ended.stderr, ended.stderr
            said.append((arguments, f"{ended.stdout}\n{ended.stderr}"))

        with running_collector() as collector:
            options = {
                "save_stream_file": flows,
                "detour_events": tmp_path / "events.jsonl",
                "detour_telemetry": collector.url,
                "detour_telemetry_with_prompts_and_answers": content,
                "web_open_browser": "false",
                "termlog_verbosity": "debug",
            }
            sets = [
                word for name, value in options.items() for word in ("--set", f"{name}={value}")
            ]
            only = ("--only", "keys", "--only", "rules", "--only", "providers")
            ports = ("--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
            with machine.start("serve", *ports, "--", *sets, **ENVIRONMENT) as process:
                proxy = await asyncio.to_thread(listening_at, process)
                line = await asyncio.to_thread(process.stdout.readline)
                while DASHBOARD not in line:
                    line = await asyncio.to_thread(process.stdout.readline)
                address = re.sub(r".*(?=http://)", "", line).strip()
                authority = machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
                trusted = ssl.create_default_context(cafile=str(authority))
                async with (
                    httpx2.AsyncClient(trust_env=False, timeout=20) as visitor,
                    httpx2.AsyncClient(
                        proxy=f"http://{proxy}", verify=trusted, trust_env=False, timeout=20
                    ) as client,
                ):
                    page = Page(address, visitor)
                    await page.enter()
                    listening = asyncio.create_task(listen(page, heard))
                    await page.write("PUT", "providers/stored/key", {"key": KEYS["store"]})
                    told = await hold_session(client)
                    shown = await open_page(page)
                    await asyncio.gather(
                        run("verify", "--json"),
                        run("usage", "--by", "rule"),
                        run("providers", "--json"),
                        run("doctor", "--json", "--no-network", *only),
                    )
                    listening.cancel()
                process.terminate()
                output, errors = await asyncio.to_thread(process.communicate)
            log.write_text(output + errors)
        sent = "".join(str(request.headers) for request in provider.requests)
    used = {name for name in KEYS if KEYS[name] in sent}
    assert used >= {"rules.yaml", "environment", "a rule", "store", "header", ".env"}
    assert len(told) > 30
    assert any("exchange" in line for line in heard)
    assert collector.spans
    exported = b"".join(collector.bodies) + json.dumps(collector.headers).encode()
    assert (b"Hello" in exported) is (content == "true")
    for place, found in {
        "answers": told,
        "the dashboard": shown,
        "its events": heard,
        "commands": said,
        "spans": exported,
    }.items():
        assert not find_keys(found), (place, find_keys(found))
    assert set(find_keys(rules.read_bytes())) == set(IN_RULES)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = {path.name for path in left}
    assert names >= {"detour.db", "vault.db", "flows", "events.jsonl", "rules.yaml.before"}
    for path in left:
        own = {"rules.yaml": IN_RULES, "rules.yaml.before": IN_RULES, ".env": (".env",)}
        assert not find_keys(path.read_bytes(), but=own.get(path.name, ())), path
        if path.name in own and path.name != ".env":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
