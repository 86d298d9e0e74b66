"""Whatever is sent: an error in JSON that blames the sender, valid rules, and no key."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.dashboard.operations import ROUTER
from addon.providers import KeyStore
from addon.rules import load_rules
from addon.rules.provider_definitions import PROVIDER
from addon.rules.rule_definitions import RULE
from addon.rules.rule_edits import rules_in
from tests.laws.random_rules import broken_texts, entries, rules_files
from tests.support.dashboard import Page, running_dashboard
from tests.support.proxy import PROVIDER_KEY, Proxy

LITERAL = "sk-literal-0123456789abcdefghij"
SHORT = "hush-hush"
STORED = "sk-stored-0123456789abcdefghij"
SECRETS = (LITERAL, SHORT, STORED, PROVIDER_KEY)
RULES = f"""\
version: 1
providers:
  zai: {{api_key: {LITERAL}, headers: {{x-secret: {SHORT}}}, models: [a, {{id: b/c}}]}}
  mine: {{base_url: "http://127.0.0.1:9/v1", api_key: none, models: [m]}}
rules:
  # one
  - {{name: one, when: {{model: "gpt-*"}}, use: zai:a, api_key: {LITERAL}}}

  - name: two
    use: [mine:m, "anthropic:claude-sonnet-5-5"]
"""


class Lab:
    """A dashboard in an event loop of its own, for examples one after the other."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.context = running_dashboard(
            RULES, environment={"ANTHROPIC_API_KEY": PROVIDER_KEY}, expected_errors=True
        )
        self.page: Page
        self.proxy: Proxy
        self.page, self.proxy = self.runner.run(self.context.__aenter__())
        self.home = self.proxy.interceptor._read_settings().home
        KeyStore(self.home).set("google", STORED)

    def send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        url = f"{self.page.origin}/detour/api/{path}"
        return self.runner.run(self.page.client.request(method, url, **more))

    def write(self, method: str, path: str, body: dict[str, Any]) -> httpx2.Response:
        headers = {**self.page.headers, "Content-Type": "application/json"}
        return self.send(method, path, content=json.dumps(body), headers=headers)

    def reset(self) -> str:
        self.proxy.rules.write_text(RULES)
        return self.runner.run(self.page.revision())

    def close(self) -> None:
        self.runner.run(self.context.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab()
    yield lab
    lab.close()


def check(lab: Lab, answer: httpx2.Response) -> None:
    """Hold what must be so of every answer."""
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    document = answer.json()
    if answer.status_code >= 400:
        assert isinstance(document["error"]["message"], str)
        assert isinstance(document["error"].get("field", ""), str)
    for secret in SECRETS:
        assert secret not in answer.text
    assert not lab.proxy.logs.errors, lab.proxy.logs.errors
    load_rules(lab.proxy.rules.read_text(), "rules.yaml", {"ANTHROPIC_API_KEY": "k"})


names = st.sampled_from(
    ["zai", "mine", "google", "nobody", "0", "1", "2", "a", "b%2Fc", "m", "%00"]
)
texts = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars | st.sampled_from(["pass", "zai:a", "mine:*", "none", "<kept:0123456789ab>", "${X}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    re.findall(
        r"\w+",
        """revision rule at from to default text dry_run enabled use name when set drop limit
        api_key id base_url formats models headers title region timeouts key model format price
        context features endpoint agent body provider index line concurrency dialect fallback""",
    )
)
bodies = st.dictionaries(keys | texts, values, max_size=6)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str]:
    method, parts, _ = draw(st.sampled_from(ROUTER.routes))
    path = "/".join(draw(names) if part.startswith("{") else part for part in parts)
    return method, path


@given(request=requests(), body=bodies, current=st.booleans())
def test_any_json_to_any_operation(
    lab: Lab, request: tuple[str, str], body: dict[str, Any], current: bool
) -> None:
    method, path = request
    if path == "targets?ask=true" or path.endswith("/verify"):
        body = {"format": "telex"}  # nobody is to be asked
    revision = lab.reset()
    if current:
        body = {**body, "revision": revision}
    check(lab, lab.write(method, path, body))


@given(
    entry=entries(RULE),
    request=st.sampled_from(["POST rules", "PUT rules/0", "PUT rules/1", "PATCH rules/0"]),
)
def test_any_rule(lab: Lab, entry: dict[str, Any], request: str) -> None:
    method, _, path = request.partition(" ")
    revision = lab.reset()
    body = entry if method == "PATCH" else {"rule": entry}
    answer = lab.write(method, path, {**body, "revision": revision})
    check(lab, answer)
    text = lab.proxy.rules.read_text()
    if answer.status_code == 200:
        assert "# one" in text
        assert f"{{x-secret: {SHORT}}}" in text
        given = {key: value for key, value in entry.items() if value is not None}
        written = rules_in(text)[answer.json()["index"]]
        if method != "PATCH":
            assert {"enabled": True, **written} == {"enabled": True, **given}
    else:
        assert text == RULES


