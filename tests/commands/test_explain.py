import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.ledger import Ledger, Record, timestamp
from addon.rules.rule_definitions import ENDPOINTS
from tests.rules.phases import codex

RULES = """
version: 1
providers:
  gateway:
    base_url: http://gateway.example/v1
    api_key: sk-secret-in-the-file
    headers: {x-token: sk-secret-header}
  keyless: {base_url: "http://keyless.example/v1", api_key: none}
rules:
  - name: plan
    when: {agent: planner}
    use: anthropic:claude-opus-5-5
  - name: tools
    when: {has: tools, endpoint: chat}
    use: gateway:big
    set: {temperature: 0.5}
    drop: [user]
  - name: long
    when: {input_tokens: "> 1000"}
    use: keyless:long
  - name: header
    when: {header: {x-phase: act*}}
    use: block
  - name: filtered
    when: {filter: "~hq x-debug & ~m POST & ~u completions"}
    use: keyless:debug
  - name: own
    when: {provider: gateway}
    use: anthropic:claude-haiku-5-5
default: pass
"""
SHIPPED = Path(__file__).parents[2] / "rules.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def run(*arguments, stdin=None):
    result = CliRunner().invoke(detour, ["explain", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "sk-secret" not in result.output
    return result


def explain(*arguments, stdin=None):
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def body(**fields):
    message = {"role": "user", "content": "Hello"}
    return json.dumps({"model": "gpt-5", "messages": [message], **fields}).encode()


def test_it_says_which_rule_applies_and_why_earlier_ones_do_not():
    found = explain("--model", "gpt-5", "--header", "X-Phase=action", "--agent", "codex")
    assert (found["action"], found["rule"], found["line"]) == ("block", "header", 21)
    assert found["trace"] == [
        {"rule": "plan", "matched": False, "reason": "agent codex does not match planner"},
        {"rule": "tools", "matched": False, "reason": "the request has no tools"},
        {"rule": "long", "matched": False, "reason": "about 1 input tokens, not > 1000"},
        {"rule": "header", "matched": True, "reason": ""},
    ]
    assert found["request"] is None


def test_it_shows_what_would_be_sent():
    found = explain("--model", "gpt-5", "--agent", "planner")
    assert found["destinations"] == [
        {
            "provider": "anthropic",
            "model": "claude-opus-5-5",
            "format": "anthropic",
            "base_url": "https://api.anthropic.com",
        }
    ]
    sent = found["request"]
    assert (sent["method"], sent["url"]) == ("POST", "https://api.anthropic.com/v1/messages")
    assert sent["headers"]["x-api-key"] == "<key from ANTHROPIC_API_KEY>"
    assert sent["headers"]["anthropic-version"]
    assert sent["body"]["model"] == "claude-opus-5-5"
    assert sent["body"]["messages"][0]["role"] == "user"
    assert found["error"] is None


def test_a_body_is_looked_into_and_the_rules_edits_are_applied(folder):
    tool = {"type": "function", "function": {"name": "t", "parameters": {"type": "object"}}}
    (folder / "body.json").write_bytes(body(tools=[tool], temperature=1, user="me"))
    found = explain("--body", "body.json")
    assert found["rule"] == "tools"
    sent = found["request"]
    assert sent["url"] == "http://gateway.example/v1/chat/completions"
    assert sent["headers"]["authorization"] == "Bearer <key from rules.yaml>"
    assert sent["headers"]["x-token"] == "<from rules.yaml>"
    assert sent["body"]["model"] == "big"
    assert sent["body"]["temperature"] == 0.5
    assert "user" not in sent["body"]


def test_the_body_may_come_from_standard_input_and_its_model_be_replaced():
    found = explain("--body", "-", "--model", "gpt-6", stdin=body(user="x" * 10))
    assert found["call"]["model"] == "gpt-6"
    long = explain("--body", "-", stdin=body(messages=[{"role": "user", "content": "a" * 9000}]))
    assert long["rule"] == "long"
    assert "authorization" not in long["request"]["headers"]


def test_losses_are_listed(folder):
    (folder / "body.json").write_bytes(body(logit_bias={"1": 2}))
    arguments = ("--body", "body.json", "--agent", "planner")
    losses = explain(*arguments)["request"]["losses"]
    assert {"field": "logit_bias", "action": "dropped"}.items() <= losses[0].items()
    assert losses[0]["reason"]
    text = run(*arguments).stdout
    assert "Not as the agent meant it:\n  logit_bias: dropped; " in text


def test_filters_see_the_call():
    assert explain("--model", "m", "--header", "x-debug=1")["rule"] == "filtered"
    messages = explain("--model", "m", "--header", "x-debug=1", "--endpoint", "messages")
    assert messages["rule"] == "default"


def test_the_agent_is_known_by_its_user_agent():
    found = explain("--model", "m", "--header", "User-Agent=OpenAI/Python 3.52.0")
    assert found["call"]["agent"] == "openai-python"
    assert found["trace"][0]["reason"] == "agent openai-python does not match planner"


def test_the_provider_called_follows_from_the_endpoint_or_is_given():
    assert explain("--model", "m")["call"]["provider"] == "openai"
    assert explain("--model", "m", "--endpoint", "messages")["call"]["provider"] == "anthropic"
    assert explain("--model", "m", "--provider", "gateway")["rule"] == "own"


def test_an_agent_of_the_providers_own_format_is_left_in_it():
    found = explain("--model", "claude-a", "--endpoint", "messages", "--agent", "planner")
    assert found["request"]["body"] == {
        "model": "claude-opus-5-5",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello"}],
    }


def test_a_missing_key_is_told_without_hiding_the_rest(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    found = explain("--model", "m", "--agent", "planner")
    assert found["error"].startswith("no key for anthropic: set ANTHROPIC_API_KEY")
    assert found["request"]["headers"]["x-api-key"] == "<missing>"


def test_content_that_cannot_be_expressed_is_told(folder):
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    content = [{"role": "user", "content": [audio]}]
    (folder / "body.json").write_bytes(body(messages=content))
    found = explain("--body", "body.json", "--agent", "planner")
    assert "input_audio" in found["error"]
    assert found["request"] is None


@pytest.mark.parametrize("known_by", [("--agent", "codex"), ("--header", "User-Agent=codex/0.169")])
def test_the_phase_of_a_request_is_shown(folder, known_by):
    (case,) = [case for case in codex.CASES if case.name == "codex, plan mode"]
    (folder / "body.json").write_text(json.dumps(case.body))
    arguments = ("--endpoint", "responses", "--body", "body.json", *known_by)
    assert explain(*arguments)["call"]["phase"] == "planning"
    first = run(*arguments).stdout.splitlines()[0]
    assert first == "codex calls openai: POST /v1/responses, model gpt-6.1-sol, phase planning"


def test_the_agents_name_may_say_the_phase():
    found = explain("--model", "m", "--agent", "planner.review")
    assert (found["rule"], found["call"]["phase"]) == ("plan", "review")


def test_people_get_text():
    result = run("--model", "gpt-5", "--agent", "planner")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "planner calls openai: POST /v1/chat/completions, model gpt-5, phase other\n"
        "\n"
        "  line 10, plan: applies\n"
        "\n"
        "The call would go to anthropic:claude-opus-5-5,"
        " translated from openai-chat to anthropic.\n"
        "\n"
        "POST https://api.anthropic.com/v1/messages\n"
    )
    assert "\nx-api-key: <key from ANTHROPIC_API_KEY>\n" in result.stdout


def test_people_get_long_texts_shortened():
    text = run("--body", "-", "--agent", "planner", stdin=body(user="u" * 9000)).stdout
    assert "... (9000 characters)" in text or "u" * 400 not in text


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (
            ["--model", "m"],
            "  default applies\n\nThe call would pass unchanged to where the agent sends it.\n",
        ),
        (["--model", "m", "--header", "x-phase=act"], "\n\nThe call would be refused.\n"),
    ],
)
def test_people_are_told_what_happens_to_calls_that_go_nowhere(arguments, ending):
    assert run(*arguments).stdout.endswith(ending)


