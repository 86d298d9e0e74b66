import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import agent_name


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("codex_cli_rs/0.169.0 (Debian 12.0.0; x86_64) xterm", "codex"),
        ("codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)", "codex"),
        (
            "opencode/1.18.33 (linux; x64) ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14",
            "opencode",
        ),
        ("claude-cli/2.1.0 (external, cli)", "claude-code"),
        ("GeminiCLI/0.61.0/gemini-3.8-flash (linux; x64)", "gemini-cli"),
        ("OpenAI/Python 3.52.0", "openai-python"),
        ("AsyncOpenAI/Python 3.52.0", "openai-python"),
        ("AsyncAzureOpenAI/Python 2.1.0", "openai-python"),
        ("OpenAI/JS 6.1.0", "openai-node"),
        ("Agents/Python 0.24.0", "openai-agents"),
        ("pydantic-ai/2.68.0", "pydantic-ai"),
        ("ai-sdk-openai/4.0.118 ai-sdk-provider-utils/5.0.81 node.js/24", "ai-sdk"),
        ("ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/24", "ai-sdk"),
        ("Anthropic/Python 2.11.0", "anthropic-python"),
        ("langchain-openai/1.7", "langchain"),
        ("Aider/0.90 +https://aider.chat", "aider"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "python-httpx"),
        ("python-httpx2/2.16.2", "python-httpx"),
        ("python-requests/2.32", "python-requests"),
        ("Go-http-client/1.1", "go-http-client"),
        ("Mozilla/5.0 (X11) AppleWebKit", "browser"),
        ("MyBot/1.0 (+https://example.com)", "mybot"),
        ("Mail-Agent", "mail-agent"),
        ("  ", "unknown"),
        ("/1", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_programs_are_recognised(user_agent, name):
    assert agent_name(user_agent) == name


@given(st.text())
def test_any_header_gives_a_name_that_rules_can_say(user_agent):
    name = agent_name(user_agent)
    assert name
    assert name == name.lower()
    assert " " not in name