@given(
    entry=entries(PROVIDER),
    request=st.sampled_from(["POST providers", "PATCH providers/mine", "PATCH providers/groq"]),
    name=st.sampled_from(["groq", "new", "mine"]),
)
def test_any_provider(lab: Lab, entry: dict[str, Any], request: str, name: str) -> None:
    method, _, path = request.partition(" ")
    revision = lab.reset()
    body = {**entry, "id": name} if method == "POST" else entry
    answer = lab.write(method, path, {**body, "revision": revision})
    check(lab, answer)
    text = lab.proxy.rules.read_text()
    if answer.status_code == 200:
        assert "# one" in text
        assert rules_in(text) == rules_in(RULES)
        assert answer.json() == lab.send("GET", f"providers/{answer.json()['id']}").json()
    else:
        assert text == RULES


@given(request=requests(), body=st.binary(max_size=200))
def test_any_bytes_to_any_operation(lab: Lab, request: tuple[str, str], body: bytes) -> None:
    method, path = request
    if path.endswith("/verify"):
        return
    lab.reset()
    headers = {**lab.page.headers, "Content-Type": "application/json"}
    check(lab, lab.send(method, path, content=body, headers=headers))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"))
    | st.lists(names, max_size=5).map("/".join),
    query=st.dictionaries(
        st.sampled_from(["limit", "since", "by", "before", "status", "bucket", "text", "ask"])
        | texts,
        texts,
        max_size=3,
    ),
)
def test_any_path_and_query(lab: Lab, method: str, path: str, query: dict[str, str]) -> None:
    if path.strip("/") in ("stream", "targets"):
        return
    answer = lab.send(method, path, params=query, headers=lab.page.headers)
    assert answer.status_code < 500
    if method not in ("HEAD", "TRACE") and b"/detour/api/" in answer.request.url.raw_path:
        check(lab, answer)


@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "limit",
                "since",
                "by",
                "before",
                "status",
                "bucket",
                "text",
                "agent",
                "provider",
                "model",
                "rule",
            ]
        ),
        texts
        | st.sampled_from(["7d", "1", "ok", "hour", "agent", "99999d", "2026-01-01", "*", "["]),
        max_size=4,
    ),
    path=st.sampled_from(["exchanges", "usage", "usage/series", "troubles", "names"]),
)
def test_any_query_of_what_was_recorded(lab: Lab, path: str, query: dict[str, str]) -> None:
    check(lab, lab.send("GET", path, params=query))


@given(text=st.one_of(rules_files(), broken_texts(), st.text(max_size=60)))
def test_any_text_as_the_rules_file(lab: Lab, text: str) -> None:
    revision = lab.reset()
    check(lab, lab.write("PUT", "rules/text", {"revision": revision, "text": text}))
    for path in ("rules", "providers", "targets", "status"):
        answer = lab.send("GET", path)
        assert answer.status_code == 200
    tried = {"model": "gpt-5", "text": text}
    check(lab, lab.write("POST", "rules/try", tried))


@given(text=st.one_of(broken_texts(), st.binary(max_size=60)))
def test_any_file_on_disk(lab: Lab, text: str | bytes) -> None:
    lab.proxy.rules.write_bytes(text.encode() if isinstance(text, str) else text)
    for path in ("rules", "providers", "providers/zai", "targets", "status", "schema"):
        answer = lab.send("GET", path)
        assert answer.status_code == 200, answer.text
    body = {"revision": answer.headers.get("x", "0"), "enabled": False}
    for method, path in (("PATCH", "rules/0"), ("PATCH", "providers/zai")):
        assert lab.send(method, path, json=body, headers=lab.page.headers).status_code < 500


def test_too_much_is_refused_without_being_kept(lab: Lab) -> None:
    headers = {**lab.page.headers, "Content-Type": "application/json"}
    answer = lab.send("POST", "rules", content=b" " * (3 << 20), headers=headers)
    assert answer.status_code == 413
    deep = b"[" * 100_000
    assert lab.send("POST", "rules", content=deep, headers=headers).status_code == 400


def test_no_answer_holds_a_key(lab: Lab) -> None:
    lab.reset()
    for method, parts, _ in ROUTER.routes:
        if method != "GET":
            continue
        for name in ("zai", "google", "anthropic"):
            path = "/".join(name if part.startswith("{") else part for part in parts)
            answer = lab.send("GET", path)
            assert not [secret for secret in SECRETS if secret in answer.text], path
    assert not [s for s in SECRETS if s in "\n".join(lab.proxy.logs.lines)]


def test_raw_nonsense_on_the_port_harms_nothing(lab: Lab) -> None:
    host, port = lab.page.origin.removeprefix("http://").split(":")

    async def send(data: bytes) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()

    for data in (
        b"\x00\xff\r\n\r\n",
        b"GET /detour/api/status HTTP/1.1\r\n\r\n",
        b"POST /detour/api/rules HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /detour/api/rules HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /detour/api/stream HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"GET " + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ):
        lab.runner.run(send(data))
    assert lab.send("GET", "status").status_code == 200
    assert not lab.proxy.logs.errors