def test_addresses_that_rules_do_not_know_are_told_apart():
    found = explain("--endpoint", "files", "--provider", "anthropic")
    assert found["note"] == (
        "Rules do not apply to POST /v1/files at api.anthropic.com: such a call passes unchanged."
    )


def test_the_shipped_rules_send_openai_calls_to_claude():
    found = explain("--model", "gpt-5", "--rules", str(SHIPPED))
    assert found["rule"] == "all other OpenAI models"
    assert found["request"]["url"] == "https://api.anthropic.com/v1/messages"
    assert found["error"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model", "m", "--endpoint", "chats"],
        ["--model", "m", "--header", "no-value"],
        ["--model", "m", "--provider", "nobody"],
        ["--body", "absent.json"],
        ["--model", "m", "surplus"],
    ],
)
def test_wrong_usage(arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("rules", "stdin", "message"),
    [
        ("version: 3\n", body(), "rules.yaml:1:10: version: expected 1, found a number"),
        (RULES, b"not JSON", "Error: the body names no model; give one with --model"),
        (RULES, b"{}", "Error: the body names no model; give one with --model"),
    ],
)
def test_what_cannot_be_explained(folder, rules, stdin, message):
    (folder / "rules.yaml").write_text(rules)
    result = run("--body", "-", stdin=stdin)
    assert result.exit_code == 1
    assert result.stderr == f"{message}\n"


