"""The views as people meet them: a live Detour with mitmweb, in a real browser."""

import re
import threading

import pytest

from addon.authority import authority_certificate
from tests.support.live_agent import RULES, Agent
from tests.support.mitmweb import Mitmweb, until
from tests.support.program import (
    AGENT_KEY,
    PROVIDER_KEY,
    Machine,
    background_provider,
    listening_at,
)

SERVE = ("serve", "--ui", "web", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's home in which the authority is made already."""
    folder = tmp_path_factory.mktemp("home")
    authority_certificate(folder / ".mitmproxy")
    return folder


@pytest.fixture
def machine(home, tmp_path):
    return Machine(home, tmp_path)


@pytest.fixture
def provider():
    with background_provider() as running:
        yield running


@pytest.fixture
def detour(machine, provider, browser):
    """A running Detour: the agent, and mitmweb's page."""
    rules = machine.folder / "rules.yaml"
    rules.write_text(RULES.format(url=provider.base_url, key=PROVIDER_KEY))
    with machine.start(*SERVE) as process:
        agent = Agent(machine, listening_at(process))
        yield agent, Mitmweb(browser, watched_at(process))


def watched_at(process):
    return re.search(r"http\S+", process.stdout.readline()).group()


def test_an_answer_fills_in_while_it_comes(detour, provider, browser):
    agent, page = detour
    text = "[[gate]] [[events 3]] [[say alpha beta gamma]]"
    asking = threading.Thread(target=agent.ask, args=(text,))
    asking.start()
    try:
        page.open_flow()
        page.open_tab("Response")
        until(lambda: "alpha" in page.text())
        assert "gamma" not in page.text()
        assert "still answering" in page.text()
        page.choose_view("detour")
        assert "still answering" in page.text()
        assert "first token" in page.text()
        assert "end " not in page.text()
        page.choose_view("detour streams")
        assert '"text":"alpha' in page.text()
        page.choose_view("detour conversation")
        provider.open_gate()
        until(lambda: "alpha beta gamma" in page.text())
        until(lambda: "ended: stop" in page.text())
    finally:
        provider.open_gate()
        asking.join()
    assert browser.errors() == []


def test_the_fitting_view_is_chosen_and_others_are_in_the_list(detour, browser):
    agent, page = detour
    agent.ask(
        "Where to? [[slow 0.01]] [[events 1]] [[think Warm.]] [[say Lisbon.]]"
        ' [[tool get_weather {"city": "Lisbon"}]]'
    )
    page.open_flow()
    assert until(page.view_name) == "Detour conversation"
    asked = page.text()
    assert "system:\n  You plan trips." in asked
    assert "user:\n  Where to?" in asked
    assert "tools: get_weather" in asked
    page.open_tab("Response")
    until(lambda: "Warm." in page.text())
    answered = page.text()
    assert page.view_name() == "Detour conversation"
    assert "calls get_weather:" in answered
    assert '{"city":"Lisbon"}' in answered
    assert "ended: tool_calls" in answered
    ours = [name for name in page.views() if name.startswith("detour")]
    assert ours == [
        "detour",
        "detour agent request",
        "detour comparison",
        "detour conversation",
        "detour request as sent",
        "detour streams",
    ]
    page.choose_view("detour")
    overview = page.text()
    assert "planner" in overview
    assert "plan with Sonnet" in overview
    assert "# not only o3: " in overview
    assert "anthropic:claude-sonnet-4-5 at http://127.0.0.1" in overview
    assert re.search(r"tokens: +\d+ read, \d+ written", overview)
    assert re.search(r"cost: +\$0\.\d+", overview)
    assert "- seed: dropped" in overview
    page.choose_view("detour streams")
    streams = page.text()
    assert "anthropic:claude-sonnet-4-5 (anthropic)" in streams
    assert "agent (openai-chat)" in streams
    assert re.search(r"\d\.\d{3}  event: message_start", streams)
    assert '"text":"Lisbon."' in streams
    assert '"content":"Lisbon."' in streams
    assert "data: [DONE]" in streams
    page.choose_view("detour agent request")
    assert "POST https://api.openai.com/v1/chat/completions" in page.text()
    assert "(hidden by Detour)" in page.text()
    page.choose_view("detour request as sent")
    assert "/v1/messages" in page.text()
    assert '"model": "claude-sonnet-4-5"' in page.text()
    assert browser.errors() == []


def test_a_failure_says_first_what_became_of_it(detour, browser):
    agent, page = detour
    agent.ask("[[error 529 overloaded_error]]")
    agent.ask("hello", model="o3-mini")
    page.open_flow(0)
    page.open_tab("Response")
    until(lambda: page.view_name() == "Detour")
    assert "overloaded" in page.text()
    page.open_flow(1)
    until(lambda: "refused" in page.text())
    assert "only o3" in page.text()
    assert browser.errors() == []


def test_flows_are_found_by_what_became_of_them(detour, browser):
    agent, page = detour
    agent.ask("[[say one]]")
    agent.ask("[[say two]]", agent="coder", model="gpt-4o")
    until(lambda: len(page.rows()) == 2)
    sonnet, haiku = "anthropic:claude-sonnet-4-5", "other:claude-haiku-4-5"
    for expression, found in {
        "~comment other:": haiku,
        "~comment claude-sonnet": sonnet,
        '~comment "gpt-4o ->"': haiku,
        '~comment "plan with Sonnet"': sonnet,
    }.items():
        page.search(expression)
        until(lambda: len(page.rows()) == 1)
        assert found in page.rows()[0], expression
        page.search("")
        until(lambda: len(page.rows()) == 2)
    for words, found in {
        "detour.agent: planner": sonnet,
        "detour.provider: other": haiku,
        "detour.model: claude-sonnet": sonnet,
        "detour.requested_model: gpt-4o": haiku,
        "detour.rule: the rest": haiku,
    }.items():
        page.command(f"view.filter.set '~meta \"{words}\"'")
        until(lambda: len(page.rows()) == 1)
        assert found in page.rows()[0], words
        page.command("view.filter.set '~all'")
        until(lambda: len(page.rows()) == 2)
    assert browser.errors() == []


def test_another_model_answers_and_is_compared(detour, browser):
    agent, page = detour
    agent.ask("Where to? [[say Lisbon.]]")
    page.open_flow()
    told = page.command("detour.explain @all")
    assert "route by plan with Sonnet" in told
    told = page.command("detour.replay @all other:claude-haiku-4-5")
    assert "Sent again to other:claude-haiku-4-5" in told
    until(lambda: len(page.rows()) == 2 and "200" in page.rows()[1])
    assert "other:claude-haiku-4-5 (detour.replay)" in page.rows()[1]
    told = page.command("detour.compare @all")
    assert "target: anthropic:claude-sonnet-4-5 | other:claude-haiku-4-5" in told
    assert "says: the same" in told
    page.open_flow(1)
    page.open_tab("Response")
    page.choose_view("detour comparison")
    assert "says (both the same):" in page.text()
    assert "Lisbon." in page.text()
    told = page.command("detour.replay @all nobody:x")
    assert "requires one flow" in told
    assert browser.errors() == []


def test_a_saved_file_shows_the_same_elsewhere_and_holds_no_key(detour, machine, browser):
    agent, page = detour
    agent.ask("Where to? [[think Warm places.]] [[say Lisbon.]]")
    page.open_flow()
    names = ("detour", "detour conversation", "detour streams", "detour request as sent")

    def shown(page):
        page.open_tab("Response")
        texts = {}
        for name in names:
            page.choose_view(name)
            texts[name] = page.text()
        return texts

    before = shown(page)
    script = "return fetch('./flows/dump').then(a => a.blob()).then(b => b.arrayBuffer())"
    content = bytes(browser.driver.execute_script(f"{script}.then(b => [...new Uint8Array(b)])"))
    assert b"Lisbon." in content
    assert AGENT_KEY.encode() not in content
    assert PROVIDER_KEY.encode() not in content
    file = machine.folder / "flows"
    file.write_bytes(content)
    with machine.start(*SERVE, "--", "-r", str(file)) as process:
        listening_at(process)
        other = Mitmweb(browser, watched_at(process))
        other.open_flow()
        assert shown(other) == before