def test_it_names_what_comes_after_a_target_that_fails(folder):
    rules = "version: 1\nrules: [{use: ['zai:a', 'groq:b'], fallback: {on: context_length}}]\n"
    (folder / "rules.yaml").write_text(rules)
    result = CliRunner().invoke(detour, ["explain", "--model", "gpt-5"])
    assert "The call would go to zai:a" in result.stdout
    assert "Then, one after the other, to groq:b, after conflict, connect, context_length," in (
        result.stdout
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_that_rules_know(endpoint):
    found = explain("--model", "m", "--endpoint", endpoint)
    assert found["call"]["endpoint"] == endpoint
    assert found["note"] or found["action"] in ("pass", "route")


@pytest.mark.parametrize(
    ("use", "endpoint", "url"),
    [
        ("gateway:big", "embeddings", "http://gateway.example/v1/embeddings"),
        ("gateway:big", "audio/transcriptions", "http://gateway.example/v1/audio/transcriptions"),
        ("gateway:big", "realtime", "http://gateway.example/v1/realtime?model=big"),
        ("gateway:big", "other/evals", "http://gateway.example/v1/evals"),
    ],
)
def test_endpoints_in_which_nothing_is_translated(folder, use, endpoint, url):
    when = endpoint.partition("/")[0]
    rule = f"rules: [{{name: there, when: {{endpoint: {when}}}, use: '{use}'}}]\n"
    (folder / "rules.yaml").write_text(RULES.partition("rules:")[0] + rule)
    found = explain("--model", "m", "--endpoint", endpoint)
    assert (found["rule"], found["request"]["url"]) == ("there", url)
    assert found["request"]["headers"]["authorization"] == "Bearer <key from rules.yaml>"
    text = run("--model", "m", "--endpoint", endpoint).stdout
    assert "The call would go to gateway:big, as it is." in text


@pytest.mark.parametrize(
    ("use", "endpoint", "asked", "url"),
    [
        (
            "mistral:codestral-latest",
            "completions",
            {"prompt": "a", "suffix": "b"},
            "https://api.mistral.ai/v1/fim/completions",
        ),
        (
            "google:gemini-embedding-2",
            "embeddings",
            {"input": "a"},
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-2"
            ":batchEmbedContents",
        ),
    ],
)
def test_what_a_provider_is_asked_in_its_own_words(folder, use, endpoint, asked, url):
    rule = f"rules: [{{name: there, when: {{endpoint: {endpoint}}}, use: '{use}'}}]\n"
    (folder / "rules.yaml").write_text(RULES.partition("rules:")[0] + rule)
    body = folder / "body.json"
    body.write_text(json.dumps({"model": "m", **asked}))
    text = run("--endpoint", endpoint, "--body", str(body)).stdout
    assert f"The call would go to {use}, in its own words." in text
    assert f"POST {url}" in text


def test_a_target_that_lacks_the_endpoint_is_told(folder):
    rule = "rules: [{when: {endpoint: files}, use: 'anthropic:claude-opus-5-5'}]\n"
    (folder / "rules.yaml").write_text("version: 1\n" + rule)
    assert "does not offer POST /v1/files" in explain("--endpoint", "files")["error"]


def test_lists_of_models(folder):
    assert "list of all models" in explain("--endpoint", "models")["note"]
    rule = "rules: [{name: lists, when: {endpoint: models}, use: 'zai:*'}]\n"
    (folder / "rules.yaml").write_text("version: 1\n" + rule)
    found = explain("--endpoint", "models", "--model", "glm-5.3")
    assert (found["rule"], found["note"]) == (
        "lists",
        "Detour itself would answer with the models of zai.",
    )


def test_a_target_that_cannot_take_the_call_is_passed_over_as_the_proxy_does(folder):
    rules = "version: 1\nrules: [{use: ['anthropic:gpt-4', 'anthropic:claude-opus-5-5'],"
    (folder / "rules.yaml").write_text(rules + " fallback: {on: not_found}}]\n")
    found = explain("--model", "m")
    (passed,) = found["passed_over"]
    assert passed["target"] == "anthropic:gpt-4"
    assert found["request"]["body"]["model"] == "claude-opus-5-5"


LIMITED = """
version: 1
rules:
  - name: few
    use: anthropic:claude-opus-5-5
    limit: {requests: 2, tokens: 100, per: day, by: agent%s}
"""


@pytest.fixture
def spent(tmp_path):
    """Let the agent `coder` use up its two requests, and `other` one of them."""
    ledger = Ledger(tmp_path)
    for number, agent in enumerate(("coder", "coder", "other")):
        ledger.add(
            Record(
                time=timestamp(time.time()),
                id=f"call {number}",
                agent=agent,
                rule="few",
                endpoint="chat",
                actual_provider="anthropic",
                input_tokens=3,
            )
        )
    ledger.close()
    return ("--model", "m", "--home", str(tmp_path))


def test_limits_are_shown_with_what_is_left(folder, spent):
    (folder / "rules.yaml").write_text(LIMITED % "")
    found = explain(*spent, "--agent", "other")
    (limit,) = found["limits"]
    assert limit["used"] == {"requests": 1, "tokens": 3, "cost_usd": 0.0}
    assert limit["left"] == {"requests": 1, "tokens": 97}
    assert (limit["reached"], found["limit_reached"]) == (False, False)
    assert found["request"] is not None
    assert "(used so far: 1 request, 3 tokens)" in run(*spent, "--agent", "other").stdout


def test_the_usual_folders_are_looked_into(folder, own_home):
    own_home.mkdir(parents=True)
    (folder / "rules.yaml").unlink()
    (own_home / "rules.yaml").write_text(LIMITED % "")
    ledger = Ledger(own_home)
    now = timestamp(time.time())
    called = Record(time=now, id="a", agent="x", rule="few", endpoint="chat", actual_provider="p")
    ledger.add(called)
    ledger.close()
    (limit,) = explain("--model", "m", "--agent", "x")["limits"]
    assert limit["used"]["requests"] == 1


def test_a_call_beyond_a_limit_is_refused(folder, spent):
    (folder / "rules.yaml").write_text(LIMITED % "")
    found = explain(*spent, "--agent", "coder")
    assert found["limit_reached"] is True
    assert found["request"] is None
    assert "2 requests per day" in found["error"]


def test_a_call_beyond_a_limit_goes_elsewhere(folder, spent):
    (folder / "rules.yaml").write_text(LIMITED % ", else: 'anthropic:claude-haiku-5-5'")
    found = explain(*spent, "--agent", "coder")
    assert (found["rule"], found["limit_reached"]) == ("few, limit reached", True)
    assert found["request"]["body"]["model"] == "claude-haiku-5-5"
    text = run(*spent, "--agent", "coder").stdout
    assert "Its limit is reached" in text
    assert "then they go to anthropic:claude-haiku-5-5" in text


def test_beyond_a_limit_only_targets_that_offer_the_endpoint_count(folder, spent):
    text = LIMITED % ", else: ['anthropic:*', 'openai:*']"
    (folder / "rules.yaml").write_text(text.replace("anthropic:claude-opus-5-5", "openai:*"))
    found = explain(*spent, "--agent", "coder", "--endpoint", "embeddings")
    assert [place["provider"] for place in found["destinations"]] == ["openai"]
    assert found["request"]["url"] == "https://api.openai.com/v1/embeddings"
    text = run(*spent, "--agent", "coder", "--endpoint", "embeddings").stdout
    assert "The call would go to openai:m, as it is." in text
